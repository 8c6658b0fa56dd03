/** Makes a directory that is there as a whole or not at all, whenever the process is killed. */
import { randomBytes } from 'node:crypto'
import { readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { inTheWay, kindOf } from './new-directory.ts'
import { flushDirectory } from './whole-file.ts'

/**
 * `fill` makes a directory of the name it is given, which then gets the name `target`. Errors: `database_exists`
 * when the target is there and not an empty directory, or that of `refusal`; those of `fill`.
 */
export async function makeWholeDirectory<T>(
  target: string,
  fill: (partial: string) => Promise<T>,
  refusal: (path: string) => Error = inTheWay,
): Promise<T> {
  const assertFree = (): void => {
    if (!isFree(target)) throw refusal(target)
  }
  assertFree()
  const partial = `${target}.partial-${randomBytes(4).toString('hex')}`
  try {
    const result = await fill(partial)
    assertFree()
    // Not every system puts a directory in place of an empty one.
    if (kindOf(target) === 'directory') rmdirSync(target)
    renameSync(partial, target)
    await flushDirectory(dirname(target))
    return result
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
}

function isFree(target: string): boolean {
  const kind = kindOf(target)
  return kind === 'absent' || (kind === 'directory' && readdirSync(target).length === 0)
}
