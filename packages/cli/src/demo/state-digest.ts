/**
 * SHA-256 over (collection, id, revision, bytes) of every live entity, ordered by collection and id. Two
 * databases with the same digest hold the same entities, byte for byte, at the same revisions.
 */
import { createHash, type Hash } from 'node:crypto'
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

/** Takes states in their order, one at a time, so that a database need not fit into memory. */
export class StateHasher {
  readonly #hash: Hash = createHash('sha256')
  #entities = 0
  #last: Buffer = Buffer.alloc(0)

  /** `state` comes after the one before it; a programming error otherwise. */
  add(state: EntityState): void {
    const place = placeOf(state)
    if (Buffer.compare(this.#last, place) >= 0) throw new Error('states out of order')
    this.#last = place
    const { collection, entityId, revision, bytes } = state
    // A CBOR array of the four: no two different states share an encoding.
    this.#hash.update(encodeDigestInput(collection, entityId, revision, bytes))
    this.#entities++
  }

  /** Of everything added; nothing may be added afterwards. */
  end(): StateDigest {
    return { sha256: this.#hash.digest('hex'), entities: this.#entities }
  }
}

/** `states` may come in any order; each entity once. */
export function digestOfStates(states: readonly EntityState[]): StateDigest {
  const placed = states.map((state) => ({ state, place: placeOf(state) }))
  placed.sort((a, b) => Buffer.compare(a.place, b.place))
  const hasher = new StateHasher()
  for (const { state } of placed) hasher.add(state)
  return hasher.end()
}

/** Sorts by the bytes of the collection's name, then of the id. No name holds the separator. */
function placeOf({ collection, entityId }: EntityState): Buffer {
  return Buffer.from(`${collection}\0${entityId}`)
}
