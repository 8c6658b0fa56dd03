/** Unsigned integers up to 2^53 - 1 in groups of seven bits, the lowest first. */
import { assertInvariant } from '../errors/assert.ts'

export function varintBytes(value: number): number {
  let bytes = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++
  return bytes
}

/** Answers the offset behind it. */
export function writeVarint(target: Uint8Array, offset: number, value: number): number {
  let at = offset
  let rest = value
  while (rest >= 0x80) {
    target[at++] = (rest % 0x80) | 0x80
    rest = Math.floor(rest / 0x80)
  }
  target[at++] = rest
  return at
}

/** Reads one field of a record after the other. */
export class FieldReaderCursor {
  readonly bytes: Uint8Array
  offset: number

  constructor(bytes: Uint8Array, offset = 0) {
    this.bytes = bytes
    this.offset = offset
  }

  varint(): number {
    let value = 0
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.bytes[this.offset++]
      assertInvariant(byte !== undefined, 'a stored record ends inside a number')
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
  }

  /** A view of the next `length` bytes. */
  take(length: number): Uint8Array {
    const start = this.offset
    this.offset = start + length
    assertInvariant(this.offset <= this.bytes.length, 'a stored record is too short')
    return this.bytes.subarray(start, this.offset)
  }

  rest(): Uint8Array {
    return this.bytes.subarray(this.offset)
  }
}
