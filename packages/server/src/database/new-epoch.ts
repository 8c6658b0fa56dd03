/** A new epoch at an operator's word, in files that no server has open. */
import { randomBytes } from 'node:crypto'
import { EntiDB, EntiDBError, type Storage } from '@entidb/core'
import { serverCollections } from './collections.ts'
import { beginEpoch } from './meta.ts'

/** An epoch that was begun. */
export interface BegunEpoch {
  readonly dbId: string
  /** Lower-case hex of the 16 bytes. */
  readonly epoch: string
  /** Where the histories part: the head before it, plus 1. */
  readonly firstCursor: number
  /** Raised to a multiple of 2^28, so that no revision is used twice in its history. */
  readonly head: number
}

/**
 * Begins a new epoch of the server database in `storage`: for one that was restored, or that answers `cursor_ahead`.
 * Devices then offer again what the server may have lost. Durable when it resolves. Errors: `unknown_database` when no
 * server has begun one there, `database_locked`, and the others of `EntiDB.open`.
 *
 * @example
 * await beginNewEpoch(fileStorage('./data/server/notes'))
 */
export async function beginNewEpoch(storage: Storage): Promise<BegunEpoch> {
  const db = await EntiDB.open({ storage, collections: serverCollections })
  try {
    return await db.transaction(async (tx) => {
      const before = await tx.collection('meta').get('database')
      if (before === undefined) {
        throw new EntiDBError('unknown_database', 'No sync server has begun a database there')
      }
      const random = (count: number): Uint8Array => new Uint8Array(randomBytes(count))
      const { dbId, epoch, head } = await beginEpoch(tx, before.dbId, random)
      const firstCursor = before.head + 1
      return { dbId, epoch: Buffer.from(epoch).toString('hex'), firstCursor, head }
    })
  } finally {
    await db.close()
  }
}
