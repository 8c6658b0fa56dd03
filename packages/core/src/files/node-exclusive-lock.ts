/**
 * Lock of a directory where a file can be opened exclusively: macOS and the BSDs (an flock that `open`
 * takes) and Windows (a file that is not shared). The system lets go of it when the process ends. See
 * docs/decisions/0003-directory-lock.md.
 */

import { constants, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EntiDBError } from '../errors/entidb-error.ts'
import { directoryLockedError, type LockHolder } from './directory-locked.ts'
import type { DirectoryLock } from './file-system.ts'
import { systemCodeOf, toOpenError } from './node-io-error.ts'
import type { NodeSystemCalls } from './node-system-calls.ts'

/** `O_EXLOCK | O_NONBLOCK` of every BSD, and `UV_FS_O_EXLOCK` of libuv: `node:fs` names neither. */
const exclusiveFlagsByPlatform: ReadonlyMap<string, number> = new Map([
  ['darwin', 0x24],
  ['freebsd', 0x24],
  ['netbsd', 0x24],
  ['openbsd', 0x24],
  ['win32', 0x10000000],
])

export function hasExclusiveOpen(platform: string): boolean {
  return exclusiveFlagsByPlatform.has(platform)
}

const lockFileName = '.lockfile'
/** Beside the lock file, which Windows lets nobody else read. For messages only. */
const holderFileName = '.lockholder'
const heldCodes: readonly string[] = ['EAGAIN', 'EWOULDBLOCK', 'EBUSY']

export function lockByExclusiveOpen(
  fs: Pick<NodeSystemCalls, 'openSync' | 'closeSync'>,
  directory: string,
  platform: string,
): DirectoryLock {
  const flags = constants.O_RDWR | constants.O_CREAT | (exclusiveFlagsByPlatform.get(platform) ?? 0)
  const open = () => openUnlessHeld(fs, join(directory, lockFileName), flags)
  const fd = open()
  if (fd === undefined) throw directoryLockedError(directory, readHolder(directory))
  const second = open()
  if (second !== undefined) {
    fs.closeSync(second)
    fs.closeSync(fd)
    throw noExclusiveOpenError(directory)
  }
  writeHolder(directory)
  return { release: releaseOnce(() => fs.closeSync(fd)) }
}

function openUnlessHeld(
  fs: Pick<NodeSystemCalls, 'openSync'>,
  path: string,
  flags: number,
): number | undefined {
  try {
    return fs.openSync(path, flags, 0o666)
  } catch (cause) {
    if (heldCodes.includes(systemCodeOf(cause) ?? '')) return undefined
    throw toOpenError(cause, lockFileName, 'lock')
  }
}

/** Some runtimes drop flags they do not know: what was opened twice protects nothing. */
function noExclusiveOpenError(directory: string): EntiDBError {
  return new EntiDBError(
    'io_failed',
    `Cannot lock ${directory}: files are not opened exclusively here`,
    {
      details: { file: lockFileName, operation: 'lock' },
    },
  )
}

/** The descriptor must not be closed twice: its number may belong to another file by then. */
function releaseOnce(release: () => void): () => Promise<void> {
  let released = false
  return async () => {
    if (released) return
    released = true
    release()
  }
}

function writeHolder(directory: string): void {
  try {
    writeFileSync(join(directory, holderFileName), String(process.pid))
  } catch {
    // The lock holds without its label.
  }
}

function readHolder(directory: string): LockHolder | undefined {
  try {
    const pid = Number.parseInt(readFileSync(join(directory, holderFileName), 'utf8'), 10)
    return Number.isNaN(pid) ? undefined : { pid }
  } catch {
    return undefined
  }
}
