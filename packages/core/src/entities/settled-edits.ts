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
  for (let i = 0; i < edits.length; i++) {
    // Within bounds.
    const edit = edits[i] as CommittedEdit
    const { entityId, committed, throughOpId } = edit
    const state = collectionOf(edit.collection)
    assertReplicatedState(committed)
    assertId(entityId, state.maxIdBytes)
    const idKey = idKeyOf(entityId)
    const found = writer.tx.get(state.recordTable, idKey)
    const record = found instanceof Promise ? yield* wait(found) : found
    const stored = record === undefined ? undefined : decodeRecord(record)
    if (stored !== undefined && isAsSent(stored, edit)) {
      const { version, schemaVersion } = committed
      const header = {
        pending: false,
        revision: version,
        schemaVersion,
        stamp: stored.stamp,
        opId: 0,
      }
      const clean = encodeRecord(header, entityBytes(stored))
      writer.beginChange(state, entityId)
      // The same bytes under the same stamp: for readers nothing changes.
      const put = writer.tx.put(state.recordTable, idKey, clean)
      if (put instanceof Promise) yield* wait(put)
      writer.recorder.note(state, entityId, stored.record, clean)
      const removed = writer.tx.delete(state.replicaTable, idKey)
      if (removed instanceof Promise) yield* wait(removed)
      writer.end()
      continue
    }
    const { pending, opId } = yield* replica.state(state, entityId)
    if (pending && opId >= throughOpId) {
      yield* replica.settle(state, entityId, committed, throughOpId)
    } else dropped.push(i)
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
