/** Where an export goes. */
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type ByteSink, EntiDBError } from '@entidb/core'
import type { CliEnvironment } from '../../cli/cli-environment.ts'
import { UsageError } from '../../cli/usage-error.ts'
import { makeWholeDirectory } from '../../maintenance/whole-directory.ts'
import { writeWholeFile } from '../../maintenance/whole-file.ts'
import type { DataFormat } from '../data-format.ts'

export interface ExportTarget {
  /** `-` for stdout. */
  readonly path: string
  /** A file is there as a whole or not at all. Errors: `file_exists`, `disk_full`, and those of `fill`. */
  take<T>(fill: (sink: ByteSink) => Promise<T>): Promise<T>
}

/** One file, or stdout. */
export function exportTarget(
  word: string,
  format: DataFormat,
  options: { readonly overwrite: boolean },
  { stdout, outputBytes }: CliEnvironment,
): ExportTarget {
  if (word === '-') {
    if (format === 'cbor' && stdout.terminal !== undefined) {
      throw new UsageError(
        'CBOR is bytes, and stdout is a terminal: pipe it, or name a file: --out',
      )
    }
    return { path: word, take: (fill) => fill(outputBytes()) }
  }
  const path = resolve(word)
  const refusal = fileExists
  return {
    path,
    take: (fill) => writeWholeFile(path, fill, { replace: options.overwrite, refusal }),
  }
}

export type TakeFile = <T>(name: string, fill: (sink: ByteSink) => Promise<T>) => Promise<T>

/** Several files in a directory that is there as a whole or not at all. Error: `file_exists`. */
export function exportDirectory<T>(path: string, fill: (take: TakeFile) => Promise<T>): Promise<T> {
  return makeWholeDirectory(
    path,
    (partial) => {
      mkdirSync(partial)
      return fill((name, fillFile) => writeWholeFile(join(partial, name), fillFile))
    },
    fileExists,
  )
}

function fileExists(path: string): EntiDBError {
  return new EntiDBError(
    'file_exists',
    `${path} exists already; a file is replaced with --overwrite`,
    {
      details: { file: path },
    },
  )
}
