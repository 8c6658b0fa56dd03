/** Ids and the keys they become: their UTF-8 bytes. */
import { hasLoneSurrogate, readUtf8, utf8BytesMax, writeAscii } from '../cbor/utf8.ts'
import { allocateBytes } from '../store/byte-slab.ts'
import { invalidId } from './entity-errors.ts'

const encoder = new TextEncoder()

export function idKeyOf(id: string): Uint8Array {
  const key = allocateBytes(id.length)
  return writeAscii(key, 0, id) ? key : encoder.encode(id)
}

export function idOfKey(key: Uint8Array): string {
  // Written from an id that `assertId` let through.
  return readUtf8(key, 0, key.length) ?? ''
}

/** What any device may name an entity that it syncs. */
const SYNCED_ID_BYTES_MAX = 512

/**
 * Of an entity that is there, or comes from elsewhere: `maxIdBytes` binds what this application writes. Error:
 * `invalid_id`.
 */
export function assertSyncedId(id: unknown, maxIdBytes: number): asserts id is string {
  assertId(id, Math.max(maxIdBytes, SYNCED_ID_BYTES_MAX))
}

/** Error: `invalid_id`. */
export function assertId(id: unknown, maxIdBytes: number): asserts id is string {
  if (typeof id !== 'string') throw invalidId(`An entity's id must be a string, not ${typeof id}`)
  if (id === '') throw invalidId("An entity's id must not be empty")
  if (utf8BytesMax(id) > maxIdBytes && encoder.encode(id).length > maxIdBytes) {
    throw invalidId(`An entity's id has at most ${maxIdBytes} bytes in UTF-8`)
  }
  if (hasLoneSurrogate(id)) throw invalidId('The id has a lone surrogate and so no UTF-8 form')
}
