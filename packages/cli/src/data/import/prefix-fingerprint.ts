/** A hash of the beginning of a stream, up to any place that was read. */
import { createHash } from 'node:crypto'

export class PrefixFingerprint {
  readonly #hash = createHash('sha256')
  /** Read, and not hashed yet. */
  #waiting: Uint8Array[] = []
  #hashedBytes = 0
  #readBytes = 0

  get readBytes(): number {
    return this.#readBytes
  }

  /** The next bytes of the stream, which must not be changed. They are held until `advanceTo` passes them. */
  add(chunk: Uint8Array): void {
    this.#waiting.push(chunk)
    this.#readBytes += chunk.length
  }

  /** The prefix ends at `offset` now, or where what was read ends. */
  advanceTo(offset: number): void {
    for (let left = offset - this.#hashedBytes; left > 0; left = offset - this.#hashedBytes) {
      const [chunk] = this.#waiting
      if (chunk === undefined) return
      const piece = chunk.subarray(0, left)
      this.#hash.update(piece)
      this.#hashedBytes += piece.length
      if (piece.length === chunk.length) this.#waiting.shift()
      else this.#waiting[0] = chunk.subarray(piece.length)
    }
  }

  /** Of the prefix: SHA-256, in base64. */
  digest(): string {
    return this.#hash.copy().digest('base64')
  }
}
