/**
 * What the engine remembers beside (or instead of) a record, in the table `r:<collection>`:
 *
 * | kind          | record | meaning                                                             |
 * | ------------- | ------ | ------------------------------------------------------------------- |
 * | tombstone     | none   | a delete was replicated: its revision                               |
 * | base          | there  | the replicated state that the pending edits were made on            |
 * | pendingDelete | none   | a local delete, and the replicated state it was made on             |
 *
 * A pending entity that was never replicated has no row while its record is there.
 */
import { allocateBytes } from '../store/byte-slab.ts'
import { varintBytes, writeVarint } from '../store/varint.ts'
import { FieldReaderCursor } from './field-reader-cursor.ts'
import { entityBytes, type StoredRecord } from './record.ts'
import type { ReplicatedState } from './replication.ts'

const KINDS = ['tombstone', 'base', 'pendingDelete'] as const

export type ReplicaRowKind = (typeof KINDS)[number]

export interface ReplicaRow {
  readonly kind: ReplicaRowKind
  /** `bytes` is null for a tombstone. */
  readonly state: ReplicatedState
  /** The last opId of a local edit of a pending delete, else 0. */
  readonly opId: number
}

export const ABSENT: ReplicatedState = { version: 0, bytes: null, schemaVersion: 1 }

/** Nothing is known: no need to remember it. */
export function isAbsent({ version, bytes }: ReplicatedState): boolean {
  return version === 0 && bytes === null
}

/** Of a record without local edits. */
export function replicatedStateOf(stored: StoredRecord): ReplicatedState {
  const { revision, schemaVersion } = stored
  return { version: revision, schemaVersion, bytes: entityBytes(stored) }
}

export function encodeReplicaRow({ kind, state, opId }: ReplicaRow): Uint8Array {
  const { version, schemaVersion, bytes } = state
  const fields = [KINDS.indexOf(kind), version, schemaVersion, opId, bytes === null ? 0 : 1]
  const size = fields.reduce((sum, field) => sum + varintBytes(field), bytes?.length ?? 0)
  const row = allocateBytes(size)
  let at = 0
  for (const field of fields) at = writeVarint(row, at, field)
  if (bytes !== null) row.set(bytes, at)
  return row
}

export function decodeReplicaRow(row: Uint8Array): ReplicaRow {
  const cursor = new FieldReaderCursor(row)
  // Written by `encodeReplicaRow`.
  const kind = KINDS[cursor.varint()] as ReplicaRowKind
  const version = cursor.varint()
  const schemaVersion = cursor.varint()
  const opId = cursor.varint()
  const bytes = cursor.varint() === 0 ? null : cursor.rest()
  return { kind, state: { version, schemaVersion, bytes }, opId }
}
