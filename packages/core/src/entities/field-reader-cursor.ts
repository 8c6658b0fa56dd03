/** The fields of a stored record. */
import { assertInvariant } from '../errors/assert.ts'

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
