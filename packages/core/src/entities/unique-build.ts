/**
 * A unique index over entities that were there before: no two of them may have the same key. What replication
 * brought is let through, as it is when it comes later: a database must not become unopenable by what another
 * device wrote.
 */
import { bytesEqual } from '../store/bytes.ts'
import type { WriteTransaction } from '../store/key-value-store.ts'
import type { CollectionState } from './collection-state.ts'
import { uniqueViolation } from './entity-errors.ts'
import { idOfKey } from './entity-id.ts'
import { type IndexPlan, idKeyOfEntry } from './index-plan.ts'
import type { OpenWork } from './open-work.ts'
import { decodeRecord } from './record.ts'
import { type Steps, wait } from './steps.ts'

const BATCH = 1024
/** Of all that have the same key, at most this many are named. */
const NAMED_IDS_MAX = 10

/** Error: `unique_violation`, with the ids that this device wrote and that share a key. */
export function* refuseDuplicates(
  tx: WriteTransaction,
  state: CollectionState,
  plan: IndexPlan,
  work: OpenWork,
): Steps<void> {
  const total = yield* wait(tx.count(plan.table))
  const cursor = tx.scan(plan.table, {})
  let fields: Uint8Array | undefined
  let idKeys: Uint8Array[] = []
  for (let done = 0; ; ) {
    const { keys, values } = yield* wait(cursor.next(BATCH))
    for (let i = 0; i < keys.length; i++) {
      // Keys and values belong together.
      const key = keys[i] as Uint8Array
      const idKey = idKeyOfEntry(key, values[i] as Uint8Array)
      const own = key.subarray(0, key.length - idKey.length)
      if (fields === undefined || !bytesEqual(fields, own)) {
        yield* refuseIfLocal(tx, state, plan, idKeys)
        fields = own
        idKeys = []
      }
      // Many that replication brought may come before those that this device wrote.
      if (idKeys.length === NAMED_IDS_MAX) idKeys = yield* refuseIfLocal(tx, state, plan, idKeys)
      idKeys.push(idKey)
    }
    if (keys.length === 0) break
    done += keys.length
    const progress = { phase: 'index' as const, collection: state.name, index: plan.name }
    yield* work.did({ ...progress, done, total })
  }
  yield* refuseIfLocal(tx, state, plan, idKeys)
}

/** Answers those that this device wrote: one at most. */
function* refuseIfLocal(
  tx: WriteTransaction,
  state: CollectionState,
  plan: IndexPlan,
  idKeys: Uint8Array[],
): Steps<Uint8Array[]> {
  if (idKeys.length < 2) return idKeys
  const local: Uint8Array[] = []
  for (const idKey of idKeys) {
    const record = yield* wait(tx.get(state.recordTable, idKey))
    if (record !== undefined && decodeRecord(record).revision === 0) local.push(idKey)
  }
  if (local.length > 1) throw uniqueViolation(state.name, plan.name, local.map(idOfKey))
  return local
}
