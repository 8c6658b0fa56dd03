/**
 * Reads what `ByteWriter` wrote. The bytes passed a checksum, so anything that does not fit is a
 * broken file: the caller gets a `MalformedBytes` and turns it into `corrupt` with file and offset.
 */

export class MalformedBytes extends Error {}

export class ByteReader {
  readonly #bytes: Uint8Array
  #offset: number

  constructor(bytes: Uint8Array, offset = 0) {
    this.#bytes = bytes
    this.#offset = offset
  }

  get offset(): number {
    return this.#offset
  }

  get atEnd(): boolean {
    return this.#offset >= this.#bytes.length
  }

  byte(): number {
    const value = this.#bytes[this.#offset++]
    if (value === undefined) throw new MalformedBytes('a field runs past the end')
    return value
  }

  varint(): number {
    let value = this.byte()
    if (value < 0x80) return value
    value &= 0x7f
    for (let scale = 0x80; scale < 2 ** 53; scale *= 0x80) {
      const next = this.byte()
      value += (next & 0x7f) * scale
      if (next < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break
        return value
      }
    }
    throw new MalformedBytes('a number is too large')
  }

  skip(length: number): void {
    this.#offset += length
    if (this.#offset > this.#bytes.length) throw new MalformedBytes('a field runs past the end')
  }

  /** A view, not a copy. */
  bytes(length: number): Uint8Array {
    const end = this.#offset + length
    if (end > this.#bytes.length) throw new MalformedBytes('a field runs past the end')
    const value = this.#bytes.subarray(this.#offset, end)
    this.#offset = end
    return value
  }
}
