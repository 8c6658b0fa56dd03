/** The database and collection that an import goes into, made where that was asked for. */
import { readdirSync } from 'node:fs'
import { EntiDB, memoryStorage } from '@entidb/core'
import { fileStorage } from '@entidb/core/node'
import { createStoredCollection, openStored, storedCollections } from '@entidb/core/tools'
import { UsageError } from '../../cli/usage-error.ts'
import { kindOf } from '../../maintenance/new-directory.ts'
import {
  closing,
  findCollection,
  type StoredDatabase,
  withStoredDatabase,
} from '../stored-database.ts'

export interface ImportTarget {
  readonly directory: string
  readonly collection: string
  /** Makes the collection when it is not there, and the database when the directory is empty or absent. */
  readonly create: boolean
  /** Of a collection that is made: the version of the shape that its records have. */
  readonly schemaVersion: number
  /** What would be made is made in memory, for as long as the import runs. */
  readonly dryRun: boolean
}

/**
 * Errors: `unknown_collection`, `not_a_database`, `database_locked`, `read_only`, `corrupt`, `format_too_new`.
 * @throws UsageError for a name that no collection of an application has.
 */
export async function withImportTarget<T>(
  target: ImportTarget,
  use: (db: StoredDatabase) => Promise<T>,
): Promise<T> {
  const { directory, collection, create, schemaVersion, dryRun } = target
  assertName(collection)
  const isNew = create && isEmpty(directory)
  if (dryRun && create && (isNew || !(await isThere(target)))) {
    return withMemoryDatabase(target, use)
  }
  if (isNew) {
    await (await EntiDB.open({ storage: fileStorage(directory), collections: {} })).close()
  }
  return withStoredDatabase(directory, { readOnly: false }, async (db) => {
    if (create) await createStoredCollection(db, collection, { schemaVersion })
    findCollection(db, collection, '. Make it with --create')
    return use(db)
  })
}

function assertName(collection: string): void {
  if (/^[A-Za-z0-9-][A-Za-z0-9_-]{0,63}$/.test(collection)) return
  throw new UsageError(
    `a collection is named by 1 to 64 of A-Z a-z 0-9 _ -, not beginning with _; not ${collection}`,
  )
}

function isEmpty(directory: string): boolean {
  const kind = kindOf(directory)
  return kind === 'absent' || (kind === 'directory' && readdirSync(directory).length === 0)
}

function isThere({ directory, collection }: ImportTarget): Promise<boolean> {
  return withStoredDatabase(directory, { readOnly: true }, async (db) =>
    storedCollections(db).some(({ name }) => name === collection),
  )
}

async function withMemoryDatabase<T>(
  { collection, schemaVersion }: ImportTarget,
  use: (db: StoredDatabase) => Promise<T>,
): Promise<T> {
  const storage = memoryStorage()
  await (await EntiDB.open({ storage, collections: {} })).close()
  return closing(await openStored({ storage }), async (db) => {
    await createStoredCollection(db, collection, { schemaVersion })
    return use(db)
  })
}
