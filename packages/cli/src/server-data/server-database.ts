/** Databases of a sync server, as commands look into them: nothing is changed. */
import { EntiDBError, type Snapshot } from '@entidb/core'
import { storedCollections } from '@entidb/core/tools'
import type { MetaRow, ServerCollections } from '@entidb/server'
import { type StoredDatabase, withStoredDatabase } from '../data/stored-database.ts'

/** One state of the server's collections. */
export type ServerData = Snapshot<ServerCollections>

/** Collections that together nobody else has. */
const NEEDED = ['meta', 'epochs', 'server_oplog', 'device_state', 'conflicts']

/** Whether a sync server made the database. */
export function isServerDatabase(db: StoredDatabase): boolean {
  const names = new Set(storedCollections(db).map(({ name }) => name))
  return NEEDED.every((name) => names.has(name))
}

/**
 * For as long as `use` runs. Errors: `not_a_database` when it is none of a sync server, and those of
 * `withStoredDatabase`.
 */
export async function withServerData<T>(
  directory: string,
  use: (data: ServerData) => Promise<T>,
): Promise<T> {
  return withStoredDatabase(directory, { readOnly: true }, async (db) => {
    if (!isServerDatabase(db)) {
      throw new EntiDBError('not_a_database', `${directory} is no database of a sync server`, {
        details: { directory },
      })
    }
    const snapshot = db.snapshot()
    try {
      // The server's collections are stored as it defines them.
      return await use(snapshot as unknown as ServerData)
    } finally {
      snapshot.release()
    }
  })
}

export async function readServerMeta(data: ServerData): Promise<MetaRow> {
  const meta = await data.collection('meta').get('database')
  if (meta !== undefined) return meta
  throw new EntiDBError('not_a_database', 'The sync server has not finished making the database')
}
