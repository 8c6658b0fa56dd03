/** What one live entity adds to the digest of its collection. */
import { hash } from 'node:crypto'
import { encodeDigestInput } from '@entidb/protocol'

export function digestOf(
  collection: string,
  entityId: string,
  entityVersion: number,
  entityCbor: Uint8Array,
): Uint8Array {
  return sha256(encodeDigestInput(collection, entityId, entityVersion, entityCbor))
}

/** 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer')
}
