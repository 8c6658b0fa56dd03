/**
 * Writes CBOR items (RFC 8949) into one growable buffer, every head in its shortest form. Knows
 * nothing of entities or messages: who writes an array or map header owes that many items.
 *
 * Allocating a small array costs more than encoding into it, so short results are cut from a slab, as
 * Node does for its Buffers: the bytes behind a result are never written again, but its `buffer` is
 * shared with other results.
 */
import { float16BitsOf, isFloat32 } from './float-form.ts'
import { invalidCbor } from './invalid-cbor.ts'
import { hasLoneSurrogate, utf8BytesMax, writeAscii, writeUtf8 } from './utf8.ts'

const SLAB_BYTES = 16 * 1024
/** Longer results are copied out, so that a few of them do not use up a slab. */
const SLAB_RESULT_BYTES_MAX = 2 * 1024
/** Longer text is written by the platform's encoder. */
const LOOP_UNITS_MAX = 64
const HEAD_BYTES_MAX = 9

/**
 * A reusable encoder. Wrong arguments (a negative count, a fraction for an integer) are a `TypeError`;
 * text with a lone surrogate is `invalid_cbor`.
 *
 * @example
 * const writer = new CborWriter()
 * writer.writeArrayHeader(2)
 * writer.writeUint(1)
 * writer.writeText('a')
 * writer.take() // 82 01 61 61
 */
export class CborWriter {
  private bytes: Uint8Array = new Uint8Array(SLAB_BYTES)
  private view: DataView = new DataView(this.bytes.buffer)
  private start = 0
  private position = 0

  /** Bytes written since the last `take` or `reset`. */
  get length(): number {
    return this.position - this.start
  }

  /**
   * A copy of exactly what was written, which later writes leave alone; the writer is empty afterwards.
   * Short copies share one ArrayBuffer: `slice()` a result before transferring its `buffer`.
   */
  take(): Uint8Array {
    const { bytes, start, position } = this
    if (position - start <= SLAB_RESULT_BYTES_MAX && bytes.length === SLAB_BYTES) {
      this.start = position
      return bytes.subarray(start, position)
    }
    const taken = bytes.slice(start, position)
    this.reset()
    return taken
  }

  /** Forgets what was written. */
  reset(): void {
    this.position = this.start
    if (this.bytes.length > SLAB_BYTES) this.allocate(SLAB_BYTES)
  }

  /** `value`: 0 to 2^53 - 1. */
  writeUint(value: number): void {
    assertCount(value)
    this.writeHead(0x00, value)
  }

  /** `value`: an integer from -(2^53 - 1) to 2^53 - 1. -0 is written as 0. */
  writeInt(value: number): void {
    if (!Number.isSafeInteger(value)) throw new TypeError(`Not a safe integer: ${value}`)
    if (value < 0) this.writeHead(0x20, -1 - value)
    else this.writeHead(0x00, value)
  }

  /** A byte string. */
  writeBytes(value: Uint8Array): void {
    this.writeHead(0x40, value.length)
    this.writeRaw(value)
  }

  /** Writes text as UTF-8. A lone surrogate is `invalid_cbor`, and nothing is written. */
  writeText(value: string): void {
    if (!this.tryWriteText(value)) throw invalidCbor(this.length, 'lone_surrogate')
  }

  /** Writes text as UTF-8; returns false, with nothing written, when it holds a lone surrogate. */
  tryWriteText(value: string): boolean {
    const length = value.length
    this.reserve(HEAD_BYTES_MAX + utf8BytesMax(value))
    if (length > LOOP_UNITS_MAX) return this.writeLongText(value)
    const bytes = this.bytes
    let position = this.position
    if (length < 24) {
      bytes[position++] = 0x60 | length
    } else {
      bytes[position++] = 0x78
      bytes[position++] = length
    }
    if (!writeAscii(bytes, position, value)) return this.writeLongText(value)
    this.position = position + length
    return true
  }

  /** Announces `count` items. */
  writeArrayHeader(count: number): void {
    assertCount(count)
    this.writeHead(0x80, count)
  }

  /** Announces `count` pairs of key and value. Order and uniqueness of the keys are the caller's. */
  writeMapHeader(count: number): void {
    assertCount(count)
    this.writeHead(0xa0, count)
  }

