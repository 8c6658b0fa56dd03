/**
 * Map keys repeat from entity to entity. A known key is recognised by its bytes, without decoding it, and
 * knows which key followed it last time: mostly the same one follows again.
 */

const SLOTS = 2048
/** Slots from its own on in which a key may be. */
const PROBES = 4
const KEY_BYTES_MAX = 48
const NO_BYTES = new Uint8Array(0)

export class KnownKey {
  readonly text: string
  /** Its encoding, head included; empty for one that is not in the table. */
  readonly bytes: Uint8Array
  /** Assigning it would meet something inherited (`__proto__`): it has to be defined. */
  readonly inherited: boolean
  /** Still in the table. Only such keys are linked, so that no chain of dropped ones stays alive. */
  isLive: boolean
  /** What came next in the same map, and so comes bytewise after this key. */
  next: KnownKey | undefined = undefined
  /** What came first in a map below this key. */
  inside: KnownKey | undefined = undefined

  constructor(text: string, bytes: Uint8Array = NO_BYTES, isLive: boolean = false) {
    this.text = text
    this.bytes = bytes
    this.inherited = text in Object.prototype
    this.isLive = isLive
  }

  /** True when this key stands at `bytes[offset, end)`. */
  matches(bytes: Uint8Array, offset: number, end: number): boolean {
    const expected = this.bytes
    const length = expected.length
    if (length > end - offset) return false
    for (let i = 0; i < length; i++) {
      if (expected[i] !== bytes[offset + i]) return false
    }
    return true
  }

  drop(): void {
    this.isLive = false
    this.next = undefined
    this.inside = undefined
  }
}

/**
 * A table of fixed size, so that hostile keys cannot fill memory: a key gets in when it is met the second
 * time, and out when another one needs its slot.
 */
export class KnownKeyTable {
  private readonly keys: (KnownKey | undefined)[] = new Array<undefined>(SLOTS).fill(undefined)
  private readonly missedHashes = new Int32Array(SLOTS)
  private replacements = 0

  /** The key encoded at `bytes[start, end)`, if it is known. */
  find(bytes: Uint8Array, start: number, end: number): KnownKey | undefined {
    const length = end - start
    if (length > KEY_BYTES_MAX) return undefined
    const hash = hashOf(bytes, start, end)
    for (let probe = 0; probe < PROBES; probe++) {
      const key = this.keys[(hash + probe) & (SLOTS - 1)]
      if (key?.bytes.length === length && key.matches(bytes, start, end)) return key
    }
    return undefined
  }

  /** The key for `text`, which was not found; in the table if it was missed before and is not long. */
  create(text: string, bytes: Uint8Array, start: number, end: number): KnownKey {
    if (end - start > KEY_BYTES_MAX) return new KnownKey(text)
    const hash = hashOf(bytes, start, end)
    if (this.missedHashes[hash & (SLOTS - 1)] !== hash) {
      this.missedHashes[hash & (SLOTS - 1)] = hash
      return new KnownKey(text)
    }
    const key = new KnownKey(text, new Uint8Array(bytes.subarray(start, end)), true)
    const slot = this.slotFor(hash)
    this.keys[slot]?.drop()
    this.keys[slot] = key
    return key
  }

  /** A free slot, or the one whose turn it is to be given up. */
  private slotFor(hash: number): number {
    for (let probe = 0; probe < PROBES; probe++) {
      const slot = (hash + probe) & (SLOTS - 1)
      if (this.keys[slot] === undefined) return slot
    }
    this.replacements++
    return (hash + (this.replacements % PROBES)) & (SLOTS - 1)
  }
}

/** FNV-1a. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193)
  return hash
}
