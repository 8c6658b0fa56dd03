/** Databases as commands that read and write entities open them: as they are defined in their own files. */
import { EntiDBError } from '@entidb/core'
import { fileStorage } from '@entidb/core/node'
import { openStored, type StoredCollection, storedCollections } from '@entidb/core/tools'
import { assertDatabaseDirectory } from '../inspect/find-database.ts'

export type StoredDatabase = Awaited<ReturnType<typeof openStored>>

/**
 * For as long as `use` runs. Errors: `not_a_database`, `database_locked` (it is in use), `corrupt`,
 * `format_too_new`, `read_only`.
 */
export async function withStoredDatabase<T>(
  directory: string,
  options: { readonly readOnly: boolean },
  use: (db: StoredDatabase) => Promise<T>,
): Promise<T> {
  await assertDatabaseDirectory(directory)
  return closing(await openStored({ storage: fileStorage(directory), ...options }), use)
}

/** Closes the database, however `use` ends. */
export async function closing<T>(
  db: StoredDatabase,
  use: (db: StoredDatabase) => Promise<T>,
): Promise<T> {
  let result: T
  try {
    result = await use(db)
  } catch (error) {
    // The first error says why; closing can only add to it.
    await db.close().catch(() => {})
    throw error
  }
  await db.close()
  return result
}

/** Error: `unknown_collection`, which names those there are. */
export function findCollection(db: StoredDatabase, name: string, hint = ''): StoredCollection {
  const collections = storedCollections(db)
  const found = collections.find((collection) => collection.name === name)
  if (found !== undefined) return found
  const names = collections.filter(({ isSystem }) => !isSystem).map((known) => known.name)
  const known = names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`
  throw new EntiDBError(
    'unknown_collection',
    `The database has no collection ${name}; ${known}${hint}`,
    { details: { collection: name, collections: names } },
  )
}
