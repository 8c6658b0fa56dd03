/**
 * Unsynced edits as portable data: a CBOR sequence (RFC 8742) of maps, a header and one record for each entity,
 * in the deterministic encoding of entities. `docs/sync-client.md` has the fields.
 */
import { EntiDBError } from '@entidb/core'
import { decodeEntity, encodeEntity } from '@entidb/core/cbor'
import { type EntityRef, entityKey, entityRef } from '../entity-ref.ts'
import { entityState } from '../explain/explain.ts'
import type { EntitySyncState } from '../explain/explanation.ts'
import type { RemoteState } from '../state/rows.ts'
import type { SyncStore } from '../state/sync-store.ts'
import { unsyncedKeys } from './unsynced.ts'

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
  /** Equal in records that one conflict or rejection holds together; null when nothing holds them. */
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

/** Everything that was unsynced when the iteration began and still is when its turn comes. */
export async function* exportUnsynced(store: SyncStore): AsyncGenerator<Uint8Array> {
  await store.followFeed()
  const { dbId, deviceId } = store.state
  const header: UnsyncedHeader = { format: FORMAT, version: 1, dbId, deviceId }
  yield encodeEntity(header)
  const keys = unsyncedKeys(store)
  for (let at = 0; at < keys.length; at += STEP_ENTITIES) {
    const refs = keys.slice(at, at + STEP_ENTITIES).map(entityRef)
    for (const record of await recordsOf(store, refs)) yield encodeEntity(record)
  }
}

function recordsOf(
  store: SyncStore,
  refs: readonly EntityRef[],
): Promise<readonly UnsyncedRecord[]> {
  return store.read(async (tx) => {
    const states = await tx.replica.states(refs)
    return refs.flatMap((ref, index) => {
      const replica = states[index]
      if (replica?.pending !== true) return []
      const key = entityKey(ref)
      const state = entityState(store, ref)
      const { group = null, conflict = null } = tx.findNote(key) ?? {}
      return {
        ...ref,
        state: state === 'synced' ? ('pending' as const) : state,
        group,
        local: exported(replica),
        base: exported(replica.base),
        remote: conflict === null ? null : exported(conflict.remote),
      }
    })
  })
}

function exported({ version, bytes, schemaVersion }: RemoteState): ExportedState {
  return { entityVersion: version, entityCbor: bytes, schemaVersion }
}

/** One record of an export. Error: `invalid_cbor` for bytes that are none. */
export function decodeUnsynced(bytes: Uint8Array): UnsyncedHeader | UnsyncedRecord {
  const value = decodeEntity(bytes)
  if (isHeader(value)) return value
  if (isRecord(value)) return value
  throw new EntiDBError('invalid_cbor', 'These bytes are no record of unsynced edits', {
    details: { offset: 0, reason: 'unexpected_type' },
  })
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
