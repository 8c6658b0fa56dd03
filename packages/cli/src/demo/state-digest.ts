/**
 * SHA-256 over (collection, id, revision, bytes) of every live entity, ordered by collection and id. Two
 * databases with the same digest hold the same entities, byte for byte, at the same revisions.
 */
import { createHash } from 'node:crypto'
import { encodeDigestInput } from '@entidb/protocol'

export interface EntityState {
  readonly collection: string
  readonly entityId: string
  readonly revision: number
  /** Deterministic CBOR. */
  readonly bytes: Uint8Array
}

export interface StateDigest {
  /** Hexadecimal. */
  readonly sha256: string
  readonly entities: number
}

/** `states` may come in any order; each entity once. */
export function digestOfStates(states: readonly EntityState[]): StateDigest {
  const hash = createHash('sha256')
  for (const { collection, entityId, revision, bytes } of [...states].sort(byName)) {
    // A CBOR array of the four: no two different states share an encoding.
    hash.update(encodeDigestInput(collection, entityId, revision, bytes))
  }
  return { sha256: hash.digest('hex'), entities: states.length }
}

function byName(a: EntityState, b: EntityState): number {
  return compare(a.collection, b.collection) || compare(a.entityId, b.entityId)
}

/** By UTF-16 code units: any one order will do, as long as everyone uses it. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
