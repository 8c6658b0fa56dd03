/** Every entity and tombstone in order: records and replica rows, merged. */

import { compareBytes } from '../store/bytes.ts'
import type { Reader } from '../store/key-value-store.ts'
import { collectionOfTable, isSystemName, recordTable, replicaTable } from './collection-state.ts'
import { idKeyOf, idOfKey } from './entity-id.ts'
import { decodeRecord, entityBytes } from './record.ts'
import { decodeReplicaRow } from './replica-row.ts'
import type { ReplicaEntry, ReplicaRef, ReplicaScanOptions } from './replication.ts'
import { takeEntries } from './scan.ts'
import { type Steps, wait } from './steps.ts'

interface Keyed {
  readonly idKey: Uint8Array
  readonly entry: ReplicaEntry | undefined
}

export function* scanReplicas(
  view: Reader,
  { after, entriesMax }: ReplicaScanOptions,
): Steps<readonly ReplicaEntry[]> {
  if (!(entriesMax >= 1)) throw new TypeError('entriesMax must be at least 1')
  const entries: ReplicaEntry[] = []
  for (const collection of yield* replicatedCollections(view)) {
    if (after !== undefined && collection < after.collection) continue
    let afterKey = after?.collection === collection ? idKeyOf(after.entityId) : undefined
    while (entries.length < entriesMax) {
      const batch = yield* mergedBatch(view, collection, afterKey, entriesMax - entries.length)
      const last = batch.at(-1)
      if (last === undefined) break
      afterKey = last.idKey
      for (const { entry } of batch) if (entry !== undefined) entries.push(entry)
    }
  }
  return entries
}

/** The entry of one entity; undefined when nothing is known of it. */
export function* findReplica(
  view: Reader,
  { collection, entityId }: ReplicaRef,
): Steps<ReplicaEntry | undefined> {
  const idKey = idKeyOf(entityId)
  const record = yield* wait(view.get(recordTable(collection), idKey))
  if (record !== undefined) return recordEntry(collection, idKey, record)
  const row = yield* wait(view.get(replicaTable(collection), idKey))
  return row === undefined ? undefined : rowEntry(collection, idKey, row)
}

/** Names are ASCII: the order of strings is the order of bytes. */
function* replicatedCollections(view: Reader): Steps<readonly string[]> {
  const names = new Set<string>()
  for (const table of yield* wait(view.tables())) {
    const name = collectionOfTable(table)
    if (name !== undefined && !isSystemName(name)) names.add(name)
  }
  return [...names].sort()
}

/** The next ids of both tables; only as far as both batches are known to reach. */
function* mergedBatch(
  view: Reader,
  collection: string,
  after: Uint8Array | undefined,
  entriesMax: number,
): Steps<readonly Keyed[]> {
  const range = after === undefined ? {} : { gt: after }
  const records = yield* takeEntries(view.scan(recordTable(collection), range), entriesMax)
  const rows = yield* takeEntries(view.scan(replicaTable(collection), range), entriesMax)
  const merged: Keyed[] = []
  let row = 0
  for (let i = 0; i <= records.keys.length; i++) {
    const recordKey = records.keys[i]
    for (; row < rows.keys.length && merged.length < entriesMax; row++) {
      const idKey = rows.keys[row] as Uint8Array
      if (recordKey !== undefined && compareBytes(idKey, recordKey) >= 0) break
      merged.push({ idKey, entry: rowEntry(collection, idKey, rows.values[row] as Uint8Array) })
    }
    if (recordKey === undefined || merged.length >= entriesMax) break
    const record = records.values[i] as Uint8Array
    merged.push({ idKey: recordKey, entry: recordEntry(collection, recordKey, record) })
  }
  return merged
}

function recordEntry(collection: string, idKey: Uint8Array, bytes: Uint8Array): ReplicaEntry {
  const record = decodeRecord(bytes)
  const { revision: version, pending } = record
  const entityId = idOfKey(idKey)
  return { collection, entityId, version, pending, deleted: false, bytes: entityBytes(record) }
}

/** Undefined for a base: its entity has a record. */
function rowEntry(
  collection: string,
  idKey: Uint8Array,
  bytes: Uint8Array,
): ReplicaEntry | undefined {
  const { kind, state } = decodeReplicaRow(bytes)
  if (kind === 'base') return undefined
  const entityId = idOfKey(idKey)
  const pending = kind === 'pendingDelete'
  return { collection, entityId, version: state.version, pending, deleted: true, bytes: null }
}
