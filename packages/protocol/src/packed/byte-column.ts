/** Bytes that are written behind each other, from a handful to a page of them. */
import { ByteRun, putBytes, SLACK_BYTES } from './byte-run.ts'

const FIRST_BYTES = 64

export class ByteColumn {
  #run = new ByteRun(new Uint8Array(FIRST_BYTES))
  #length = 0
  #lengthBefore = 0

  /** A view of what was written, good until more is. */
  get written(): Uint8Array {
    return this.#run.bytes.subarray(0, this.#length)
  }

  /** Appends `from[start, end)`. */
  append(from: ByteRun, start: number, end: number): void {
    const at = this.#length
    const behind = at + end - start
    if (behind > this.#run.wordsEnd) this.#grow(behind + SLACK_BYTES)
    this.#lengthBefore = at
    this.#length = putBytes(this.#run, at, from, start, end)
  }

  /** As if what was appended last had not been. */
  undo(): void {
    this.#length = this.#lengthBefore
  }

  #grow(needed: number): void {
    const { bytes } = this.#run
    const grown = new Uint8Array(Math.max(needed, 4 * bytes.length))
    grown.set(bytes)
    this.#run = new ByteRun(grown)
  }
}
