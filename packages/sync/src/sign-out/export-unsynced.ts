/**
 * Unsynced edits as portable data: a CBOR sequence (RFC 8742) of maps, a header and one record for each entity,
 * in the deterministic encoding of entities. `docs/sync-client.md` has the fields.
 */
import { EntiDBError } from '@entidb/core'
import { decodeEntity, encodeEntity } from '@entidb/core/cbor'
import { type EntityRef, entityRef } from '../entity-ref.ts'
import { entityState } from '../explain/explain.ts'
import type { EntitySyncState } from '../explain/explanation.ts'
import type { RemoteState } from '../state/rows.ts'
import type { SyncStore } from '../state/sync-store.ts'
import { unsyncedKeys } from './unsynced.ts'
import { unsyncedGroups } from './unsynced-groups.ts'

/** The first record of an export. */
export interface UnsyncedHeader {
  readonly format: 'entidb-unsynced'
  readonly version: 1
  /** The database on the server that the edits are for. */
  readonly dbId: string
  /** The device that made them. */
  readonly deviceId: string
}

/** A state of an entity in an export: its deterministic CBOR, or null when there is none. */
export interface ExportedState {
  /** The revision; 0: never on the server. */
  readonly entityVersion: number
  readonly entityCbor: Uint8Array | null
  /** The collection's schema version that the bytes are in. */
  readonly schemaVersion: number
}

/** Every other record of an export: one entity. */
export interface UnsyncedRecord extends EntityRef {
  readonly state: Exclude<EntitySyncState, 'synced'>
  /** Equal in records that stand or fall together, which follow each other; null for one that stands alone. */
  readonly group: number | null
  /** What the user sees: null for a delete. Its revision is that of `base`. */
  readonly local: ExportedState
  /** The server's state that the edits were made on. */
  readonly base: ExportedState
  /** The server's newer state that they are in conflict with; null when there is none. */
  readonly remote: ExportedState | null
}

const FORMAT: UnsyncedHeader['format'] = 'entidb-unsynced'
const STEP_ENTITIES = 50
/** A record has up to three entities in it. */
const NO_LIMIT = { maxEntityBytes: Number.MAX_SAFE_INTEGER }

/** Everything that was unsynced when the iteration began and still is when its turn comes. */
export async function* exportUnsynced(store: SyncStore): AsyncGenerator<Uint8Array> {
  await store.followFeed()
  const { dbId, deviceId } = store.state
  const header: UnsyncedHeader = { format: FORMAT, version: 1, dbId, deviceId }
  yield encodeEntity(header)
  const groups = unsyncedGroups(store, unsyncedKeys(store))
  const members = groups.flatMap((keys, index) =>
    keys.map((key) => ({ ref: entityRef(key), group: keys.length === 1 ? null : index })),
  )
  for (let at = 0; at < members.length; at += STEP_ENTITIES) {
    const step = members.slice(at, at + STEP_ENTITIES)
    for (const record of await recordsOf(store, step)) yield encodeEntity(record, NO_LIMIT)
  }
}

interface Member {
  readonly ref: EntityRef
  readonly group: number | null
}

function recordsOf(
  store: SyncStore,
  members: readonly Member[],
): Promise<readonly UnsyncedRecord[]> {
  return store.read(async (tx) => {
    const states = await tx.replica.states(members.map(({ ref }) => ref))
    const records: UnsyncedRecord[] = []
    for (const [index, { ref, group }] of members.entries()) {
      const replica = states[index]
      if (replica?.pending !== true) continue
      const state = entityState(store, ref)
      const remote = await tx.remoteOf(tx.note(ref))
      records.push({
        ...ref,
        state: state === 'synced' ? 'pending' : state,
        group,
        local: exported(replica),
        base: exported(replica.base),
        remote: remote && exported(remote),
      })
    }
    return records
  })
}

function exported({ version, bytes, schemaVersion }: RemoteState): ExportedState {
  return { entityVersion: version, entityCbor: bytes, schemaVersion }
}

/** One record of an export. Errors: `invalid_cbor`; `invalid_input` for what is CBOR, but no record. */
export function decodeUnsynced(bytes: Uint8Array): UnsyncedHeader | UnsyncedRecord {
  const value = decodeEntity(bytes)
  if (isHeader(value)) return value
  if (isRecord(value)) return value
  throw new EntiDBError('invalid_input', 'This is no record of exported edits')
}

function isHeader(value: unknown): value is UnsyncedHeader {
  return (
    isMap(value) &&
    value.format === FORMAT &&
    value.version === 1 &&
    typeof value.dbId === 'string' &&
    typeof value.deviceId === 'string'
  )
}

function isRecord(value: unknown): value is UnsyncedRecord {
  return (
    isMap(value) &&
    typeof value.collection === 'string' &&
    typeof value.entityId === 'string' &&
    (value.group === null || Number.isSafeInteger(value.group)) &&
    isState(value.local) &&
    isState(value.base) &&
    (value.remote === null || isState(value.remote))
  )
}

function isState(value: unknown): value is ExportedState {
  return (
    isMap(value) &&
    Number.isSafeInteger(value.entityVersion) &&
    Number.isSafeInteger(value.schemaVersion) &&
    (value.entityCbor === null || value.entityCbor instanceof Uint8Array)
  )
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
