/**
 * Joins the chunks of a body as they come. They are copied: a sender may cut a body into chunks of a byte, and an
 * object for each would take a hundred times their size.
 */
export class ByteCollector {
  readonly #bytesMax: number
  #buffer = new Uint8Array(0)
  #length = 0

  /** What is added has at most `bytesMax` bytes in all. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get length(): number {
    return this.#length
  }

  add(chunk: Uint8Array): void {
    const length = this.#length + chunk.length
    if (length > this.#buffer.length) this.#grow(length)
    this.#buffer.set(chunk, this.#length)
    this.#length = length
  }

  /** A view of what was added. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length)
  }

  #grow(length: number): void {
    const grown = new Uint8Array(Math.max(length, Math.min(2 * length, this.#bytesMax)))
    grown.set(this.bytes)
    this.#buffer = grown
  }
}
