/** Bytes that are written behind each other, from a handful to a page of them. */

const FIRST_BYTES = 64
/** A loop copies fewer bytes faster. */
const LOOP_BYTES_MAX = 32

export class ByteColumn {
  #bytes = new Uint8Array(FIRST_BYTES)
  #length = 0
  #lengthBefore = 0

  /** A view of what was written, good until more is. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  /** Appends `from[start, end)`. */
  append(from: Uint8Array, start: number, end: number): void {
    let at = this.#length
    this.#lengthBefore = at
    const length = at + end - start
    if (length > this.#bytes.length) this.#grow(length)
    const bytes = this.#bytes
    if (end - start > LOOP_BYTES_MAX) bytes.set(from.subarray(start, end), at)
    else for (let i = start; i < end; i++) bytes[at++] = from[i] as number
    this.#length = length
  }

  /** As if what was appended last had not been. */
  undo(): void {
    this.#length = this.#lengthBefore
  }

  #grow(length: number): void {
    const grown = new Uint8Array(Math.max(length, 2 * this.#bytes.length))
    grown.set(this.#bytes)
    this.#bytes = grown
  }
}
