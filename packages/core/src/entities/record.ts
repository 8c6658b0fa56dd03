/**
 * The stored form of an entity: a header, then its CBOR exactly as it was encoded or received.
 *
 * | field         | varint                                                                         |
 * | ------------- | ------------------------------------------------------------------------------ |
 * | flags         | bit 0: pending (local edits that nobody has settled); bit 1: unseen; 2: offered |
 * | revision      | the replicated revision; of the base while pending; 0: never replicated         |
 * | schemaVersion |                                                                                |
 * | stamp         | opId of the write that made this state                                         |
 * | touched       | only when pending: how far the last opId of a local edit lies beyond the stamp |
 */
import { allocateBytes } from '../store/byte-slab.ts'
import { varintBytes, writeVarint } from '../store/varint.ts'
import { FieldReaderCursor } from './field-reader-cursor.ts'

const PENDING = 1
const UNSEEN = 2
const OFFERED = 4
const FLAGS_BYTES = 1

export interface RecordHeader {
  readonly pending: boolean
  readonly revision: number
  readonly schemaVersion: number
  readonly stamp: number
  /** The last opId of a local edit while pending, else 0. */
  readonly opId: number
  /** While pending: the edits were made on a state that had been replaced, without a look at the base that they lie over. */
  readonly unseen?: boolean | undefined
  /** While pending: nobody edited what replication brought; it is offered again to a server that lost it. */
  readonly offered?: boolean | undefined
}

export interface StoredRecord extends RecordHeader {
  /** The whole record; the entity is `[entityStart, length)`. */
  readonly record: Uint8Array
  readonly entityStart: number
}

/** Room for most headers: those with a longer one take a copy of the entity. */
export const HEADER_BYTES_MAX = 20

export function encodeRecord(header: RecordHeader, entity: Uint8Array): Uint8Array {
  const size = headerBytes(header)
  const record = allocateBytes(size + entity.length)
  writeHeader(record, 0, header)
  record.set(entity, size)
  return record
}

/** Writes the header so that it ends at `end`. Answers its start; undefined when it needs more than `room`. */
export function writeHeaderBefore(
  target: Uint8Array,
  end: number,
  room: number,
  header: RecordHeader,
): number | undefined {
  const size = headerBytes(header)
  if (size > room) return undefined
  writeHeader(target, end - size, header)
  return end - size
}

function headerBytes({ pending, revision, schemaVersion, stamp, opId }: RecordHeader): number {
  const size = 1 + varintBytes(revision) + varintBytes(schemaVersion) + varintBytes(stamp)
  return pending ? size + varintBytes(opId - stamp) : size
}

function writeHeader(target: Uint8Array, start: number, header: RecordHeader): void {
  const { pending, revision, schemaVersion, stamp, opId, unseen, offered } = header
  target[start] = (pending ? PENDING : 0) | (unseen ? UNSEEN : 0) | (offered ? OFFERED : 0)
  let at = writeVarint(target, start + 1, revision)
  at = writeVarint(target, at, schemaVersion)
  at = writeVarint(target, at, stamp)
  if (pending) writeVarint(target, at, opId - stamp)
}

export function decodeRecord(record: Uint8Array): StoredRecord {
  const cursor = new FieldReaderCursor(record)
  const flags = cursor.varint()
  const pending = (flags & PENDING) !== 0
  const unseen = (flags & UNSEEN) !== 0
  const offered = (flags & OFFERED) !== 0
  const revision = cursor.varint()
  const schemaVersion = cursor.varint()
  const stamp = cursor.varint()
  const opId = pending ? stamp + cursor.varint() : 0
  const entityStart = cursor.offset
  return { pending, revision, schemaVersion, stamp, opId, unseen, offered, record, entityStart }
}

/** The revision that who reads the entity has seen: none where the edits were made without a look at it. */
export function seenRevisionOf(record: Uint8Array): number {
  return (record[0] ?? 0) & UNSEEN ? 0 : varintAt(record, FLAGS_BYTES)
}

export function stampOf(record: Uint8Array): number {
  return varintAt(record, varintEnd(record, varintEnd(record, FLAGS_BYTES)))
}

function varintEnd(record: Uint8Array, start: number): number {
  let at = start
  while ((record[at++] ?? 0) >= 0x80);
  return at
}

/** Of a sound record: there is no end to meet. */
function varintAt(record: Uint8Array, start: number): number {
  let value = 0
  for (let at = start, scale = 1; ; scale *= 0x80) {
    const byte = record[at++] ?? 0
    value += (byte & 0x7f) * scale
    if (byte < 0x80) return value
  }
}

/** The CBOR of the entity; a view, which nobody may change. */
export function entityBytes({ record, entityStart }: StoredRecord): Uint8Array {
  return record.subarray(entityStart)
}
