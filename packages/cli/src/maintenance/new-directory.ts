/** Directories that a command makes a database in. */
import { lstatSync, rmdirSync, statSync } from 'node:fs'
import { EntiDBError } from '@entidb/core'

/** What is under a path, through symbolic links. `other`: anything that no directory can be made of. */
export function kindOf(path: string): 'absent' | 'directory' | 'file' | 'other' {
  const own = lstatSync(path, { throwIfNoEntry: false })
  if (own === undefined) return 'absent'
  const target = statSync(path, { throwIfNoEntry: false })
  if (target === undefined) return 'other'
  if (target.isDirectory()) return 'directory'
  return target.isFile() ? 'file' : 'other'
}

export function inTheWay(path: string): EntiDBError {
  return new EntiDBError(
    'database_exists',
    `${path} exists already and is not overwritten. Choose another target.`,
    { details: { file: path } },
  )
}

/**
 * Runs `make`, which puts a database into `directory`. When it fails, a directory that was not there before is
 * gone again. Error: `database_exists` when something else is in the way.
 */
export async function makeInDirectory<T>(directory: string, make: () => Promise<T>): Promise<T> {
  const before = kindOf(directory)
  if (before === 'file' || before === 'other') throw inTheWay(directory)
  try {
    return await make()
  } catch (error) {
    if (before === 'absent') removeEmpty(directory)
    throw error
  }
}

function removeEmpty(directory: string): void {
  try {
    rmdirSync(directory)
  } catch {
    // It was never made, or somebody else uses it by now.
  }
}
