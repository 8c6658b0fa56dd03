/**
 * A row of `entities`, read from its stored bytes: a snapshot is read from them by the thousand.
 */
import { CborReader, decodeEntity, encodeEntity } from '@entidb/core/cbor'
import type { EntityRow } from './collections.ts'
import { RepeatedText } from './repeated-text.ts'

export type EntityState = Pick<
  EntityRow,
  | 'collection'
  | 'entityId'
  | 'entityVersion'
  | 'entityCbor'
  | 'updatedByDevice'
  | 'schemaVersion'
  | 'sourceOpId'
  | 'timestampMs'
>

/** `entityCbor` is a view of `bytes`. */
export function readEntityState(bytes: Uint8Array): EntityState {
  // Written by the server as an `EntityRow`.
  return readInOrder(bytes) ?? (decodeEntity(bytes) as EntityRow)
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
function readInOrder(bytes: Uint8Array): EntityState | undefined {
  const reader = new CborReader(bytes)
  reader.readMapHeader()
  if (!reader.passIf(KEYS.id)) return undefined
  reader.skip(0)
  if (!reader.passIf(KEYS.deleted)) return undefined
  reader.skip(0)
  if (!reader.passIf(KEYS.entityId)) return undefined
  const entityId = reader.readText()
  if (!reader.passIf(KEYS.collection)) return undefined
  const collection = collectionText.read(reader)
  if (!reader.passIf(KEYS.entityCbor)) return undefined
  const entityCbor = reader.passIf(NULL) ? null : reader.readBytes()
  const sourceOpId = reader.passIf(KEYS.sourceOpId) ? reader.readUint() : undefined
  const timestampMs = reader.passIf(KEYS.timestampMs) ? reader.readInt() : undefined
  if (!reader.passIf(KEYS.entityVersion)) return undefined
  const entityVersion = reader.readUint()
  if (!reader.passIf(KEYS.schemaVersion)) return undefined
  const schemaVersion = reader.readUint()
  if (!reader.passIf(KEYS.updatedByDevice)) return undefined
  const updatedByDevice = deviceText.read(reader)
  if (!reader.atEnd) return undefined
  const state: Writable<EntityState> = {
    collection,
    entityId,
    entityVersion,
    entityCbor,
    updatedByDevice,
    schemaVersion,
  }
  // Not spread: rows are read by the thousand.
  if (sourceOpId !== undefined) state.sourceOpId = sourceOpId
  if (timestampMs !== undefined) state.timestampMs = timestampMs
  return state
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

const collectionText = new RepeatedText()
const deviceText = new RepeatedText()
