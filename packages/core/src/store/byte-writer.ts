/**
 * Builds a byte string in pieces: small fields are gathered in blocks, big byte strings are taken by
 * reference (whoever hands them in never changes them again). Numbers are little-endian.
 */
import { allocateBytes } from './byte-slab.ts'
import { writeVarint } from './varint.ts'

const FIRST_BLOCK_BYTES = 1024
const BLOCK_BYTES_MAX = 64 * 1024
/** From here on, referring to a byte string is cheaper than copying it. */
const REFERENCED_BYTES_MIN = 16 * 1024
const PAIR_HEAD_BYTES_MAX = 1 + 3 * 8

export class ByteWriter {
  readonly #finished: Uint8Array[] = []
  #block = allocateBytes(FIRST_BLOCK_BYTES)
  #used = 0
  #finishedBytes = 0

  get byteLength(): number {
    return this.#finishedBytes + this.#used
  }

  /** What was written so far, in order. The writer must not be used afterwards. */
  chunks(): readonly Uint8Array[] {
    if (this.#used > 0) this.#finishBlock()
    return this.#finished
  }

  byte(value: number): void {
    this.#reserve(1)
    this.#block[this.#used++] = value
  }

  /** An unsigned integer up to 2^53 - 1 in groups of seven bits, the lowest first. */
  varint(value: number): void {
    this.#reserve(8)
    this.#used = writeVarint(this.#block, this.#used, value)
  }

  /** A byte, a varint, the two lengths as varints, the two byte strings: what a log is full of, in one go. */
  pair(kind: number, number: number, first: Uint8Array, second: Uint8Array): void {
    const size = PAIR_HEAD_BYTES_MAX + first.length + second.length
    if (size > REFERENCED_BYTES_MIN) {
      this.byte(kind)
      this.varint(number)
      this.varint(first.length)
      this.varint(second.length)
      this.bytes(first)
      this.bytes(second)
      return
    }
    this.#reserve(size)
    const block = this.#block
    block[this.#used] = kind
    let at = writeVarint(block, this.#used + 1, number)
    at = writeVarint(block, at, first.length)
    at = writeVarint(block, at, second.length)
    copyInto(block, at, first)
    at += first.length
    copyInto(block, at, second)
    this.#used = at + second.length
  }

  bytes(value: Uint8Array): void {
    const length = value.length
    if (length >= REFERENCED_BYTES_MIN) {
      if (this.#used > 0) this.#finishBlock()
      this.#finished.push(value)
      this.#finishedBytes += length
      return
    }
    this.#reserve(length)
    copyInto(this.#block, this.#used, value)
    this.#used += length
  }

  #reserve(length: number): void {
    if (this.#used + length <= this.#block.length) return
    const size = Math.max(length, Math.min(this.#block.length * 2, BLOCK_BYTES_MAX))
    if (this.#used > 0) this.#finishBlock()
    this.#block = new Uint8Array(size)
  }

  #finishBlock(): void {
    this.#finished.push(this.#block.subarray(0, this.#used))
    this.#finishedBytes += this.#used
    this.#block = this.#block.subarray(this.#used)
    this.#used = 0
  }
}

/** Short copies are faster in a loop than through `set`. */
export function copyInto(target: Uint8Array, offset: number, source: Uint8Array): void {
  if (source.length > 32) {
    target.set(source, offset)
    return
  }
  for (let i = 0; i < source.length; i++) target[offset + i] = source[i] as number
}
