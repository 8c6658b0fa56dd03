/**
 * Writes a file that is there as a whole or not at all, whenever the process is killed: under another name
 * first, and never over what is there.
 */
import { randomBytes } from 'node:crypto'
import { type FileHandle, link, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type ByteSink, EntiDBError } from '@entidb/core'
import { inTheWay, kindOf } from './new-directory.ts'

export interface WholeFileOptions {
  /** A file that is there is replaced, in one step. Default false. */
  readonly replace?: boolean
  /** The error for what is there. Default: `database_exists`. */
  readonly refusal?: (path: string) => EntiDBError
}

/** Errors: that of `refusal`, `disk_full`, and those of `fill`. */
export async function writeWholeFile<T>(
  path: string,
  fill: (sink: ByteSink) => Promise<T>,
  { replace = false, refusal = inTheWay }: WholeFileOptions = {},
): Promise<T> {
  const assertFree = (): void => {
    const kind = kindOf(path)
    if (kind !== 'absent' && !(replace && kind === 'file')) throw refusal(path)
  }
  assertFree()
  const partial = `${path}.partial-${randomBytes(4).toString('hex')}`
  try {
    const result = await writeFlushed(partial, fill)
    if (replace) await renameOver(partial, path, assertFree)
    else await putInPlace(partial, path, refusal)
    await flushDirectory(dirname(path))
    return result
  } catch (error) {
    throw isSystemError(error, 'ENOSPC', 'EDQUOT', 'EFBIG') ? diskFull(path, error) : error
  } finally {
    await rm(partial, { force: true })
  }
}

async function writeFlushed<T>(path: string, fill: (sink: ByteSink) => Promise<T>): Promise<T> {
  const file = await open(path, 'wx')
  try {
    const result = await fill(sinkOf(file))
    await file.sync()
    return result
  } finally {
    await file.close()
  }
}

function sinkOf(file: FileHandle): ByteSink {
  const write = async (piece: Uint8Array): Promise<void> => {
    for (let at = 0; at < piece.length; ) {
      at += (await file.write(piece, at, piece.length - at)).bytesWritten
    }
  }
  return { getWriter: () => ({ write, close: async () => {}, abort: async () => {} }) }
}

async function renameOver(partial: string, path: string, assertFree: () => void): Promise<void> {
  assertFree()
  await rename(partial, path)
}

async function putInPlace(
  partial: string,
  path: string,
  refusal: (path: string) => EntiDBError,
): Promise<void> {
  try {
    await link(partial, path)
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) throw refusal(path)
    // File systems without hard links. Whoever makes the file in this instant loses it.
    if (kindOf(path) !== 'absent') throw refusal(path)
    await rename(partial, path)
  }
}

/** What was put into the directory is durable when it resolves. */
export async function flushDirectory(path: string): Promise<void> {
  // Windows refuses it, and keeps a journal of its entries.
  if (process.platform === 'win32') return
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

function diskFull(file: string, cause: unknown): EntiDBError {
  const details = { file, operation: 'write' }
  return new EntiDBError('disk_full', `Cannot write ${file}: the disk is full`, {
    cause,
    details,
    retry: 'later',
  })
}

function isSystemError(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}
