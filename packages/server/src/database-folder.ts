/** Looks before a database is opened: opening a folder that holds none would make one, in the way of who restores it. */
import { readdir } from 'node:fs/promises'
import { unavailable, unknownDatabase } from './wire-error.ts'

const DATABASE_FILE = /\.entidb$/
/** What a database is called until it is whole. */
const UNFINISHED_FILE = /\.entidb\.new$/

/** Errors: `unknown_database`, `unavailable` while it is being restored or made; of the system. */
export async function assertHoldsDatabase(directory: string): Promise<void> {
  const names = await namesIn(directory)
  if (names.some((name) => DATABASE_FILE.test(name))) return
  if (names.some((name) => UNFINISHED_FILE.test(name))) {
    throw unavailable('The database is not there yet')
  }
  throw unknownDatabase()
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    const isNoFolder =
      error instanceof Error &&
      'code' in error &&
      (error.code === 'ENOENT' || error.code === 'ENOTDIR')
    if (isNoFolder) return []
    throw error
  }
}
