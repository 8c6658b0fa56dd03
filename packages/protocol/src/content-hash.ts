/**
 * What gets hashed. Hashing itself is the caller's: this package runs everywhere, and the fast
 * SHA-256 of one place is not that of another.
 */
import { CborWriter } from '@entidb/core/cbor'
import type { SyncOperation } from './messages.ts'

/** What of an operation its content hash covers. */
export type HashedContent = Pick<
  SyncOperation,
  'collection' | 'entityId' | 'opType' | 'entityVersion' | 'entityCbor'
>

const writer = new CborWriter()

/**
 * `[collection, entityId, opType, entityVersion, entityCbor]` as deterministic CBOR. Its SHA-256 is the
 * content hash: two sendings of one opId are the same operation exactly when theirs are equal.
 */
export function encodeContentForHash(operation: HashedContent): Uint8Array {
  writer.reset()
  writer.writeArrayHeader(5)
  writer.writeText(operation.collection)
  writer.writeText(operation.entityId)
  writer.writeText(operation.opType)
  writer.writeUint(operation.entityVersion)
  if (operation.entityCbor === null) writer.writeNull()
  else writer.writeBytes(operation.entityCbor)
  return writer.take()
}

/**
 * `[collection, entityId, entityVersion, entityCbor]` as deterministic CBOR. Its SHA-256 is what one live
 * entity adds to a digest.
 */
export function encodeDigestInput(
  collection: string,
  entityId: string,
  entityVersion: number,
  entityCbor: Uint8Array,
): Uint8Array {
  writer.reset()
  writer.writeArrayHeader(4)
  writer.writeText(collection)
  writer.writeText(entityId)
  writer.writeUint(entityVersion)
  writer.writeBytes(entityCbor)
  return writer.take()
}