  /** Announces one item that `tag` gives a meaning. */
  writeTag(tag: number): void {
    assertCount(tag)
    this.writeHead(0xc0, tag)
  }

  /** Null. */
  writeNull(): void {
    this.writeByte(0xf6)
  }

  /** True or false. */
  writeBoolean(value: boolean): void {
    this.writeByte(value ? 0xf5 : 0xf4)
  }

  /** Writes the shortest float that keeps the value; -0 and NaN are f98000 and f97e00. */
  writeFloat(value: number): void {
    const half = float16BitsOf(value)
    if (half >= 0) {
      this.reserve(3)
      this.bytes[this.position] = 0xf9
      this.view.setUint16(this.position + 1, half)
      this.position += 3
    } else if (isFloat32(value)) {
      this.reserve(5)
      this.bytes[this.position] = 0xfa
      this.view.setFloat32(this.position + 1, value)
      this.position += 5
    } else {
      this.writeFloat64(value)
    }
  }

  /** Writes a float64 even where a shorter one would do. */
  writeFloat64(value: number): void {
    this.reserve(9)
    this.bytes[this.position] = 0xfb
    this.view.setFloat64(this.position + 1, value)
    this.position += 9
  }

  /** Appends bytes as they are: items that are encoded already. */
  writeRaw(encoded: Uint8Array): void {
    const length = encoded.length
    this.reserve(length)
    this.bytes.set(encoded, this.position)
    this.position += length
  }

  /** As `writeRaw(encoded.subarray(start, end))`, and faster for a few bytes. */
  writeRawRange(encoded: Uint8Array, start: number, end: number): void {
    this.reserve(end - start)
    const bytes = this.bytes
    let position = this.position
    for (let i = start; i < end; i++) bytes[position++] = encoded[i] as number
    this.position = position
  }

  private writeLongText(value: string): boolean {
    if (hasLoneSurrogate(value)) return false
    // The head is as long as the byte length makes it, which is known only after writing.
    const start = this.position
    const guess = headBytesOf(value.length)
    const written = writeUtf8(this.bytes, start + guess, value)
    const actual = headBytesOf(written)
    if (actual !== guess) {
      this.bytes.copyWithin(start + actual, start + guess, start + guess + written)
    }
    this.writeHead(0x60, written)
    this.position += written
    return true
  }

  private writeByte(value: number): void {
    this.reserve(1)
    this.bytes[this.position++] = value
  }

  /** `type`: the major type in the upper three bits. `argument`: an integer up to 2^53 - 1. */
  private writeHead(type: number, argument: number): void {
    this.reserve(HEAD_BYTES_MAX)
    const { bytes, view, position } = this
    if (argument < 24) {
      bytes[position] = type | argument
      this.position = position + 1
    } else if (argument < 0x100) {
      bytes[position] = type | 24
      bytes[position + 1] = argument
      this.position = position + 2
    } else if (argument < 0x10000) {
      bytes[position] = type | 25
      view.setUint16(position + 1, argument)
      this.position = position + 3
    } else if (argument < 0x100000000) {
      bytes[position] = type | 26
      view.setUint32(position + 1, argument)
      this.position = position + 5
    } else {
      bytes[position] = type | 27
      view.setUint32(position + 1, Math.floor(argument / 0x100000000))
      view.setUint32(position + 5, argument >>> 0)
      this.position = position + 9
    }
  }

  private reserve(count: number): void {
    const needed = this.position + count
    if (needed > this.bytes.length) this.grow(needed - this.start)
  }

  private grow(needed: number): void {
    this.allocate(needed <= SLAB_BYTES ? SLAB_BYTES : Math.max(needed, this.bytes.length * 2))
  }

  /** Moves what is being written to the start of a new buffer. */
  private allocate(capacity: number): void {
    const next = new Uint8Array(capacity)
    if (this.position > this.start) next.set(this.bytes.subarray(this.start, this.position))
    this.position -= this.start
    this.start = 0
    this.bytes = next
    this.view = new DataView(next.buffer)
  }
}

function headBytesOf(argument: number): number {
  if (argument < 24) return 1
  if (argument < 0x100) return 2
  if (argument < 0x10000) return 3
  return argument < 0x100000000 ? 5 : 9
}

function assertCount(value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new TypeError(`Not a count: ${value}`)
}
