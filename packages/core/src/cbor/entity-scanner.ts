/**
 * Finds fields of an encoded entity without building it, and checks all of it on the way as
 * `assertDeterministicEntity` does: for entities that are stored as they came.
 */
import { encodeEntity } from './entity-encoder.ts'
import { DEPTH_MAX } from './entity-limits.ts'
import { EntityValidator } from './entity-validator.ts'
import { invalidCbor } from './invalid-cbor.ts'
import { plainItemEnd } from './plain-item.ts'

interface SeenKey {
  readonly encoded: Uint8Array
  /** Which of the wanted keys it is, or -1. */
  readonly slot: number
}

/** Entities of one collection mostly have the same keys: so many of these are remembered. */
const SEEN_KEYS_MAX = 64

export class EntityScanner extends EntityValidator {
  /** Where the value of each wanted key lies in the last entity that was scanned; -1: there is none. */
  readonly starts: number[]
  readonly ends: number[]
  private readonly wanted: readonly Uint8Array[]
  /** The first keys of an entity that was sound: each was found to be text, and to come after the one before. */
  private readonly seen: SeenKey[] = []

  constructor(wanted: readonly string[]) {
    super()
    this.wanted = wanted.map((name) => encodeEntity(name))
    this.starts = wanted.map(() => -1)
    this.ends = wanted.map(() => -1)
  }

  /** Error: `invalid_cbor`, as of `assertDeterministicEntity`. */
  scan(bytes: Uint8Array): void {
    for (let slot = 0; slot < this.starts.length; slot++) this.starts[slot] = -1
    // The entity itself is a level that is not entered here.
    this.begin(bytes, { depthMax: DEPTH_MAX - 1 })
    try {
      const initial = this.peek()
      if (initial >>> 5 !== 5) throw invalidCbor(0, 'not_a_map')
      this.scanPairs(this.readLength(initial, 2))
      if (this.offset !== this.end) throw this.invalid('trailing_bytes')
    } finally {
      this.close()
    }
  }

  private scanPairs(count: number): void {
    const { bytes, end, seen } = this
    let keyStart = -1
    for (let i = 0; i < count; i++) {
      const previousStart = keyStart
      keyStart = this.offset
      const expected = seen[i]
      const start = expected === undefined ? -1 : endIfSame(bytes, keyStart, end, expected.encoded)
      let slot: number
      if (expected !== undefined && start >= 0) {
        slot = expected.slot
        this.offset = start
      } else {
        this.passKey(previousStart)
        slot = this.remember(i, keyStart)
      }
      const valueStart = this.offset
      const valueEnd = plainItemEnd(bytes, valueStart, end)
      if (valueEnd >= 0) this.offset = valueEnd
      else this.passWhole()
      if (slot < 0) continue
      this.starts[slot] = valueStart
      this.ends[slot] = this.offset
    }
  }

  /** Answers the slot of the key that ends here. What was seen behind another key counts no more. */
  private remember(index: number, keyStart: number): number {
    const encoded = this.bytes.slice(keyStart, this.offset)
    const slot = this.wanted.findIndex((key) => isSame(key, encoded))
    if (index < SEEN_KEYS_MAX) {
      this.seen.length = index
      this.seen.push({ encoded, slot })
    }
    return slot
  }
}

/** Where `expected` ends that lies at `start`; negative: something else does. */
function endIfSame(bytes: Uint8Array, start: number, end: number, expected: Uint8Array): number {
  const { length } = expected
  if (start + length > end) return -1
  for (let i = 0; i < length; i++) if (bytes[start + i] !== expected[i]) return -1
  return start + length
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
