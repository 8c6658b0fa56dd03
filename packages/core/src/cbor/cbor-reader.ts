/**
 * Reads CBOR items (RFC 8949) one at a time from `bytes[start, end)`. Strict: shortest heads, definite
 * lengths, real UTF-8. A declared length is checked against the bytes that remain before anything is
 * allocated. Every failure is `invalid_cbor` with `details: { offset, reason }`; afterwards the reader
 * is useless.
 */
import { invalidCbor } from './invalid-cbor.ts'
import { skipItem } from './skip-item.ts'
import { readUtf8 } from './utf8.ts'

const UINT = 0
const NEGATIVE = 1
const BYTES = 2
const TEXT = 3
const ARRAY = 4
const MAP = 5
const FALSE = 0xf4
const TRUE = 0xf5
const NULL = 0xf6
/** The smallest argument that needs so many bytes. */
const SMALLEST_BY_WIDTH = [0, 24, 0x100, 0, 0x1_0000, 0, 0, 0, 2 ** 32]

/** Reads deterministic CBOR, item by item. Errors: `invalid_cbor`. */
export class CborReader {
  private readonly bytes: Uint8Array
  private readonly end: number
  private offset: number

  constructor(bytes: Uint8Array, start: number = 0, end: number = bytes.length) {
    if (!(start >= 0 && start <= end && end <= bytes.length)) {
      throw new TypeError(`Not a range of ${bytes.length} bytes: ${start} to ${end}`)
    }
    // A view of Node's Buffer would be a Buffer, whose slice() does not copy.
    this.bytes =
      bytes.constructor === Uint8Array
        ? bytes
        : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
    this.offset = start
    this.end = end
  }

  /** Index in `bytes` of the next item. */
  get position(): number {
    return this.offset
  }

  /** Has everything been read? */
  get atEnd(): boolean {
    return this.offset === this.end
  }

  /** Major type of the next item, 0 to 7, without reading it. */
  peekMajor(): number {
    return this.peek() >>> 5
  }

  /** True when the next item is null, without reading it. */
  isNull(): boolean {
    return this.peek() === NULL
  }

  /** Passes over the next item if its bytes are `encoded`, which is one item. */
  passIf(encoded: Uint8Array): boolean {
    const { bytes, offset } = this
    const length = encoded.length
    if (length > this.end - offset) return false
    for (let i = 0; i < length; i++) if (bytes[offset + i] !== encoded[i]) return false
    this.offset = offset + length
    return true
  }

  /** Back to an earlier `position`, also after a failure. */
  rewind(position: number): void {
    this.offset = position
  }

  /** 0 to 2^53 - 1. */
  readUint(): number {
    return this.readArgument(UINT)
  }

  /** -(2^53 - 1) to 2^53 - 1. */
  readInt(): number {
    if (this.peekMajor() !== NEGATIVE) return this.readArgument(UINT)
    const start = this.offset
    const value = -1 - this.readArgument(NEGATIVE)
    if (!Number.isSafeInteger(value)) throw invalidCbor(start, 'integer_out_of_range')
    return value
  }

  /** A view of the input, not a copy. */
  readBytes(): Uint8Array {
    const length = this.readLength(BYTES, 1)
    const start = this.offset
    this.offset += length
    return this.bytes.subarray(start, this.offset)
  }

  /** The next item, a string. */
  readText(): string {
    const itemStart = this.offset
    const length = this.readLength(TEXT, 1)
    const start = this.offset
    this.offset += length
    const text = readUtf8(this.bytes, start, this.offset)
    if (text === undefined) throw invalidCbor(itemStart, 'invalid_utf8')
    return text
  }

  /** The next `length` bytes as text: what a text item is without its head. */
  readBareText(length: number): string {
    const start = this.offset
    if (length > this.end - start) throw invalidCbor(start, 'length_exceeds_input')
    this.offset = start + length
    const text = readUtf8(this.bytes, start, this.offset)
    if (text === undefined) throw invalidCbor(start, 'invalid_utf8')
    return text
  }

  /** The number of items that follow; at least as many bytes remain. */
  readArrayHeader(): number {
    return this.readLength(ARRAY, 1)
  }

  /** The number of pairs that follow; at least twice as many bytes remain. */
  readMapHeader(): number {
    return this.readLength(MAP, 2)
  }

  /** The next item, null. */
  readNull(): void {
    if (this.peek() !== NULL) throw invalidCbor(this.offset, 'unexpected_type')
    this.offset++
  }

  /** The next item, true or false. */
  readBoolean(): boolean {
    const initial = this.peek()
    if (initial !== TRUE && initial !== FALSE) throw invalidCbor(this.offset, 'unexpected_type')
    this.offset++
    return initial === TRUE
  }

  /**
   * Passes over one well-formed item of definite lengths, whatever it is: longer heads than needed,
   * floats, tags and unknown simple values included. Arrays, maps and tags may nest `depthMax` deep
   * (0: none).
   */
  skip(depthMax: number): void {
    this.offset = skipItem(this.bytes, this.offset, this.end, depthMax)
  }

  /** The bytes of the next item, as a view; `skip` says which items pass. */
  readRaw(depthMax: number): Uint8Array {
    const start = this.offset
    this.skip(depthMax)
    return this.bytes.subarray(start, this.offset)
  }

  private peek(): number {
    if (this.offset >= this.end) throw invalidCbor(this.offset, 'truncated')
    return this.bytes[this.offset] as number
  }

  private readLength(major: number, bytesPerItem: number): number {
    const start = this.offset
    const length = this.readArgument(major)
    if (length * bytesPerItem > this.end - this.offset) {
      throw invalidCbor(start, 'length_exceeds_input')
    }
    return length
  }

  private readArgument(major: number): number {
    const start = this.offset
    const initial = this.peek()
    if (initial >>> 5 !== major) throw invalidCbor(start, 'unexpected_type')
    const info = initial & 0x1f
    if (info < 24) {
      this.offset = start + 1
      return info
    }
    if (info === 31 && major !== UINT && major !== NEGATIVE) {
      throw invalidCbor(start, 'indefinite_length')
    }
    if (info > 27) throw invalidCbor(start, 'reserved_encoding')
    return this.readLongArgument(start, 1 << (info - 24))
  }

  private readLongArgument(start: number, width: number): number {
    if (this.end - start <= width) throw invalidCbor(start, 'truncated')
    const value =
      width === 1
        ? (this.bytes[start + 1] as number)
        : width === 2
          ? this.uint16(start + 1)
          : width === 4
            ? this.uint16(start + 1) * 0x1_0000 + this.uint16(start + 3)
            : this.uint64(start + 1)
    if (value < (SMALLEST_BY_WIDTH[width] as number)) throw invalidCbor(start, 'not_shortest')
    if (value > Number.MAX_SAFE_INTEGER) throw invalidCbor(start, 'integer_out_of_range')
    this.offset = start + 1 + width
    return value
  }

  private uint16(at: number): number {
    return ((this.bytes[at] as number) << 8) | (this.bytes[at + 1] as number)
  }

  /** Past 2^53 only its magnitude is right. */
  private uint64(at: number): number {
    const high = this.uint16(at) * 0x1_0000 + this.uint16(at + 2)
    return high * 2 ** 32 + this.uint16(at + 4) * 0x1_0000 + this.uint16(at + 6)
  }
}
