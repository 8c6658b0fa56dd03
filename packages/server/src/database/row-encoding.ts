/**
 * The rows that each accepted operation writes, as `encodeEntity` encodes them, by who knows their fields: a push
 * writes thousands of them.
 */
import { CborWriter, encodeEntity } from '@entidb/core/cbor'
import type { AcceptedOpRow, EntityRow, OplogRow } from './collections.ts'

const writer = new CborWriter()

export function encodeEntityRow(row: EntityRow): Uint8Array {
  const { sourceOpId, timestampMs } = row
  let fields = 8
  for (const optional of [sourceOpId, timestampMs]) if (optional !== undefined) fields++
  begin(fields)
  field('id').writeText(row.id)
  field('deleted').writeBoolean(row.deleted)
  field('entityId').writeText(row.entityId)
  field('collection').writeText(row.collection)
  if (row.entityCbor === null) field('entityCbor').writeNull()
  else field('entityCbor').writeBytes(row.entityCbor)
  if (sourceOpId !== undefined) field('sourceOpId').writeUint(sourceOpId)
  if (timestampMs !== undefined) field('timestampMs').writeInt(timestampMs)
  field('entityVersion').writeUint(row.entityVersion)
  field('schemaVersion').writeUint(row.schemaVersion)
  field('updatedByDevice').writeText(row.updatedByDevice)
  return writer.take()
}

export function encodeOplogRow(row: OplogRow): Uint8Array {
  const { tx, replaces, sourceOpId } = row
  let fields = 8
  for (const optional of [tx, replaces, sourceOpId]) if (optional !== undefined) fields++
  begin(fields)
  field('id').writeText(row.id)
  if (tx !== undefined) field('tx').writeUint(tx)
  field('dbId').writeText(row.dbId)
  field('opType').writeText(row.opType)
  field('entityId').writeText(row.entityId)
  if (replaces !== undefined) field('replaces').writeUint(replaces)
  field('collection').writeText(row.collection)
  if (sourceOpId !== undefined) field('sourceOpId').writeUint(sourceOpId)
  field('serverCursor').writeUint(row.serverCursor)
  field('operationCbor').writeBytes(row.operationCbor)
  field('sourceDeviceId').writeText(row.sourceDeviceId)
  return writer.take()
}

export function encodeAcceptedOpRow(row: AcceptedOpRow): Uint8Array {
  begin(4)
  field('id').writeText(row.id)
  field('noop').writeBoolean(row.noop)
  field('revision').writeUint(row.revision)
  field('contentHash').writeBytes(row.contentHash)
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
  timestampMs: encodeEntity('timestampMs'),
  operationCbor: encodeEntity('operationCbor'),
  schemaVersion: encodeEntity('schemaVersion'),
  sourceDeviceId: encodeEntity('sourceDeviceId'),
  updatedByDevice: encodeEntity('updatedByDevice'),
}

function begin(fields: number): void {
  writer.reset()
  writer.writeMapHeader(fields)
}

/** The value comes next. */
function field(name: keyof typeof KEYS): CborWriter {
  const key = KEYS[name]
  writer.writeRawRange(key, 0, key.length)
  return writer
}
