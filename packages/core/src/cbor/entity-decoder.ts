/**
 * Builds the value that deterministic CBOR stands for (`docs/encoding.md`). Strict: whatever
 * `encodeEntity` would not have written is `invalid_cbor`, with one exception, integers beyond 2^53 - 1
 * written as CBOR integers. One loop and `DEPTH_MAX` reusable frames: the stack does not grow with the
 * input, and nothing is allocated on the word of a declared length.
 */
import { bigIntOf } from './big-integer.ts'
import { EntityCursor } from './entity-cursor.ts'
import { DEPTH_MAX } from './entity-limits.ts'
import { invalidCbor } from './invalid-cbor.ts'
import { KnownKey, KnownKeyTable } from './known-keys.ts'
import { readUtf8 } from './utf8.ts'

const NO_KEY = new KnownKey('')
/**
 * Arrays are made as copies of it. V8 learns for each `[]` of the source whether its arrays live long, and then
 * makes them in its old generation; those of a cache that is being filled do, and millions that follow do not.
 */
const NO_ITEMS: unknown[] = []

/** An array or map that is being filled: one of the two. */
class Frame {
  array: unknown[] | undefined = undefined
  map: Record<string, unknown> | undefined = undefined
  /** Items, or pairs, still to come. */
  left = 0
  /** The previous key of a map, or before the first one and in arrays the key that this is the value of. */
  key: KnownKey = NO_KEY
  /** Where the previous key starts, -1 before the first. */
  keyStart = -1
}

/** A decoded entity, and whether it may be shared. */
export interface FrozenEntity {
  /** Frozen all through, but for what cannot be: Date and Uint8Array. */
  readonly value: unknown
  /** False when the value holds a Date or Uint8Array, which a reader could change. */
  readonly shareable: boolean
}

/** Keeps caches between calls. Runs no code of the caller, so that one decoder serves all. */
export class EntityDecoder extends EntityCursor {
  private readonly keys = new KnownKeyTable()
  /** What the outer map's first key follows. */
  private readonly root = new KnownKey('', undefined, true)
  private readonly frames: readonly Frame[] = Array.from({ length: DEPTH_MAX }, () => new Frame())
  private depth = 0
  private freezes = false
  private beforeFreeze: ((outermost: object) => void) | undefined
  private shareable = true

  decode(bytes: Uint8Array, start: number, end: number): unknown {
    this.freezes = false
    return this.readAll(bytes, start, end)
  }

  decodeFrozen(
    bytes: Uint8Array,
    start: number,
    beforeFreeze: ((outermost: object) => void) | undefined,
  ): FrozenEntity {
    this.freezes = true
    this.beforeFreeze = beforeFreeze
    const value = this.readAll(bytes, start, bytes.length)
    return { value, shareable: this.shareable }
  }

  private readAll(bytes: Uint8Array, start: number, end: number): unknown {
    this.open(bytes, start, end)
    this.shareable = true
    try {
      const value = this.readItem(this.root)
      while (this.depth > 0) this.fill(this.frames[this.depth - 1] as Frame)
      if (this.offset !== this.end) throw this.invalid('trailing_bytes')
      return value
    } finally {
      // Only after a failure is anything left to leave.
      while (this.depth > 0) this.leave()
      this.close()
    }
  }

  /** Reads up to the end of an array or map, or up to an item that is one and has to be filled first. */
  private fill(frame: Frame): void {
    const { array, map } = frame
    const depth = this.depth
    while (frame.left > 0 && this.depth === depth) {
      frame.left--
      if (map !== undefined) {
        const key = this.readKey(frame)
        const value = this.readItem(key)
        if (key.inherited) define(map, key.text, value)
        else map[key.text] = value
      } else {
        array?.push(this.readItem(frame.key))
      }
    }
    if (this.depth === depth) this.leave()
  }

  private readKey(frame: Frame): KnownKey {
    const start = this.offset
    const previous = frame.key
    const isFirst = frame.keyStart < 0
    const guess = isFirst ? previous.inside : previous.next
    let key: KnownKey
    if (guess?.matches(this.bytes, start, this.end)) {
      key = guess
      this.offset = start + guess.bytes.length
    } else {
      key = this.readOtherKey(frame.keyStart)
      if (previous.isLive && key.isLive) {
        if (isFirst) previous.inside = key
        else previous.next = key
      }
    }
    frame.key = key
    frame.keyStart = start
    return key
  }

