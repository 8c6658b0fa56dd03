/**
 * The rows that each accepted operation writes, as `encodeEntity` encodes them, by who knows their fields: a push
 * writes thousands of them.
 */
import { CborWriter, encodeEntity } from '@entidb/core/cbor'
import type { AcceptedOpRow, EntityRow, OplogRow } from './collections.ts'

const writer = new CborWriter()

export function encodeEntityRow(row: EntityRow): Uint8Array {
  begin(8)
  text(KEYS.id, row.id)
  boolean(KEYS.deleted, row.deleted)
  text(KEYS.entityId, row.entityId)
  text(KEYS.collection, row.collection)
  if (row.entityCbor === null) nothing(KEYS.entityCbor)
  else bytes(KEYS.entityCbor, row.entityCbor)
  uint(KEYS.entityVersion, row.entityVersion)
  uint(KEYS.schemaVersion, row.schemaVersion)
  text(KEYS.updatedByDevice, row.updatedByDevice)
  return writer.take()
}

export function encodeOplogRow(row: OplogRow): Uint8Array {
  const { tx, replaces, sourceOpId } = row
  let fields = 8
  for (const optional of [tx, replaces, sourceOpId]) if (optional !== undefined) fields++
  begin(fields)
  text(KEYS.id, row.id)
  if (tx !== undefined) uint(KEYS.tx, tx)
  text(KEYS.dbId, row.dbId)
  text(KEYS.opType, row.opType)
  text(KEYS.entityId, row.entityId)
  if (replaces !== undefined) uint(KEYS.replaces, replaces)
  text(KEYS.collection, row.collection)
  if (sourceOpId !== undefined) uint(KEYS.sourceOpId, sourceOpId)
  uint(KEYS.serverCursor, row.serverCursor)
  bytes(KEYS.operationCbor, row.operationCbor)
  text(KEYS.sourceDeviceId, row.sourceDeviceId)
  return writer.take()
}

export function encodeAcceptedOpRow(row: AcceptedOpRow): Uint8Array {
  begin(4)
  text(KEYS.id, row.id)
  boolean(KEYS.noop, row.noop)
  uint(KEYS.revision, row.revision)
  bytes(KEYS.contentHash, row.contentHash)
  return writer.take()
}

const KEYS = {
  id: encodeEntity('id'),
  tx: encodeEntity('tx'),
  dbId: encodeEntity('dbId'),
  noop: encodeEntity('noop'),
  opType: encodeEntity('opType'),
  deleted: encodeEntity('deleted'),
  entityId: encodeEntity('entityId'),
  replaces: encodeEntity('replaces'),
  revision: encodeEntity('revision'),
  collection: encodeEntity('collection'),
  entityCbor: encodeEntity('entityCbor'),
  sourceOpId: encodeEntity('sourceOpId'),
  contentHash: encodeEntity('contentHash'),
  serverCursor: encodeEntity('serverCursor'),
  entityVersion: encodeEntity('entityVersion'),
  operationCbor: encodeEntity('operationCbor'),
  schemaVersion: encodeEntity('schemaVersion'),
  sourceDeviceId: encodeEntity('sourceDeviceId'),
  updatedByDevice: encodeEntity('updatedByDevice'),
}

function begin(fields: number): void {
  writer.reset()
  writer.writeMapHeader(fields)
}

function text(key: Uint8Array, value: string): void {
  writer.writeRawRange(key, 0, key.length)
  writer.writeText(value)
}

function uint(key: Uint8Array, value: number): void {
  writer.writeRawRange(key, 0, key.length)
  writer.writeUint(value)
}

function bytes(key: Uint8Array, value: Uint8Array): void {
  writer.writeRawRange(key, 0, key.length)
  writer.writeBytes(value)
}

function boolean(key: Uint8Array, value: boolean): void {
  writer.writeRawRange(key, 0, key.length)
  writer.writeBoolean(value)
}

function nothing(key: Uint8Array): void {
  writer.writeRawRange(key, 0, key.length)
  writer.writeNull()
}
