/**
 * Files that are made once and then only read. A file appears whole, with its final mode, or not at all,
 * also when the process is killed while it is made.
 */
import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** The file's text, or undefined when there is no such file. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined
    throw error
  }
}

/** Mode of a secret: only its owner may read it. */
export const SECRET_MODE = 0o600
/** Mode of what anyone may read. */
export const PUBLIC_MODE = 0o644

/**
 * Creates the file and the folders above it. When another process was faster its content stays.
 * Resolves to what the file holds now.
 */
export async function createFileOnce(path: string, text: string, mode: number): Promise<string> {
  await mkdir(dirname(path), { recursive: true })
  const temporary = `${path}.${randomBytes(6).toString('hex')}`
  await writeFlushed(temporary, text, mode)
  try {
    await link(temporary, path)
    return text
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return await readFile(path, 'utf8')
    throw error
  } finally {
    await rm(temporary, { force: true })
  }
}

async function writeFlushed(path: string, text: string, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
