/**
 * What opening does about the version of a collection's entities, in its one transaction: all entities of
 * older versions are tried, indexes made to fit, and the version is changed; or nothing is. Storing the
 * entities anew comes after it (`rewrite-older.ts`).
 */

import { decodeEntity } from '../cbor/entity-decoder.ts'
import type { WriteTransaction } from '../store/key-value-store.ts'
import type { CollectionState } from './collection-state.ts'
import { idOfKey } from './entity-id.ts'
import { updateIndexes } from './index-maintenance.ts'
import type { IndexPlan } from './index-plan.ts'
import { indexedForm } from './indexed-form.ts'
import { MIGRATING_PREFIX, writeMeta } from './meta.ts'
import { type CheckSetting, checkMigration } from './migration-check.ts'
import { indexKeysOf } from './prepared-entity.ts'
import { decodeRecord } from './record.ts'
import { type Steps, wait } from './steps.ts'
import { readUnmigrated, rememberUnmigrated, unmigratedTable } from './unmigrated.ts'

/** Answers the indexes that have to be made anew. Error: `migration_failed`; then nothing may be committed. */
export function* changeVersion(
  tx: WriteTransaction,
  state: CollectionState,
  setting: CheckSetting,
): Steps<ReadonlySet<IndexPlan>> {
  const { hasRewritable, unmigrated, moved } = yield* checkMigration(tx, state, setting)
  yield* wait(tx.clear(unmigratedTable(state.name)))
  for (const idKey of unmigrated) yield* rememberUnmigrated(tx, state.name, idKey)
  if (hasRewritable) yield* writeMeta(tx, MIGRATING_PREFIX + state.name, true)
  return moved
}

/**
 * Entities that no migration brought up until now: those that one does bring up get the index entries of what
 * it makes of them. Answers whether anything was changed.
 */
export function* retryUnmigrated(tx: WriteTransaction, state: CollectionState): Steps<boolean> {
  let hasChanged = false
  for (const idKey of yield* readUnmigrated(tx, state.name)) {
    const record = yield* wait(tx.get(state.recordTable, idKey))
    const stored = record === undefined ? undefined : decodeRecord(record)
    if (stored !== undefined && stored.schemaVersion < state.schemaVersion) {
      const form = indexedForm(state, idOfKey(idKey), stored)
      if (!form.isCurrent) continue
      const before = decodeEntity(stored.record, stored.entityStart)
      const keysBefore = indexKeysOf(state, idKey, before)
      const keys = indexKeysOf(state, idKey, decodeEntity(form.bytes))
      yield* updateIndexes(tx, state, idKey, keysBefore, keys)
    }
    yield* wait(tx.delete(unmigratedTable(state.name), idKey))
    hasChanged = true
  }
  return hasChanged
}
