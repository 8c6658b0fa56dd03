/**
 * Tells whether bytes are an entity exactly as `encodeEntity` writes it, without building anything: what
 * a server does with every entity it is sent. Accepts what `decodeEntity` accepts, if it is a map.
 */
import { CborReader } from './cbor-reader.ts'
import { EntityCursor } from './entity-cursor.ts'
import { DEPTH_MAX, ENTITY_BYTES_MAX } from './entity-limits.ts'
import { invalidCbor } from './invalid-cbor.ts'
import { isUtf8 } from './utf8.ts'

/** Bounds of what is accepted as an entity. */
export interface EntityFormLimits {
  /** Levels of arrays and maps, the entity being the first; default 64. */
  readonly depthMax?: number
  /** Default 16 MiB. */
  readonly bytesMax?: number
}

/** Not in an array: there are no keys. */
const NO_KEYS = -2
const NO_KEY_YET = -1

export class EntityValidator extends EntityCursor {
  private depthMax = DEPTH_MAX
  /** For each open array or map the items or pairs to come, and where its previous key starts. */
  private readonly lefts: number[] = []
  private readonly keyStarts: number[] = []

  validate(bytes: Uint8Array, limits: EntityFormLimits): void {
    this.begin(bytes, limits)
    try {
      if (this.peek() >>> 5 !== 5) throw this.invalid('not_a_map')
      this.passWhole()
      if (this.offset !== this.end) throw this.invalid('trailing_bytes')
    } finally {
      this.close()
    }
  }

  protected begin(bytes: Uint8Array, limits: EntityFormLimits): void {
    this.open(bytes, 0, bytes.length)
    this.depthMax = limits.depthMax ?? DEPTH_MAX
    // Nearly always empty, and emptying an array is a call of the host.
    if (this.lefts.length > 0) {
      this.lefts.length = 0
      this.keyStarts.length = 0
    }
  }

  /** Passes one item with everything in it. */
  protected passWhole(): void {
    this.passItem()
    while (this.lefts.length > 0) this.passItems(this.lefts.length - 1)
  }

  /** Passes up to the end of an array or map, or up to an item that has items of its own. */
  private passItems(level: number): void {
    const { lefts, keyStarts } = this
    const opened = level + 1
    while (lefts.length === opened) {
      const left = lefts[level] as number
      if (left === 0) {
        lefts.pop()
        keyStarts.pop()
        return
      }
      lefts[level] = left - 1
      const keyStart = keyStarts[level] as number
      if (keyStart !== NO_KEYS) {
        keyStarts[level] = this.offset
        this.passKey(keyStart)
      }
      this.passItem()
    }
  }

  /** Passes a key, which has to come after the one at `previousStart` (negative: none). */
  protected passKey(previousStart: number): void {
    const start = this.offset
    const initial = this.peek()
    if (initial >>> 5 !== 3) throw this.invalid('key_not_text')
    this.passText(initial)
    this.assertKeyOrder(previousStart, start, this.offset)
  }

  private passItem(): void {
    const initial = this.peek()
    switch (initial >>> 5) {
      case 0:
      case 1:
        this.readArgument(initial)
        break
      case 2:
        this.passLength(this.readLength(initial, 1))
        break
      case 3:
        this.passText(initial)
        break
      case 4:
        this.enter(this.offset, this.readLength(initial, 1), NO_KEYS)
        break
      case 5:
        this.enter(this.offset, this.readLength(initial, 2), NO_KEY_YET)
        break
      case 6:
        this.passTagged(initial)
        break
      default:
        this.passSimple(initial)
    }
  }

  private passText(initial: number): void {
    const itemStart = this.offset
    const length = this.readLength(initial, 1)
    const start = this.offset
    this.offset = start + length
    const { bytes, offset } = this
    for (let i = start; i < offset; i++) {
      if ((bytes[i] as number) < 0x80) continue
      if (!isUtf8(bytes, i, offset)) throw invalidCbor(itemStart, 'invalid_utf8')
      return
    }
  }

  private passTagged(initial: number): void {
    if (initial === 0xc1) this.readDate()
    else if (initial === 0xc2 || initial === 0xc3) this.passLength(this.readBignumLength())
    else throw this.unsupported(initial)
  }

  private passSimple(initial: number): void {
    if (initial >= 0xf9 && initial <= 0xfb) this.readFloat(initial)
    else if (initial >= 0xf4 && initial <= 0xf6) this.offset++
    else throw this.unsupported(initial)
  }

  private passLength(length: number): void {
    this.offset += length
  }

  private enter(start: number, count: number, keyStart: number): void {
    if (this.lefts.length >= this.depthMax) throw invalidCbor(start, 'too_deep')
    this.lefts.push(count)
    this.keyStarts.push(keyStart)
  }
}

const validator = new EntityValidator()

/**
 * Holds if `bytes` are one map, byte for byte as `encodeEntity` writes it; integers beyond 2^53 - 1 may
 * be CBOR integers.
 *
 * @throws EntiDBError `invalid_cbor`, with `details: { offset, reason }`, if not (`reason: 'too_large'`
 * past `bytesMax`, `'too_deep'` past `depthMax`).
 */
export function assertDeterministicEntity(bytes: Uint8Array, limits: EntityFormLimits = {}): void {
  const bytesMax = limits.bytesMax ?? ENTITY_BYTES_MAX
  if (bytes.length > bytesMax) throw invalidCbor(bytesMax, 'too_large')
  validator.validate(bytes, limits)
}

/**
 * The text under the key `id` of the map at the start of `bytes[start, end)`. Reads no further than that:
 * whether the rest is sound is `assertDeterministicEntity`'s to say.
 *
 * @throws EntiDBError `invalid_cbor` if there is no such map, key or text.
 */
export function readEntityId(
  bytes: Uint8Array,
  start: number = 0,
  end: number = bytes.length,
): string {
  const reader = new CborReader(bytes, start, end)
  for (let left = reader.readMapHeader(); left > 0; left--) {
    if (reader.readText() === 'id') return reader.readText()
    reader.skip(DEPTH_MAX)
  }
  throw invalidCbor(start, 'missing_id')
}
