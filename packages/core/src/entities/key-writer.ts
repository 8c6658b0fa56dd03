/**
 * Typed values as bytes that sort in the one total order of EntiDB: null, false, true, numbers (NaN
 * first; bigint and number by value), strings by UTF-8 bytes, dates, bytes, arrays, maps. Every
 * encoding ends itself, so encodings can be put one after the other, and inverting all bytes of one
 * reverses its order. Equal values, and only they, give equal bytes.
 *
 * | value        | bytes                                                                      |
 * | ------------ | -------------------------------------------------------------------------- |
 * | null         | `NULL` (a missing field too)                                               |
 * | false, true  | `FALSE`, `TRUE`                                                            |
 * | number       | `NUMBER`, then `number-key.ts`                                             |
 * | string       | `STRING`, UTF-8 with 00 written as 00 FF, 00                               |
 * | Date         | `DATE`, milliseconds as a sortable float64                                 |
 * | Uint8Array   | `BYTES`, the bytes with 00 written as 00 FF, 00                            |
 * | array        | `ARRAY`, its items, 00                                                     |
 * | object       | `MAP`, its keys (as strings, in order) each with its value, 00             |
 */
import { utf8BytesMax, writeAscii, writeUtf8 } from '../cbor/utf8.ts'
import { allocateBytes } from '../store/byte-slab.ts'
import { compareText } from './compare-text.ts'
import {
  EXACT,
  splitBigInt,
  WITH_REMAINDER,
  writeSortableFloat,
  writeUint32,
} from './number-key.ts'

export const KEY_TAGS = {
  NULL: 0x05,
  FALSE: 0x06,
  TRUE: 0x07,
  NUMBER: 0x10,
  STRING: 0x20,
  DATE: 0x30,
  BYTES: 0x40,
  ARRAY: 0x50,
  MAP: 0x60,
} as const

const END = 0x00
const ESCAPED = 0xff
const FIRST_BYTES = 256

/** Gathers the bytes of one key after the other. */
export class KeyWriter {
  #bytes = new Uint8Array(FIRST_BYTES)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** A copy of what was written; the writer begins anew. */
  take(): Uint8Array {
    const bytes = this.#bytes.slice(0, this.#length)
    this.#length = 0
    return bytes
  }

  reset(): void {
    this.#length = 0
  }

  /** All that was written, and more; valid until the next write. */
  get written(): Uint8Array {
    return this.#bytes
  }

  /** Leaves out `bytes` bytes, for the caller to fill in. */
  skip(bytes: number): void {
    this.reserve(bytes)
    this.#length += bytes
  }

  truncate(length: number): void {
    this.#length = length
  }

