/** The database and collection that an import goes into, made where that was asked for. */
import { readdirSync } from 'node:fs'
import { EntiDB, memoryStorage } from '@entidb/core'
import { fileStorage } from '@entidb/core/node'
import {
  createStoredCollection,
  openStored,
  type StoredCollection,
  storedCollections,
} from '@entidb/core/tools'
import { UsageError } from '../../cli/usage-error.ts'
import { kindOf } from '../../maintenance/new-directory.ts'
import { isServerDatabase } from '../../server-data/server-database.ts'
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
  /** The version of the collection's shape that the records have. Absent: that of the collection; 1 if it is made. */
  readonly schemaVersion: number | undefined
  /** What would be made is made in memory, for as long as the import runs. */
  readonly dryRun: boolean
}

/**
 * Errors: `unknown_collection`, `not_a_database`, `database_locked`, `read_only`, `corrupt`, `format_too_new`.
 * @throws UsageError for a name that no collection of an application has, or if it has another schema version; for a
 * database of a sync server.
 */
export async function withImportTarget<T>(
  target: ImportTarget,
  use: (db: StoredDatabase) => Promise<T>,
): Promise<T> {
  const { directory, collection, create, dryRun } = target
  assertName(collection)
  const isNew = create && isEmpty(directory)
  if (dryRun && create && (isNew || !(await isThere(target)))) {
    return withMemoryDatabase(target, use)
  }
  if (isNew) {
    await (await EntiDB.open({ storage: fileStorage(directory), collections: {} })).close()
  }
  return withStoredDatabase(directory, { readOnly: false }, async (db) => {
    if (isServerDatabase(db)) {
      throw new UsageError(
        `${directory} is a database of a sync server, whose rows are its own; import into a device that syncs with it`,
      )
    }
    if (create) await makeCollection(db, target)
    const found = findCollection(db, collection, '. Make it with --create')
    assertVersion(found, target)
    return use(db)
  })
}

function makeCollection(db: StoredDatabase, { collection, schemaVersion }: ImportTarget) {
  return createStoredCollection(
    db,
    collection,
    schemaVersion === undefined ? {} : { schemaVersion },
  )
}

/** Records would be taken for what they are not, and migrated as such. */
function assertVersion(found: StoredCollection, { schemaVersion }: ImportTarget): void {
  if (schemaVersion === undefined || schemaVersion === found.schemaVersion) return
  throw new UsageError(
    `${found.name} is at version ${found.schemaVersion} of its shape, not ${schemaVersion}`,
  )
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
  target: ImportTarget,
  use: (db: StoredDatabase) => Promise<T>,
): Promise<T> {
  const storage = memoryStorage()
  await (await EntiDB.open({ storage, collections: {} })).close()
  return closing(await openStored({ storage }), async (db) => {
    await makeCollection(db, target)
    return use(db)
  })
}
