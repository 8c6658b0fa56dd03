/**
 * `tx.replica.settleAll`: the edits of one answered push. Nearly all of them are as they were sent: such a record
 * becomes clean here by the shortest way, everything else is for `ReplicaWriter`.
 */
import { bytesEqual } from '../store/bytes.ts'
import type { CollectionState } from './collection-state.ts'
import { assertId, idKeyOf } from './entity-id.ts'
import type { EntityWriter } from './entity-writer.ts'
import { decodeRecord, encodeRecord, entityBytes, type StoredRecord } from './record.ts'
import { assertReplicatedState, type ReplicaWriter } from './replica-writer.ts'
import type { CommittedEdit } from './replication.ts'
import { type Steps, wait } from './steps.ts'

/** Positions of those that were not pending any more. */
export function* settleEdits(
  writer: EntityWriter,
  replica: ReplicaWriter,
  collectionOf: (name: string) => CollectionState,
  edits: readonly CommittedEdit[],
): Steps<readonly number[]> {
  const dropped: number[] = []
  let state: CollectionState | undefined
  for (let i = 0; i < edits.length; i++) {
    // Within bounds.
    const edit = edits[i] as CommittedEdit
    if (state?.name !== edit.collection) state = collectionOf(edit.collection)
    assertReplicatedState(edit.committed)
    assertId(edit.entityId, state.maxIdBytes)
    const idKey = idKeyOf(edit.entityId)
    const found = writer.tx.get(state.recordTable, idKey)
    const record = found instanceof Promise ? yield* wait(found) : found
    const stored = record === undefined ? undefined : decodeRecord(record)
    if (stored !== undefined && isAsSent(stored, edit)) {
      const done = makeClean(writer, state, edit, idKey, stored)
      if (done instanceof Promise) yield* wait(done)
      writer.end()
    } else if (!(yield* replica.settleEdit(state, edit))) dropped.push(i)
  }
  return dropped
}

/** Nothing was edited since, and what was accepted is what is stored. */
function isAsSent(stored: StoredRecord, { committed, throughOpId }: CommittedEdit): boolean {
  return (
    stored.pending &&
    stored.opId === throughOpId &&
    stored.schemaVersion === committed.schemaVersion &&
    committed.bytes !== null &&
    bytesEqual(entityBytes(stored), committed.bytes)
  )
}

/** The same bytes under the same stamp: for readers nothing changes. A promise where the store has to wait. */
function makeClean(
  writer: EntityWriter,
  state: CollectionState,
  { entityId, committed: { version, schemaVersion } }: CommittedEdit,
  idKey: Uint8Array,
  stored: StoredRecord,
): Promise<unknown> | undefined {
  const header = { pending: false, revision: version, schemaVersion, stamp: stored.stamp, opId: 0 }
  const clean = encodeRecord(header, entityBytes(stored))
  writer.beginChange(state, entityId)
  const put = writer.tx.put(state.recordTable, idKey, clean)
  writer.recorder.note(state, entityId, stored.record, clean)
  const removeBase = () => writer.tx.delete(state.replicaTable, idKey)
  const removed = put instanceof Promise ? put.then(removeBase) : removeBase()
  return removed instanceof Promise ? removed : undefined
}