  /** A copy of what was written since `start`. */
  copyFrom(start: number): Uint8Array {
    const copy = allocateBytes(this.#length - start)
    copy.set(this.#bytes.subarray(start, this.#length))
    return copy
  }

  /** Puts what was written at `offset` of `target`; the writer begins anew. */
  moveTo(target: Uint8Array, offset: number): void {
    target.set(this.#bytes.subarray(0, this.#length), offset)
    this.#length = 0
  }

  /** Appends a second time what lies in `[start, end)`. */
  repeat(start: number, end: number): void {
    this.reserve(end - start)
    const bytes = this.#bytes
    let length = this.#length
    // Ids are short: a loop is faster than a call.
    for (let i = start; i < end; i++) bytes[length++] = bytes[i] as number
    this.#length = length
  }

  /** UTF-8 as it is. */
  text(text: string): void {
    this.reserve(utf8BytesMax(text))
    const start = this.#length
    if (writeAscii(this.#bytes, start, text)) this.#length += text.length
    else this.#length += writeUtf8(this.#bytes, start, text)
  }

  byte(value: number): void {
    this.reserve(1)
    this.#bytes[this.#length++] = value
  }

  /** Big-endian. */
  uint32(value: number): void {
    this.reserve(4)
    writeUint32(this.#bytes, this.#length, value)
    this.#length += 4
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** Reverses the order of everything written since `start`. */
  invertFrom(start: number): void {
    const bytes = this.#bytes
    for (let i = start; i < this.#length; i++) bytes[i] = ~(bytes[i] as number)
  }

  value(value: unknown): void {
    if (typeof value === 'string') this.#string(value)
    else if (typeof value === 'number') this.#number(value)
    else if (value === null || value === undefined) this.byte(KEY_TAGS.NULL)
    else if (typeof value === 'boolean') this.byte(value ? KEY_TAGS.TRUE : KEY_TAGS.FALSE)
    else if (typeof value === 'bigint') this.#bigint(value)
    else if (value instanceof Date) this.#date(value)
    else if (value instanceof Uint8Array) this.#byteString(value)
    else if (Array.isArray(value)) this.#array(value)
    // Entities and query values hold nothing else.
    else this.#map(value as Readonly<Record<string, unknown>>)
  }

  /** As `value` of the string whose UTF-8 is `bytes[start, end)`. */
  utf8String(bytes: Uint8Array, start: number, end: number): void {
    this.reserve((end - start) * 2 + 2)
    this.#bytes[this.#length++] = KEY_TAGS.STRING
    for (let i = start; i < end; i++) {
      const byte = bytes[i] as number
      this.#bytes[this.#length++] = byte
      if (byte === END) this.#bytes[this.#length++] = ESCAPED
    }
    this.#bytes[this.#length++] = END
  }

  /** The beginning that all strings which start with `text` share. */
  stringPrefix(text: string): void {
    this.byte(KEY_TAGS.STRING)
    this.#text(text)
  }

  #string(text: string): void {
    this.byte(KEY_TAGS.STRING)
    this.#text(text)
    this.byte(END)
  }

  #text(text: string): void {
    const start = this.#length
    this.text(text)
    if (text.includes('\0')) this.#escapeFrom(start)
  }

  #escapeFrom(start: number): void {
    const bytes = this.#bytes.slice(start, this.#length)
    this.#length = start
    this.#escaped(bytes)
  }

  #escaped(bytes: Uint8Array): void {
    this.reserve(bytes.length * 2)
    for (const byte of bytes) {
      this.#bytes[this.#length++] = byte
      if (byte === END) this.#bytes[this.#length++] = ESCAPED
    }
  }

  #number(value: number): void {
    this.reserve(10)
    this.#bytes[this.#length] = KEY_TAGS.NUMBER
    this.#length = writeSortableFloat(this.#bytes, this.#length + 1, value)
    this.#bytes[this.#length++] = EXACT
  }

  #bigint(value: bigint): void {
    const { floor, remainder, invert } = splitBigInt(value)
    this.#number(floor)
    if (remainder.length === 0) return
    this.#bytes[this.#length - 1] = WITH_REMAINDER
    const start = this.#length
    this.uint32(remainder.length)
    this.raw(remainder)
    if (invert) this.invertFrom(start)
  }

  #date(value: Date): void {
    this.reserve(9)
    this.#bytes[this.#length] = KEY_TAGS.DATE
    this.#length = writeSortableFloat(this.#bytes, this.#length + 1, value.getTime())
  }

  #byteString(value: Uint8Array): void {
    this.byte(KEY_TAGS.BYTES)
    this.#escaped(value)
    this.byte(END)
  }

  #array(items: readonly unknown[]): void {
    this.byte(KEY_TAGS.ARRAY)
    for (const item of items) this.value(item)
    this.byte(END)
  }

  #map(map: Readonly<Record<string, unknown>>): void {
    this.byte(KEY_TAGS.MAP)
    const keys = Object.keys(map).filter((key) => map[key] !== undefined)
    for (const key of keys.sort(compareText)) {
      this.#string(key)
      this.value(map[key])
    }
    this.byte(END)
  }

  /** Sees to it that `bytes` more bytes have room. */
  reserve(bytes: number): void {
    const needed = Math.ceil(this.#length + bytes)
    if (needed <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }
}

const writer = new KeyWriter()

/** The sortable bytes of one value. */
export function encodeKey(value: unknown): Uint8Array {
  writer.reset()
  writer.value(value)
  return writer.take()
}
