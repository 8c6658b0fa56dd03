/** Looks before anything is opened: opening a directory without a database would create one. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { EntiDBError } from '@entidb/core'

const databaseFile = /\.entidb$/

/**
 * Errors: `not_a_database`, naming the databases in the folders of the directory, if there are any (a
 * server's data directory has one for each dbId).
 */
export async function assertDatabaseDirectory(directory: string): Promise<void> {
  const entries = await listDirectory(directory)
  if (entries.some((entry) => entry.isFile() && databaseFile.test(entry.name))) return
  const inside: string[] = []
  for (const entry of entries) {
    if (entry.isDirectory() && (await holdsDatabase(join(directory, entry.name)))) {
      inside.push(join(directory, entry.name))
    }
  }
  const hint = inside.length === 0 ? '' : `; did you mean ${inside.join(' or ')}?`
  throw new EntiDBError('not_a_database', `there is no database in ${directory}${hint}`, {
    details: { directory, inside },
  })
}

async function holdsDatabase(directory: string): Promise<boolean> {
  return (await listDirectory(directory)).some(({ name }) => databaseFile.test(name))
}

async function listDirectory(directory: string) {
  try {
    return await readdir(directory, { withFileTypes: true })
  } catch (cause) {
    throw new EntiDBError('not_a_database', `cannot read the directory ${directory}`, { cause })
  }
}
