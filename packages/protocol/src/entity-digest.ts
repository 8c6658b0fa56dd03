/** What one live entity adds to the digest of its collection. */
import { encodeDigestInput } from './content-hash.ts'
import { sha256 } from './sha256.ts'

/** SHA-256 of `[collection, entityId, entityVersion, entityCbor]`, 32 bytes: `docs/protocol.md`, section 14. */
export function entityDigest(
  collection: string,
  entityId: string,
  entityVersion: number,
  entityCbor: Uint8Array,
): Uint8Array {
  return sha256(encodeDigestInput(collection, entityId, entityVersion, entityCbor))
}
