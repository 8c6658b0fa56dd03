/**
 * One operation of the change feed as stored: the key is the opId in 8 bytes, big-endian.
 *
 * | field           | bytes                                                                     |
 * | --------------- | ------------------------------------------------------------------------- |
 * | flags           | varint: 1 PUT, 2 last of its transaction, 4 stale base, 8 origin is local  |
 * | opId of the first operation of the transaction, entityVersion, schemaVersion | varints     |
 * | timestampMs     | float64, big-endian                                                       |
 * | collection, entityId, origin (unless local) | each a varint length and UTF-8              |
 * | payload         | the rest, for a PUT                                                       |
 */

import { readUtf8 } from '../cbor/utf8.ts'
import { allocateBytes } from '../store/byte-slab.ts'
import { varintBytes, writeVarint } from '../store/varint.ts'
import { FieldReaderCursor } from './field-reader-cursor.ts'

export const FEED_TABLE = 'feed'

export interface FeedEntry {
  readonly opId: number
  readonly collection: string
  readonly entityId: string
  /** Null for a delete. */
  readonly payload: Uint8Array | null
  readonly entityVersion: number
  readonly schemaVersion: number
  readonly timestampMs: number
  readonly origin: string
  readonly transactionId: number
  readonly transactionLast: boolean
  readonly staleBase: boolean
}

/** An operation before it is known whether it is its transaction's last. */
export type UnplacedEntry = Omit<FeedEntry, 'transactionLast'>

const PUT = 1
const LAST = 2
const STALE = 4
const LOCAL = 8
const FLOAT_BYTES = 8

const encoder = new TextEncoder()
const texts = new Map<string, Uint8Array>()
const TEXTS_MAX = 256

/** Collection names and origins are few. */
function knownText(text: string): Uint8Array {
  let bytes = texts.get(text)
  if (bytes === undefined) {
    if (texts.size >= TEXTS_MAX) texts.clear()
    bytes = encoder.encode(text)
    texts.set(text, bytes)
  }
  return bytes
}

export function feedKey(opId: number): Uint8Array {
  const key = allocateBytes(8)
  const high = Math.floor(opId / 2 ** 32)
  for (let i = 0; i < 4; i++) {
    key[i] = high >>> (24 - 8 * i)
    key[4 + i] = opId >>> (24 - 8 * i)
  }
  return key
}

export function opIdOfKey(key: Uint8Array): number {
  let opId = 0
  // Of eight bytes; a view for each row would take longer than this.
  for (let i = 0; i < 8; i++) opId = opId * 256 + (key[i] as number)
  return opId
}

export function encodeFeedRow(entry: UnplacedEntry, transactionLast: boolean): Uint8Array {
  const local = entry.origin === 'local'
  const head = [
    (entry.payload === null ? 0 : PUT) |
      (transactionLast ? LAST : 0) |
      (entry.staleBase ? STALE : 0) |
      (local ? LOCAL : 0),
    entry.transactionId,
    entry.entityVersion,
    entry.schemaVersion,
  ]
  const parts = [knownText(entry.collection), encoder.encode(entry.entityId)]
  if (!local) parts.push(knownText(entry.origin))
  let size = FLOAT_BYTES + (entry.payload?.length ?? 0)
  for (const field of head) size += varintBytes(field)
  for (const part of parts) size += varintBytes(part.length) + part.length
  const row = allocateBytes(size)
  let at = 0
  for (const field of head) at = writeVarint(row, at, field)
  new DataView(row.buffer, row.byteOffset).setFloat64(at, entry.timestampMs)
  at += FLOAT_BYTES
  for (const part of parts) {
    at = writeVarint(row, at, part.length)
    row.set(part, at)
    at += part.length
  }
  if (entry.payload !== null) row.set(entry.payload, at)
  return row
}

export function decodeFeedRow(opId: number, row: Uint8Array): FeedEntry {
  const cursor = new FieldReaderCursor(row)
  const flags = cursor.varint()
  const transactionId = cursor.varint()
  const entityVersion = cursor.varint()
  const schemaVersion = cursor.varint()
  const time = cursor.take(FLOAT_BYTES)
  return {
    opId,
    transactionId,
    entityVersion,
    schemaVersion,
    timestampMs: new DataView(time.buffer, time.byteOffset, FLOAT_BYTES).getFloat64(0),
    collection: takeText(cursor),
    entityId: takeText(cursor),
    origin: (flags & LOCAL) !== 0 ? 'local' : takeText(cursor),
    payload: (flags & PUT) !== 0 ? cursor.rest() : null,
    transactionLast: (flags & LAST) !== 0,
    staleBase: (flags & STALE) !== 0,
  }
}

function takeText(cursor: FieldReaderCursor): string {
  const length = cursor.varint()
  const start = cursor.offset
  cursor.take(length)
  // Written by `encodeFeedRow`, from text that has a UTF-8 form.
  return readUtf8(cursor.bytes, start, cursor.offset) ?? ''
}
