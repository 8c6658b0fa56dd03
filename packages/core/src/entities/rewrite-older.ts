/**
 * Stores entities of an older version anew, in transactions of bounded size. Readers see no difference: an
 * older entity is migrated when it is read, and its index entries are those of the new version already. So it
 * may end anywhere, and goes on when the database is opened again. It is no edit: revision, stamp and opId of
 * an entity stay, and the change feed is not told.
 */

import { assertInvariant } from '../errors/assert.ts'
import { isEntiDBError } from '../errors/entidb-error.ts'
import type { WriteTransaction } from '../store/key-value-store.ts'
import type { CollectionState } from './collection-state.ts'
import { idOfKey } from './entity-id.ts'
import { deleteMeta, MIGRATING_PREFIX } from './meta.ts'
import { isRewritable } from './older-entities.ts'
import type { OpenWork } from './open-work.ts'
import { decodeRecord, encodeRecord, type StoredRecord } from './record.ts'
import { type Steps, wait } from './steps.ts'

/** Runs steps in a transaction of their own; resolves when it is durable. */
export type RunInTransaction = <T>(task: (tx: WriteTransaction) => Steps<T>) => Promise<T>

const ENTITIES_AT_ONCE = 64
/** Of one transaction, about. */
const ENTITIES_MAX = 4096
const BYTES_MAX = 4 * 1024 * 1024

interface Progress {
  /** Entities up to this id are done. */
  readonly idKey: Uint8Array | undefined
  readonly done: number
  /** One could not be migrated: its migration answers otherwise than when it was tried. */
  readonly hasFailed: boolean
  readonly isAtEnd: boolean
}

const BEGINNING: Progress = { idKey: undefined, done: 0, hasFailed: false, isAtEnd: false }

export async function rewriteOlder(
  inTransaction: RunInTransaction,
  state: CollectionState,
  work: OpenWork,
): Promise<void> {
  let progress = BEGINNING
  while (!progress.isAtEnd) {
    progress = await inTransaction((tx) => rewriteSome(tx, state, progress, work))
  }
}

function* rewriteSome(
  tx: WriteTransaction,
  state: CollectionState,
  from: Progress,
  work: OpenWork,
): Steps<Progress> {
  const { name: collection, recordTable } = state
  const total = yield* wait(tx.count(recordTable))
  const cursor = tx.scan(recordTable, from.idKey === undefined ? {} : { gt: from.idKey })
  let { idKey, done, hasFailed } = from
  let bytes = 0
  while (done - from.done < ENTITIES_MAX && bytes < BYTES_MAX) {
    const { keys, values } = yield* wait(cursor.next(ENTITIES_AT_ONCE))
    if (keys.length === 0) {
      if (!hasFailed) yield* deleteMeta(tx, MIGRATING_PREFIX + collection)
      return { idKey, done, hasFailed, isAtEnd: true }
    }
    for (let i = 0; i < keys.length; i++) {
      // Keys and values belong together.
      idKey = keys[i] as Uint8Array
      const stored = decodeRecord(values[i] as Uint8Array)
      if (stored.schemaVersion >= state.schemaVersion || !isRewritable(stored)) continue
      const record = migratedRecord(state, idOfKey(idKey), stored)
      if (record === undefined) hasFailed = true
      else yield* wait(tx.put(recordTable, idKey, record))
      bytes += record?.length ?? 0
    }
    done += keys.length
  }
  yield* work.did({ phase: 'migrate', collection, done, total })
  return { idKey, done, hasFailed, isAtEnd: false }
}

/** Undefined when it fails: the entity stays as it is, for the next opening. */
function migratedRecord(
  { chain, schemaVersion }: CollectionState,
  id: string,
  stored: StoredRecord,
): Uint8Array | undefined {
  assertInvariant(chain !== undefined, 'only defined collections are migrated')
  try {
    return encodeRecord({ ...stored, schemaVersion }, chain.upgrade(id, stored, schemaVersion))
  } catch (error) {
    if (isEntiDBError(error, 'migration_failed')) return undefined
    throw error
  }
}
