/**
 * What a pull needs of an oplog row, read from its stored bytes: rows are read by the thousand, and the
 * operations in them are passed on as they are.
 */
import { CborReader, decodeEntity, encodeEntity } from '@entidb/core/cbor'
import type { OplogRow } from './collections.ts'
import { RepeatedText } from './repeated-text.ts'

export type PulledRow = Pick<
  OplogRow,
  | 'collection'
  | 'entityId'
  | 'serverCursor'
  | 'sourceDeviceId'
  | 'tx'
  | 'replaces'
  | 'operationCbor'
>

/** `operationCbor` is a view of `bytes`. */
export function readPulledRow(bytes: Uint8Array): PulledRow {
  // Written by the server as an `OplogRow`.
  return readInOrder(bytes) ?? (decodeEntity(bytes) as OplogRow)
}

const KEYS = {
  id: encodeEntity('id'),
  tx: encodeEntity('tx'),
  dbId: encodeEntity('dbId'),
  opType: encodeEntity('opType'),
  entityId: encodeEntity('entityId'),
  replaces: encodeEntity('replaces'),
  collection: encodeEntity('collection'),
  sourceOpId: encodeEntity('sourceOpId'),
  serverCursor: encodeEntity('serverCursor'),
  operationCbor: encodeEntity('operationCbor'),
  sourceDeviceId: encodeEntity('sourceDeviceId'),
}

/** Undefined for a row with other keys than today's. */
function readInOrder(bytes: Uint8Array): PulledRow | undefined {
  const reader = new CborReader(bytes)
  reader.readMapHeader()
  if (!passField(reader, KEYS.id)) return undefined
  const tx = reader.passIf(KEYS.tx) ? reader.readUint() : undefined
  if (!passField(reader, KEYS.dbId) || !passField(reader, KEYS.opType)) return undefined
  if (!reader.passIf(KEYS.entityId)) return undefined
  const entityId = reader.readText()
  const replaces = reader.passIf(KEYS.replaces) ? reader.readUint() : undefined
  if (!reader.passIf(KEYS.collection)) return undefined
  const collection = collectionText.read(reader)
  passField(reader, KEYS.sourceOpId)
  if (!reader.passIf(KEYS.serverCursor)) return undefined
  const serverCursor = reader.readUint()
  if (!reader.passIf(KEYS.operationCbor)) return undefined
  const operationCbor = reader.readBytes()
  if (!reader.passIf(KEYS.sourceDeviceId)) return undefined
  const sourceDeviceId = deviceText.read(reader)
  if (!reader.atEnd) return undefined
  const row: Writable<PulledRow> = {
    collection,
    entityId,
    serverCursor,
    sourceDeviceId,
    operationCbor,
  }
  // Not spread: pulls read rows by the thousand.
  if (tx !== undefined) row.tx = tx
  if (replaces !== undefined) row.replaces = replaces
  return row
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

function passField(reader: CborReader, key: Uint8Array): boolean {
  if (!reader.passIf(key)) return false
  reader.skip(0)
  return true
}

const collectionText = new RepeatedText()
const deviceText = new RepeatedText()
