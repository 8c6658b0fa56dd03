/**
 * Makes exported edits local edits again, on the states that they were made on: as if they had waited here. What
 * the server has changed since meets them as a conflict.
 */
import { EntiDBError } from '@entidb/core'
import type { ReplicaState } from '@entidb/core/replication'
import { learnRemote } from '../conflicts/learn-remote.ts'
import type { EntityRef } from '../entity-ref.ts'
import { findEvicted, forgetEvicted } from '../evict/evicted-rows.ts'
import { sameState } from '../same-state.ts'
import { putStored } from '../state/put-stored.ts'
import type { RemoteState } from '../state/rows.ts'
import type { SyncStore } from '../state/sync-store.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'
import { decodeUnsynced, type ExportedState, type UnsyncedRecord } from './export-unsynced.ts'

/** What `importUnsynced` did. */
export interface ImportedEdits {
  /** Entities that have a local edit by it. */
  readonly imported: number
  /** Entities that were already as exported. */
  readonly known: number
  /** Not imported: they, or others of their group, have edits of their own that are not synced. */
  readonly skipped: readonly EntityRef[]
}

export async function importUnsynced(
  store: SyncStore,
  records: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<ImportedEdits> {
  let imported = 0
  let known = 0
  const skipped: EntityRef[] = []
  for await (const group of groupsOf(store.state.dbId, records)) {
    const done = await store.transaction((tx) => importGroup(tx, group))
    if (done === undefined) skipped.push(...group.map(refOf))
    else {
      imported += done
      known += group.length - done
    }
  }
  return { imported, known, skipped }
}

/** Error: `invalid_input` for records without a header, or of another database. */
async function* groupsOf(
  dbId: string,
  records: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<readonly UnsyncedRecord[]> {
  let group: UnsyncedRecord[] | undefined
  for await (const bytes of records) {
    const record = decodeUnsynced(bytes)
    if ('format' in record) {
      if (record.dbId !== dbId) {
        throw new EntiDBError(
          'invalid_input',
          `These edits are for ${record.dbId}, not for ${dbId}`,
        )
      }
      group ??= []
      continue
    }
    if (group === undefined) {
      throw new EntiDBError('invalid_input', 'Exported edits begin with a header')
    }
    const [before] = group
    if (before !== undefined && (record.group === null || record.group !== before.group)) {
      yield group
      group = []
    }
    group.push(record)
  }
  if (group !== undefined && group.length > 0) yield group
}

/** The number of entities that were edited; undefined when one of them has an edit of its own that is another. */
async function importGroup(
  tx: SyncTransaction,
  group: readonly UnsyncedRecord[],
): Promise<number | undefined> {
  const states = await tx.replica.states(group)
  // The same edits wait already: imported before, or never gone.
  if (group.every((record, index) => isWaiting(record, states[index] as ReplicaState))) return 0
  if (states.some(({ pending }) => pending)) return undefined
  let edited = 0
  for (const [index, record] of group.entries()) {
    // As many states as records.
    const before = states[index] as ReplicaState
    if (isKnown(record, before)) continue
    await edit(tx, record, before)
    edited += 1
  }
  return edited
}

/** It is as exported, and not because the entity that was deleted has not come here yet. */
function isKnown({ local, base }: UnsyncedRecord, before: ReplicaState): boolean {
  if (!sameState(before, stateOf(local))) return false
  if (local.entityCbor !== null || base.entityCbor === null) return true
  return before.version >= base.entityVersion
}

/** Imported before, and not pushed yet. */
function isWaiting({ local }: UnsyncedRecord, before: ReplicaState): boolean {
  return before.pending && sameState(before, stateOf(local))
}

/** What is known to be newer than the base of the edit meets it at once. */
async function edit(
  tx: SyncTransaction,
  { collection, entityId, local, base }: UnsyncedRecord,
  before: ReplicaState,
): Promise<void> {
  const ref = { collection, entityId }
  const evicted = await findEvicted(tx, ref)
  // A delete is of something.
  if (local.entityCbor === null && before.bytes === null) {
    await tx.replica.applyRaw({ ...ref, ...stateOf(base) })
  }
  await putStored(tx, ref, stateOf(local))
  // A newer state that was evicted is not here to be met: the server answers with it.
  if (evicted !== undefined && evicted.version > base.entityVersion) return
  await forgetEvicted(tx, ref)
  await tx.replica.rebase(collection, entityId, stateOf(base))
  if (before.version <= base.entityVersion) return
  const { version, bytes, schemaVersion } = before
  const context = { nowMs: tx.nowMs, present: true, onViolation: () => {} }
  await learnRemote(tx, ref, { version, bytes, schemaVersion }, context)
}

function stateOf({ entityVersion, entityCbor, schemaVersion }: ExportedState): RemoteState {
  return { version: entityVersion, bytes: entityCbor, schemaVersion }
}

function refOf({ collection, entityId }: EntityRef): EntityRef {
  return { collection, entityId }
}
