/** What one live entity adds to the digest of its collection. */
import { hash } from 'node:crypto'
import { DIGEST_BYTES, encodeDigestInput } from '@entidb/protocol'

export function digestOf(
  collection: string,
  entityId: string,
  entityVersion: number,
  entityCbor: Uint8Array,
): Uint8Array {
  return sha256(encodeDigestInput(collection, entityId, entityVersion, entityCbor))
}

const BUFFER_BYTES = 256 * DIGEST_BYTES

let buffer = new ArrayBuffer(BUFFER_BYTES)
let used = 0

/** 32 bytes. Many lie in one buffer: one for each, as the host makes them, takes longer than the hashing. */
export function sha256(bytes: Uint8Array): Uint8Array {
  const text = hash('sha256', bytes, 'binary')
  if (used === BUFFER_BYTES) {
    buffer = new ArrayBuffer(BUFFER_BYTES)
    used = 0
  }
  const digest = new Uint8Array(buffer, used, DIGEST_BYTES)
  used += DIGEST_BYTES
  for (let i = 0; i < DIGEST_BYTES; i++) digest[i] = text.charCodeAt(i)
  return digest
}
