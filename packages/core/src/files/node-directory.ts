/** Directories on disk: creating one, and making its entries durable. */

import { dirname } from 'node:path'
import { systemCodeOf, toFileError, toOpenError } from './node-io-error.ts'
import type { NodeSystemCalls } from './node-system-calls.ts'

/** Windows refuses to flush a directory (EPERM); NTFS keeps a journal of its entries. */
const hasDirectoryFlush = process.platform !== 'win32'

/** What file systems answer that know no such flush: some network and FUSE ones. */
const noFlushCodes: readonly string[] = ['EINVAL']

/** Files created, renamed and removed in `directory` before are durably so when it returns. */
export async function flushDirectory(
  fs: NodeSystemCalls,
  directory: string,
  ignoredCodes: readonly string[] = [],
): Promise<void> {
  if (!hasDirectoryFlush) return
  let fd: number | undefined
  try {
    fd = fs.openSync(directory, 'r')
    await fsync(fs, fd)
  } catch (cause) {
    const ignored = [...noFlushCodes, ...ignoredCodes].includes(systemCodeOf(cause) ?? '')
    if (!ignored) throw toFileError(cause, directory, 'flush directory')
  } finally {
    if (fd !== undefined) fs.closeSync(fd)
  }
}

function fsync(fs: NodeSystemCalls, fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.fsync(fd, (error) => (error ? reject(error) : resolve()))
  })
}

/**
 * Creates `directory` and what is missing above it, durably. Each one is durable before the next is
 * created in it; so of those that exist already only the last may still need `flushExistingDirectory`,
 * because its creator may have died before that.
 */
export async function createDirectory(
  fs: NodeSystemCalls,
  directory: string,
): Promise<'made' | 'exists'> {
  const parent = dirname(directory)
  let outcome = makeDirectory(fs, directory)
  if (outcome === 'no-parent') {
    if ((await createDirectory(fs, parent)) === 'exists') await flushExistingDirectory(fs, parent)
    outcome = makeDirectory(fs, directory)
  }
  if (outcome === 'no-parent') {
    const cause = new Error('what is above it is no directory')
    throw toFileError(cause, directory, 'create directory')
  }
  if (outcome === 'made') await flushDirectory(fs, parent)
  return outcome
}

/** Makes the name of `directory` durable, which somebody else created. */
export async function flushExistingDirectory(
  fs: NodeSystemCalls,
  directory: string,
): Promise<void> {
  // It may have been prepared for us in one that we have no right to read.
  await flushDirectory(fs, dirname(directory), ['EACCES', 'EPERM'])
}

function makeDirectory(fs: NodeSystemCalls, directory: string): 'made' | 'exists' | 'no-parent' {
  // Asked first: an error takes longer than all the rest of this.
  if (fs.existsSync(directory)) return 'exists'
  try {
    fs.mkdirSync(directory)
    return 'made'
  } catch (cause) {
    const systemCode = systemCodeOf(cause)
    if (systemCode === 'EEXIST') return 'exists'
    if (systemCode === 'ENOENT' && dirname(directory) !== directory) return 'no-parent'
    throw toOpenError(cause, directory, 'create directory')
  }
}
