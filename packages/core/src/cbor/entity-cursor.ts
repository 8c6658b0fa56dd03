/**
 * Walks the items of an encoded entity, accepting only the forms that `encodeEntity` writes: shortest
 * heads, shortest floats, bignums without leading zeros, dates as they are written. The decoder builds
 * values from what it reads, the validator only passes; both share every rule through this class.
 */
import { BIGINT_BYTES_MAX } from './entity-limits.ts'
import { float16BitsOf, float16Of, isFloat32 } from './float-form.ts'
import { type InvalidCborReason, invalidCbor } from './invalid-cbor.ts'

const FLOAT16 = 0xf9
const FLOAT32 = 0xfa
const FLOAT64 = 0xfb
/** The largest distance of a Date from 1970, in milliseconds. */
const DATE_MS_MAX = 8.64e15

const scratch = new Uint8Array(8)
const scratchView = new DataView(scratch.buffer)
const NOTHING = new Uint8Array(0)

export class EntityCursor {
  protected bytes: Uint8Array = NOTHING
  protected offset = 0
  protected end = 0

  protected open(bytes: Uint8Array, start: number, end: number): void {
    if (!(start >= 0 && start <= end && end <= bytes.length)) {
      throw new TypeError(`Not a range of ${bytes.length} bytes: ${start} to ${end}`)
    }
    this.bytes = bytes
    this.offset = start
    this.end = end
  }

  /** Lets go of the input. */
  protected close(): void {
    this.bytes = NOTHING
    this.offset = 0
    this.end = 0
  }

  /** The first byte of the next item. */
  protected peek(): number {
    if (this.offset >= this.end) throw invalidCbor(this.offset, 'truncated')
    return this.bytes[this.offset] as number
  }

  /** Reads the head of an item; past 2^53 - 1 the argument is only known to be larger than that. */
  protected readArgument(initial: number): number {
    const info = initial & 0x1f
    if (info < 24) {
      this.offset++
      return info
    }
    if (info > 27) {
      throw this.invalid(info === 31 ? 'indefinite_length' : 'reserved_encoding')
    }
    const start = this.offset
    const width = 1 << (info - 24)
    if (this.end - start <= width) throw this.invalid('truncated')
    const argument = this.readUnsigned(start + 1, width)
    if (argument < (width === 1 ? 24 : 2 ** (width * 4))) throw this.invalid('not_shortest')
    this.offset = start + 1 + width
    return argument
  }

  /** Reads the head of bytes, text, an array or a map, whose items take `bytesPerItem` at least. */
  protected readLength(initial: number, bytesPerItem: number): number {
    const start = this.offset
    const length = this.readArgument(initial)
    if (length * bytesPerItem > this.end - this.offset) {
      throw invalidCbor(start, 'length_exceeds_input')
    }
    return length
  }

  /** Reads major type 0 or 1. A bigint is what no number can hold exactly. */
  protected readInteger(initial: number): number | bigint {
    const argument = this.readArgument(initial)
    if (argument < Number.MAX_SAFE_INTEGER) return initial < 0x20 ? argument : -1 - argument
    if (argument === Number.MAX_SAFE_INTEGER && initial < 0x20) return argument
    const high = BigInt(this.readUnsigned(this.offset - 8, 4))
    const exact = (high << 32n) | BigInt(this.readUnsigned(this.offset - 4, 4))
    return initial < 0x20 ? exact : -1n - exact
  }

  /** Reads a float that is not an integer within 2^53, in the shortest width that keeps it. */
  protected readFloat(initial: number): number {
    const start = this.offset
    const value = this.readFloatOf(2 << (initial - FLOAT16))
    if (!isCanonicalFloat(value, initial, this.bytes, start)) {
      throw invalidCbor(start, 'float_not_canonical')
    }
    return value
  }

  /** Reads tag 1 with its content; returns milliseconds. */
  protected readDate(): number {
    const start = this.offset
    this.offset++
    const initial = this.peek()
    let time: number
    if (initial === FLOAT64) {
      time = millisecondsOf(this.readFloatOf(8))
    } else if (initial < 0x40) {
      time = Number(this.readInteger(initial)) * 1000
    } else {
      throw invalidCbor(start, 'date_not_canonical')
    }
    const whole = time % 1000 === 0
    if (!(Math.abs(time) <= DATE_MS_MAX) || whole !== (initial !== FLOAT64)) {
      throw invalidCbor(start, 'date_not_canonical')
    }
    return time
  }

  /** Reads tag 2 or 3 and its byte string's head; returns the length of the magnitude, which follows. */
  protected readBignumLength(): number {
    const start = this.offset
    this.offset++
    const initial = this.peek()
    if (initial >>> 5 !== 2) throw invalidCbor(start, 'bignum_not_canonical')
    const length = this.readLength(initial, 1)
    if (length > 0 && this.bytes[this.offset] === 0) {
      throw invalidCbor(start, 'bignum_not_canonical')
    }
    if (length > BIGINT_BYTES_MAX) throw invalidCbor(start, 'too_large')
    return length
  }

  /** Refuses a key that does not come after the one at `previous` (-1: none), bytewise with their heads. */
  protected assertKeyOrder(previous: number, start: number, end: number): void {
    if (previous < 0) return
    const bytes = this.bytes
    for (let i = start, j = previous; i < end; i++, j++) {
      const difference = (bytes[i] as number) - (bytes[j] as number)
      if (difference > 0) return
      if (difference < 0) throw invalidCbor(start, 'unsorted_keys')
    }
    throw invalidCbor(start, 'duplicate_key')
  }

  /** What is wrong with an item of major type 6 or 7 that is none of those above. */
  protected unsupported(initial: number): Error {
    const info = initial & 0x1f
    if (info > 27) return this.invalid(info === 31 ? 'indefinite_length' : 'reserved_encoding')
    return this.invalid(initial < 0xe0 ? 'unsupported_tag' : 'unsupported_simple')
  }

  protected invalid(reason: InvalidCborReason): Error {
    return invalidCbor(this.offset, reason)
  }

  private readFloatOf(width: number): number {
    const { bytes, offset } = this
    if (this.end - offset <= width) throw this.invalid('truncated')
    for (let i = 0; i < width; i++) scratch[i] = bytes[offset + 1 + i] as number
    this.offset = offset + 1 + width
    if (width === 8) return scratchView.getFloat64(0)
    return width === 4 ? scratchView.getFloat32(0) : float16Of(scratchView.getUint16(0))
  }

  private readUnsigned(start: number, width: number): number {
    let value = 0
    for (let i = start; i < start + width; i++) value = value * 256 + (this.bytes[i] as number)
    return value
  }
}

function isCanonicalFloat(
  value: number,
  initial: number,
  bytes: Uint8Array,
  offset: number,
): boolean {
  if (Number.isNaN(value)) {
    return initial === FLOAT16 && bytes[offset + 1] === 0x7e && bytes[offset + 2] === 0
  }
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) return false
  if (initial === FLOAT16) return true
  return initial === FLOAT32 ? float16BitsOf(value) < 0 : !isFloat32(value)
}

/** The whole milliseconds whose thousandth `seconds` is, or NaN. Far from 1970 rounding may be off by one. */
function millisecondsOf(seconds: number): number {
  const nearest = Math.round(seconds * 1000)
  for (const time of [nearest, nearest - 1, nearest + 1]) {
    if (time / 1000 === seconds) return time
  }
  return Number.NaN
}
