/** Keeps index entries in step with records, in the same transaction. */

import { bytesEqual } from '../store/bytes.ts'
import type { Reader, WriteTransaction } from '../store/key-value-store.ts'
import type { CollectionState } from './collection-state.ts'
import { uniqueViolation } from './entity-errors.ts'
import { idOfKey } from './entity-id.ts'
import { type IndexKeys, isSameKeys, keysWithout, listOf } from './entry-keys.ts'
import type { IndexBatch } from './index-batch.ts'
import { type IndexPlan, idKeyOfEntry, indexEntryValue } from './index-plan.ts'
import { prefixEnd } from './key-range.ts'
import type { IndexViolation } from './replication.ts'
import { type Steps, wait } from './steps.ts'

/** Of all that have a key already, at most this many are named. */
const NAMED_IDS_MAX = 10

/**
 * Refuses keys of unique indexes that other entities have. A key that the entity had before is let
 * through: a violation that sync brought in must not lock its entities up. Error: `unique_violation`.
 */
export function* assertUnique(
  view: Reader,
  state: CollectionState,
  idKey: Uint8Array,
  keys: IndexKeys,
  oldKeys: IndexKeys | undefined,
): Steps<void> {
  for (const violation of yield* findViolations(view, state, idKey, keys, oldKeys)) {
    throw uniqueViolation(state.name, violation.index, violation.ids)
  }
}

const NO_VIOLATIONS: readonly IndexViolation[] = []

export function* findViolations(
  view: Reader,
  state: CollectionState,
  idKey: Uint8Array,
  keys: IndexKeys,
  oldKeys: IndexKeys | undefined,
): Steps<readonly IndexViolation[]> {
  let violations = NO_VIOLATIONS
  for (let i = 0; i < keys.length; i++) {
    const plan = state.indexes[i]
    if (plan?.unique !== true) continue
    for (const key of keysWithout(keys[i], oldKeys?.[i])) {
      const fieldsKey = key.subarray(0, key.length - idKey.length)
      const others = yield* findOthers(view, plan, fieldsKey, idKey)
      if (others.length === 0) continue
      const ids = [idOfKey(idKey), ...others]
      violations = [...violations, { collection: state.name, index: plan.name, ids }]
    }
  }
  return violations
}

function* findOthers(
  view: Reader,
  plan: IndexPlan,
  fieldsKey: Uint8Array,
  idKey: Uint8Array,
): Steps<readonly string[]> {
  const range = { gte: fieldsKey, lt: prefixEnd(fieldsKey) }
  const batch = yield* wait(view.scan(plan.table, range).next(NAMED_IDS_MAX + 1))
  const ids: string[] = []
  for (let i = 0; i < batch.keys.length; i++) {
    const other = idKeyOfEntry(batch.keys[i] ?? idKey, batch.values[i] ?? idKey)
    if (!bytesEqual(other, idKey)) ids.push(idOfKey(other))
  }
  return ids.slice(0, NAMED_IDS_MAX)
}

/** `undefined` keys: the entity was not, or is no longer, there. New entries go to `batch`, if it takes them. */
export function* updateIndexes(
  tx: WriteTransaction,
  state: CollectionState,
  idKey: Uint8Array,
  oldKeys: IndexKeys | undefined,
  keys: IndexKeys | undefined,
  batch?: IndexBatch,
): Steps<void> {
  const entryValue = indexEntryValue(idKey)
  for (let i = 0; i < state.indexes.length; i++) {
    // Within bounds.
    const plan = state.indexes[i] as IndexPlan
    const before = oldKeys?.[i]
    const now = keys?.[i]
    if (isSameKeys(before, now)) continue
    const isSingle = !Array.isArray(before) && !Array.isArray(now)
    for (const key of isSingle ? listOf(before) : keysWithout(before, now)) {
      const done = tx.delete(plan.table, key)
      if (done instanceof Promise) yield* wait(done)
    }
    for (const key of isSingle ? listOf(now) : keysWithout(now, before)) {
      if (batch?.defers(plan, key, entryValue) === true) continue
      const done = tx.put(plan.table, key, entryValue)
      if (done instanceof Promise) yield* wait(done)
    }
  }
}
