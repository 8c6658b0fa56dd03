/**
 * Which names a file of a store may have: the same on every system that EntiDB runs on, and never a
 * path. Names that start with a dot belong to the implementation (its lock, for example).
 */

const fileNamePattern = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/

export function isFileName(name: string): boolean {
  return fileNamePattern.test(name)
}

/** Throws `TypeError`: only the store names files, so a bad name is a mistake in the program. */
export function assertFileName(name: string): void {
  if (!isFileName(name)) throw new TypeError(`Not a file name: ${JSON.stringify(name)}`)
}

/** Throws `TypeError` unless `bytes` is a whole number that every system can address. */
export function assertFilePosition(bytes: number): void {
  if (!Number.isSafeInteger(bytes) || bytes < 0)
    throw new TypeError(`Not a file position: ${bytes}`)
}