  private readOtherKey(previousStart: number): KnownKey {
    const start = this.offset
    const initial = this.peek()
    if (initial >>> 5 !== 3) throw this.invalid('key_not_text')
    const length = this.readLength(initial, 1)
    const textStart = this.offset
    const end = textStart + length
    this.assertKeyOrder(previousStart, start, end)
    this.offset = end
    const known = this.keys.find(this.bytes, start, end)
    if (known !== undefined) return known
    const text = readUtf8(this.bytes, textStart, end)
    if (text === undefined) throw invalidCbor(start, 'invalid_utf8')
    return this.keys.create(text, this.bytes, start, end)
  }

  /** Reads a value; an array or map with items comes back empty, as the new top frame. */
  private readItem(key: KnownKey): unknown {
    const initial = this.peek()
    if (initial < 0x18) {
      this.offset++
      return initial
    }
    switch (initial >>> 5) {
      case 0:
      case 1:
        return this.readInteger(initial)
      case 2:
        return this.readBytes(initial)
      case 3:
        return this.readText(initial)
      case 4:
        return this.openArray(initial, key)
      case 5:
        return this.openMap(initial, key)
      case 6:
        return this.readTagged(initial)
      default:
        return this.readSimple(initial)
    }
  }

  private readText(initial: number): string {
    const itemStart = this.offset
    const length = this.readLength(initial, 1)
    const start = this.offset
    this.offset = start + length
    const text = readUtf8(this.bytes, start, this.offset)
    if (text === undefined) throw invalidCbor(itemStart, 'invalid_utf8')
    return text
  }

  private readBytes(initial: number): Uint8Array {
    const length = this.readLength(initial, 1)
    const start = this.offset
    this.offset = start + length
    this.shareable = false
    return new Uint8Array(this.bytes.subarray(start, this.offset))
  }

  private readTagged(initial: number): Date | bigint {
    if (initial === 0xc1) {
      this.shareable = false
      return new Date(this.readDate())
    }
    if (initial !== 0xc2 && initial !== 0xc3) throw this.unsupported(initial)
    const length = this.readBignumLength()
    const start = this.offset
    this.offset = start + length
    const magnitude = bigIntOf(this.bytes, start, this.offset)
    return initial === 0xc2 ? magnitude : -1n - magnitude
  }

  private readSimple(initial: number): boolean | number | null {
    if (initial >= 0xf9 && initial <= 0xfb) return this.readFloat(initial)
    if (initial < 0xf4 || initial > 0xf6) throw this.unsupported(initial)
    this.offset++
    return initial === 0xf6 ? null : initial === 0xf5
  }

  private openArray(initial: number, key: KnownKey): unknown[] {
    const start = this.offset
    const array = NO_ITEMS.slice()
    const count = this.readLength(initial, 1)
    const frame = this.enter(start, count, key)
    frame.array = array
    if (count === 0) this.leave()
    return array
  }

  private openMap(initial: number, key: KnownKey): Record<string, unknown> {
    const start = this.offset
    const map: Record<string, unknown> = {}
    const count = this.readLength(initial, 2)
    const frame = this.enter(start, count, key)
    frame.map = map
    if (count === 0) this.leave()
    return map
  }

  private enter(start: number, count: number, key: KnownKey): Frame {
    const frame = this.frames[this.depth]
    if (frame === undefined) throw invalidCbor(start, 'too_deep')
    this.depth++
    frame.left = count
    frame.key = key
    frame.keyStart = -1
    return frame
  }

  /** The top frame is complete. */
  private leave(): void {
    const frame = this.frames[--this.depth] as Frame
    if (this.freezes) {
      // A frame is of one of the two.
      const container = (frame.map ?? frame.array) as object
      if (this.depth === 0) this.beforeFreeze?.(container)
      Object.freeze(container)
    }
    frame.array = undefined
    frame.map = undefined
    frame.key = NO_KEY
  }
}

function define(map: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true })
}

const decoder = new EntityDecoder()

/**
 * The value that `bytes[start, end)` stands for. Objects have the ordinary prototype, and every key,
 * `__proto__` too, is a property of their own. Nothing refers to `bytes` afterwards.
 *
 * @throws EntiDBError `invalid_cbor`, with `details: { offset, reason }`, unless the bytes are exactly
 * one item as `encodeEntity` writes it.
 */
export function decodeEntity(
  bytes: Uint8Array,
  start: number = 0,
  end: number = bytes.length,
): unknown {
  return decoder.decode(bytes, start, end)
}

/**
 * As `decodeEntity`, with arrays and objects frozen, and whether that makes the value safe to share.
 * `beforeFreeze` gets the outermost array or object just before.
 */
export function decodeFrozenEntity(
  bytes: Uint8Array,
  start: number = 0,
  beforeFreeze?: (outermost: object) => void,
): FrozenEntity {
  return decoder.decodeFrozen(bytes, start, beforeFreeze)
}
