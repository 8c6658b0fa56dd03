/** Where a backup comes from: a directory or file that `backup` made, or stdin. */
import { createReadStream, readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { CliEnvironment } from '../cli/cli-environment.ts'
import { UsageError } from '../cli/usage-error.ts'

export interface BackupSource {
  /** `-` for stdin. */
  readonly path: string
  /** Undefined where nobody knows. */
  readonly bytes: number | undefined
  readonly pieces: () => AsyncIterable<Uint8Array>
}

const PIECE_BYTES = 1024 * 1024
const DATA_FILE = 'data.entidb'
const LOG_FILE = /^wal-\d+\.entidb$/

/** A system error when there is nothing of that name. */
export function backupSource(word: string, { inputBytes }: CliEnvironment): BackupSource {
  if (word === '-') return { path: word, bytes: undefined, pieces: inputBytes }
  const path = resolve(word)
  const file = statSync(path).isDirectory() ? dataFileOf(path) : path
  const pieces = () => createReadStream(file, { highWaterMark: PIECE_BYTES })
  return { path, bytes: statSync(file).size, pieces }
}

/** The data file of a database that was in use is not all of it. */
function dataFileOf(directory: string): string {
  if (readdirSync(directory).some((name) => LOG_FILE.test(name))) {
    throw new UsageError(
      `${directory} is a database in use, not a backup; make one of it: entidb backup ${directory} TARGET`,
    )
  }
  return join(directory, DATA_FILE)
}
