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
import { runSteps, type Steps, wait } from './steps.ts'

/** Runs steps in a transaction of their own; resolves when it is durable. */
export type RunInTransaction = <T>(task: (tx: WriteTransaction) => Steps<T>) => Promise<T>

/** Large ones are all in memory at once. */
const ENTITIES_AT_ONCE = 16

/** Of one transaction. */
export interface RewriteBounds {
  readonly entitiesMax: number
  /** Stored bytes; the entity that exceeds them is the last one. */
  readonly bytesMax: number
}

export const REWRITE_BOUNDS: RewriteBounds = { entitiesMax: 4096, bytesMax: 4 * 1024 * 1024 }

interface Progress {
  /** Entities up to this id are done. */
  readonly idKey: Uint8Array | undefined
  readonly done: number
  readonly total: number
  /** One could not be migrated: its migration answers otherwise than when it was tried. */
  readonly hasFailed: boolean
  readonly isAtEnd: boolean
}

const BEGINNING: Progress = {
  idKey: undefined,
  done: 0,
  total: 0,
  hasFailed: false,
  isAtEnd: false,
}

export async function rewriteOlder(
  inTransaction: RunInTransaction,
  state: CollectionState,
  work: OpenWork,
  bounds: RewriteBounds = REWRITE_BOUNDS,
): Promise<void> {
  const { name: collection } = state
  let progress = BEGINNING
  while (!progress.isAtEnd) {
    progress = await inTransaction((tx) => rewriteSome(tx, state, progress, bounds))
    const { done, total } = progress
    await runSteps(work.did({ phase: 'migrate', collection, done, total }))
  }
}

function* rewriteSome(
  tx: WriteTransaction,
  state: CollectionState,
  from: Progress,
  { entitiesMax, bytesMax }: RewriteBounds,
): Steps<Progress> {
  const { name: collection, recordTable } = state
  const total = yield* wait(tx.count(recordTable))
  const cursor = tx.scan(recordTable, from.idKey === undefined ? {} : { gt: from.idKey })
  let { idKey, done, hasFailed } = from
  let bytes = 0
  let isAtEnd = false
  const isFull = () => done - from.done >= entitiesMax || bytes >= bytesMax
  while (!isAtEnd && !isFull()) {
    const { keys, values } = yield* wait(cursor.next(ENTITIES_AT_ONCE))
    isAtEnd = keys.length === 0
    for (let i = 0; i < keys.length && !isFull(); i++) {
      done++
      // Keys and values belong together.
      idKey = keys[i] as Uint8Array
      const stored = decodeRecord(values[i] as Uint8Array)
      if (stored.schemaVersion >= state.schemaVersion || !isRewritable(stored)) continue
      const record = migratedRecord(state, idOfKey(idKey), stored)
      if (record === undefined) hasFailed = true
      else yield* wait(tx.put(recordTable, idKey, record))
      bytes += record?.length ?? 0
    }
  }
  if (isAtEnd && !hasFailed) yield* deleteMeta(tx, MIGRATING_PREFIX + collection)
  return { idKey, done, total, hasFailed, isAtEnd }
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
