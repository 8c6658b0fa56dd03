/** A row of `entities`, read from its stored bytes as a page of a snapshot takes it: they are read by the thousand. */
import { CborReader, decodeEntity, encodeEntity } from '@entidb/core/cbor'
import type { EntityState, StateKind } from '@entidb/protocol'
import { type EntityRow, entityKey } from './collections.ts'
import { RepeatedText } from './repeated-text.ts'

export interface StoredState extends Omit<EntityState, 'opId'> {
  /** Missing in rows of old databases. */
  readonly opId: number | undefined
}

/** Byte strings are views of `bytes`. */
export function readStoredState(bytes: Uint8Array): StoredState {
  return readInOrder(bytes) ?? readAny(bytes)
}

/** The key of its row. */
export function keyOfState({ kind, entityId }: StoredState): string {
  return entityKey(kind.collection, new CborReader(entityId).readText())
}

const KEYS = {
  id: encodeEntity('id'),
  deleted: encodeEntity('deleted'),
  entityId: encodeEntity('entityId'),
  collection: encodeEntity('collection'),
  entityCbor: encodeEntity('entityCbor'),
  sourceOpId: encodeEntity('sourceOpId'),
  timestampMs: encodeEntity('timestampMs'),
  entityVersion: encodeEntity('entityVersion'),
  schemaVersion: encodeEntity('schemaVersion'),
  updatedByDevice: encodeEntity('updatedByDevice'),
}
const NULL = encodeEntity(null)

/** Undefined for a row with other keys than today's. */
function readInOrder(bytes: Uint8Array): StoredState | undefined {
  const reader = new CborReader(bytes)
  reader.readMapHeader()
  if (!reader.passIf(KEYS.id)) return undefined
  reader.skip(0)
  if (!reader.passIf(KEYS.deleted)) return undefined
  reader.skip(0)
  if (!reader.passIf(KEYS.entityId)) return undefined
  const entityId = reader.readRaw(0)
  if (!reader.passIf(KEYS.collection)) return undefined
  const collection = collectionText.read(reader)
  if (!reader.passIf(KEYS.entityCbor)) return undefined
  const entity = reader.passIf(NULL) ? null : reader.readBytes()
  const opId = reader.passIf(KEYS.sourceOpId) ? reader.readUint() : undefined
  const timestampMs = reader.passIf(KEYS.timestampMs) ? reader.readInt() : undefined
  if (!reader.passIf(KEYS.entityVersion)) return undefined
  const revision = reader.readUint()
  if (!reader.passIf(KEYS.schemaVersion)) return undefined
  const schemaVersion = reader.readUint()
  if (!reader.passIf(KEYS.updatedByDevice)) return undefined
  const deviceId = deviceText.read(reader)
  if (!reader.atEnd) return undefined
  const kind = kindOf(deviceId, collection, schemaVersion)
  return { kind, opId, revision, entityId, entity, timestampMs }
}

function readAny(bytes: Uint8Array): StoredState {
  // Written by the server as an `EntityRow`.
  const row = decodeEntity(bytes) as EntityRow
  return {
    kind: kindOf(row.updatedByDevice, row.collection, row.schemaVersion),
    opId: row.sourceOpId,
    revision: row.entityVersion,
    entityId: encodeEntity(row.entityId),
    entity: row.entityCbor,
    timestampMs: row.timestampMs,
  }
}

const collectionText = new RepeatedText()
const deviceText = new RepeatedText()
let lastKind: StateKind | undefined

/** The one of the row before, where it is the same. Version 1 goes without saying. */
function kindOf(deviceId: string, collection: string, schemaVersion: number): StateKind {
  const isSame =
    lastKind?.deviceId === deviceId &&
    lastKind.collection === collection &&
    (lastKind.schemaVersion ?? 1) === schemaVersion
  if (isSame) return lastKind as StateKind
  lastKind = { deviceId, collection, ...(schemaVersion === 1 ? {} : { schemaVersion }) }
  return lastKind
}
