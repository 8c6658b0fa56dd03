/** Where a backup goes: a directory, a file, or stdout. */
import { resolve } from 'node:path'
import type { ByteSink, Storage } from '@entidb/core'
import { fileStorage } from '@entidb/core/node'
import type { CliEnvironment } from '../cli/cli-environment.ts'
import { UsageError } from '../cli/usage-error.ts'
import { kindOf, makeInDirectory } from './new-directory.ts'
import { writeWholeFile } from './whole-file.ts'

export interface BackupTarget {
  readonly kind: 'directory' | 'file' | 'stdout'
  /** `-` for stdout. */
  readonly path: string
  /** Fails without leaving anything. Errors: `database_exists`, `disk_full`, and those of `fill`. */
  take<T>(fill: (target: Storage | ByteSink) => Promise<T>): Promise<T>
}

const FILE_NAME = /\.entidb$/

/** A target that is not there is a file when `asFile` says so, or its name ends in `.entidb`. */
export function backupTarget(
  word: string,
  asFile: boolean,
  { stdout, outputBytes }: CliEnvironment,
): BackupTarget {
  if (word === '-') {
    if (stdout.terminal !== undefined) {
      throw new UsageError('a backup is bytes, and stdout is a terminal: pipe it, or name a target')
    }
    return { kind: 'stdout', path: word, take: (fill) => fill(outputBytes()) }
  }
  const path = resolve(word)
  const found = kindOf(path)
  const isFile = asFile || (found === 'absent' ? FILE_NAME.test(word) : found !== 'directory')
  return isFile
    ? { kind: 'file', path, take: (fill) => writeWholeFile(path, fill) }
    : {
        kind: 'directory',
        path,
        take: (fill) => makeInDirectory(path, () => fill(fileStorage(path))),
      }
}
