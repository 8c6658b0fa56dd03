/** The operation, as it travels in pushes, pulls and conflicts. */
import type { CborWriter } from '@entidb/core/cbor'
import { type Codec, checked, decodeMessage, encodeMessage } from './codec.ts'
import { isOpIdOf } from './identifiers.ts'
import type { MessageErrorCode, Problem } from './invalid-message.ts'
import {
  authorText,
  bytesOrNull,
  collectionText,
  dbIdText,
  entityIdText,
  int,
  oneOf,
  uint,
} from './item-codecs.ts'
import type { MessageReader } from './message-reader.ts'
import type { SyncOperation } from './messages.ts'
import { encodedText, type Fields, optional, record, required } from './record-codec.ts'

/** Largest `tx`. */
export const TX_MAX: number = 2 ** 32 - 1

const fields: Fields<SyncOperation> = {
  opId: required(uint()),
  dbId: required(dbIdText),
  deviceId: required(authorText),
  collection: required(collectionText),
  entityId: required(entityIdText),
  opType: required(oneOf(['PUT', 'DELETE'])),
  entityVersion: required(uint()),
  entityCbor: required(bytesOrNull),
  timestampMs: optional(int),
  tx: optional(uint(0, TX_MAX)),
  schemaVersion: optional(uint()),
}

const anyOrder = record<SyncOperation>(fields)

export const syncOperation: Codec<SyncOperation> = checked(
  { write: writeOperation, read: readOperation },
  problemOf,
)

/** One operation, as it stands in messages and in the oplog. */
export function encodeSyncOperation(operation: SyncOperation): Uint8Array {
  return encodeMessage(syncOperation, operation)
}

/**
 * One operation on its own, `entityCbor` as a view of `bytes`. Holds what every operation holds; what
 * a push or a page adds is checked by their decoders. Malformed: `code`.
 */
export function decodeSyncOperation(
  bytes: Uint8Array,
  code: MessageErrorCode = 'invalid_request',
): SyncOperation {
  return decodeMessage(syncOperation, bytes, code)
}

/** As `record` writes it, without asking each operation which fields it has. */
function writeOperation(writer: CborWriter, operation: SyncOperation): void {
  const { tx, timestampMs, schemaVersion } = operation
  writer.writeMapHeader(REQUIRED_FIELDS + countDefined(tx, timestampMs, schemaVersion))
  if (tx !== undefined) writeField(writer, KEYS.tx, fields.tx.codec, tx)
  writeField(writer, KEYS.dbId, fields.dbId.codec, operation.dbId)
  writeField(writer, KEYS.opId, fields.opId.codec, operation.opId)
  writeField(writer, KEYS.opType, fields.opType.codec, operation.opType)
  writeField(writer, KEYS.deviceId, fields.deviceId.codec, operation.deviceId)
  writeField(writer, KEYS.entityId, fields.entityId.codec, operation.entityId)
  writeField(writer, KEYS.collection, fields.collection.codec, operation.collection)
  writeField(writer, KEYS.entityCbor, fields.entityCbor.codec, operation.entityCbor)
  if (timestampMs !== undefined) {
    writeField(writer, KEYS.timestampMs, fields.timestampMs.codec, timestampMs)
  }
  writeField(writer, KEYS.entityVersion, fields.entityVersion.codec, operation.entityVersion)
  if (schemaVersion !== undefined) {
    writeField(writer, KEYS.schemaVersion, fields.schemaVersion.codec, schemaVersion)
  }
}

function writeField<T>(writer: CborWriter, key: Uint8Array, codec: Codec<T>, value: T): void {
  writer.writeRawRange(key, 0, key.length)
  codec.write(writer, value)
}

function countDefined(...values: readonly unknown[]): number {
  let count = 0
  for (const value of values) if (value !== undefined) count++
  return count
}

/** A page holds thousands of operations, nearly all as we write them ourselves: that order is read faster. */
function readOperation(reader: MessageReader): SyncOperation {
  const start = reader.position
  try {
    const operation = readInOrder(reader)
    if (operation !== undefined) return operation
  } catch {
    // Read again below, which says where the fault lies.
  }
  reader.rewind(start)
  return anyOrder.read(reader)
}

const KEYS = {
  opId: encodedText('opId'),
  dbId: encodedText('dbId'),
  deviceId: encodedText('deviceId'),
  collection: encodedText('collection'),
  entityId: encodedText('entityId'),
  opType: encodedText('opType'),
  entityVersion: encodedText('entityVersion'),
  entityCbor: encodedText('entityCbor'),
  timestampMs: encodedText('timestampMs'),
  tx: encodedText('tx'),
  schemaVersion: encodedText('schemaVersion'),
}

const REQUIRED_FIELDS = 8

/** Undefined for a map of other keys, or in another order. */
function readInOrder(reader: MessageReader): SyncOperation | undefined {
  const size = reader.readMapHeader()
  const tx = readIf(reader, KEYS.tx, fields.tx.codec)
  const dbId = readIf(reader, KEYS.dbId, fields.dbId.codec)
  const opId = readIf(reader, KEYS.opId, fields.opId.codec)
  const opType = readIf(reader, KEYS.opType, fields.opType.codec)
  const deviceId = readIf(reader, KEYS.deviceId, fields.deviceId.codec)
  const entityId = readIf(reader, KEYS.entityId, fields.entityId.codec)
  const collection = readIf(reader, KEYS.collection, fields.collection.codec)
  const entityCbor = readIf(reader, KEYS.entityCbor, fields.entityCbor.codec)
  const timestampMs = readIf(reader, KEYS.timestampMs, fields.timestampMs.codec)
  const entityVersion = readIf(reader, KEYS.entityVersion, fields.entityVersion.codec)
  const schemaVersion = readIf(reader, KEYS.schemaVersion, fields.schemaVersion.codec)
  if (
    dbId === undefined ||
    opId === undefined ||
    opType === undefined ||
    deviceId === undefined ||
    entityId === undefined ||
    collection === undefined ||
    entityCbor === undefined ||
    entityVersion === undefined
  ) {
    return undefined
  }
  // Properties in the order of the keys, as the other way of reading gives them.
  const operation: { -readonly [K in keyof SyncOperation]?: SyncOperation[K] } =
    tx === undefined
      ? { dbId, opId, opType, deviceId, entityId, collection, entityCbor }
      : { tx, dbId, opId, opType, deviceId, entityId, collection, entityCbor }
  if (timestampMs !== undefined) operation.timestampMs = timestampMs
  operation.entityVersion = entityVersion
  if (schemaVersion !== undefined) operation.schemaVersion = schemaVersion
  const optionals = countDefined(tx, timestampMs, schemaVersion)
  // Every required field was set.
  return size === REQUIRED_FIELDS + optionals ? (operation as SyncOperation) : undefined
}

function readIf<T>(reader: MessageReader, key: Uint8Array, codec: Codec<T>): T | undefined {
  return reader.passIf(key) ? codec.read(reader) : undefined
}

function problemOf(operation: SyncOperation): Problem | undefined {
  if (operation.opType === 'PUT' && operation.entityCbor === null) {
    return { path: ['entityCbor'], reason: 'put_without_entity' }
  }
  if (operation.opType === 'DELETE' && operation.entityCbor !== null) {
    return { path: ['entityCbor'], reason: 'delete_with_entity' }
  }
  if (!isOpIdOf(operation.deviceId, operation.opId)) {
    return { path: ['opId'], reason: 'out_of_range' }
  }
  return undefined
}
