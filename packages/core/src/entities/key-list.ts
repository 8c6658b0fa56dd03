/**
 * Many byte keys, and their order, found fast: by four bytes at a time, which the host's own sort of
 * numbers does without a call for each comparison, and again within each group of equal ones.
 */

import { writeAscii } from '../cbor/utf8.ts'

const encoder = new TextEncoder()
/** A position and four bytes fit into one float64: 21 and 32 bits. */
const POSITIONS_MAX = 2 ** 21
/** Fewer keys are compared key by key. */
const GROUP_MIN = 20
const FIRST_BYTES = 4096
const NO_BYTES = new Uint8Array(0)

export class KeyList {
  /** Where the keys lie. */
  #bytes: Uint8Array
  #buffer: ArrayBufferLike
  #base: number
  readonly #isShared: boolean
  #used = 0
  readonly #starts: number[] = []
  readonly #ends: number[] = []
  #heads = new Float64Array(0)

  /** With `shared`, all keys lie in there, and none is copied. */
  constructor(shared?: Uint8Array) {
    this.#bytes = shared ?? NO_BYTES
    this.#buffer = this.#bytes.buffer
    this.#base = this.#bytes.byteOffset
    this.#isShared = shared !== undefined
  }

  get size(): number {
    return this.#starts.length
  }

  /** Takes a copy, or the place of a view of what is shared. */
  add(key: Uint8Array): void {
    if (this.#isShared) {
      const start = key.byteOffset - this.#bytes.byteOffset
      this.addRange(start, start + key.length)
      return
    }
    const end = this.#used + key.length
    if (end > this.#bytes.length) this.#grow(end)
    this.#bytes.set(key, this.#used)
    this.addRange(this.#used, end)
    this.#used = end
  }

  /** As `add` of its UTF-8. */
  addText(text: string): void {
    const start = this.#used
    const end = start + text.length
    if (end > this.#bytes.length) this.#grow(end)
    if (!writeAscii(this.#bytes, start, text)) {
      this.add(encoder.encode(text))
      return
    }
    this.addRange(start, end)
    this.#used = end
  }

  /** A key that lies in what is shared. */
  addRange(start: number, end: number): void {
    this.#starts.push(start)
    this.#ends.push(end)
  }

  /** A view. */
  at(position: number): Uint8Array {
    const start = this.#starts[position] as number
    const length = (this.#ends[position] as number) - start
    // Twice as fast as `subarray`, and as asking for the buffer each time.
    return new Uint8Array(this.#buffer, this.#base + start, length)
  }

  /** All positions, in bytewise order of their keys; equal keys as they came. */
  sortedPositions(): Uint32Array {
    const positions = new Uint32Array(this.size)
    // Keys often come in order. Where they do not, two of the first mostly tell.
    let isSorted = true
    for (let i = 0; i < positions.length; i++) {
      positions[i] = i
      isSorted &&= i === 0 || this.#compare(i - 1, i) <= 0
    }
    if (isSorted) return positions
    this.#heads = new Float64Array(Math.min(this.size, POSITIONS_MAX))
    this.#sort(positions, 0, positions.length)
    return positions
  }

  isSame(a: number, b: number): boolean {
    return this.#compare(a, b) === 0
  }

  #sort(positions: Uint32Array, from: number, to: number): void {
    const size = to - from
    if (size < GROUP_MIN) {
      this.#sortFew(positions, from, to)
      return
    }
    if (size > POSITIONS_MAX) {
      this.#sortByComparing(positions, from, to)
      return
    }
    const heads = this.#heads.subarray(0, size)
    this.#readHeads(positions, from, to, heads)
    heads.sort()
    const before = positions.slice(from, to)
    // The heads are read before the scratch space is used again, for a group: its end goes there.
    const groupEnds: number[] = []
    for (let i = 0; i < size; i++) {
      const entry = heads[i] as number
      positions[from + i] = before[entry % POSITIONS_MAX] as number
      const next = i + 1 < size ? (heads[i + 1] as number) : Number.POSITIVE_INFINITY
      if (Math.floor(next / POSITIONS_MAX) !== Math.floor(entry / POSITIONS_MAX)) {
        groupEnds.push(from + i + 1)
      }
    }
    this.#sortGroups(positions, from, groupEnds)
  }

  #sortGroups(positions: Uint32Array, from: number, groupEnds: readonly number[]): void {
    let start = from
    for (let i = 0; i < groupEnds.length; i++) {
      const end = groupEnds[i] as number
      // Heads do not tell the end of a key from zeros: without this, a group might never get smaller.
      if (groupEnds.length === 1) this.#sortByComparing(positions, start, end)
      else if (end - start > 1) this.#sort(positions, start, end)
      start = end
    }
  }

  /** Four bytes behind what all keys share, and with them which key they are of. */
  #readHeads(positions: Uint32Array, from: number, to: number, heads: Float64Array): void {
    const bytes = this.#bytes
    const prefix = this.#sharedPrefix(positions, from, to)
    for (let i = from; i < to; i++) {
      const position = positions[i] as number
      const start = (this.#starts[position] as number) + prefix
      const end = this.#ends[position] as number
      let head = 0
      for (let at = start; at < start + 4; at++) {
        head = head * 256 + (at < end ? (bytes[at] as number) : 0)
      }
      heads[i - from] = head * POSITIONS_MAX + (i - from)
    }
  }

  #sharedPrefix(positions: Uint32Array, from: number, to: number): number {
    const bytes = this.#bytes
    const first = this.#starts[positions[from] as number] as number
    let length = (this.#ends[positions[from] as number] as number) - first
    for (let i = from + 1; i < to; i++) {
      const position = positions[i] as number
      const start = this.#starts[position] as number
      const max = Math.min(length, (this.#ends[position] as number) - start)
      let shared = 0
      while (shared < max && bytes[start + shared] === bytes[first + shared]) shared++
      length = shared
    }
    return length
  }

  /** By insertion. */
  #sortFew(positions: Uint32Array, from: number, to: number): void {
    for (let i = from + 1; i < to; i++) {
      const position = positions[i] as number
      let place = i
      while (place > from && this.#compare(positions[place - 1] as number, position) > 0) {
        positions[place] = positions[place - 1] as number
        place--
      }
      positions[place] = position
    }
  }

  #sortByComparing(positions: Uint32Array, from: number, to: number): void {
    const sorted = Array.from(positions.subarray(from, to)).sort((a, b) => this.#compare(a, b))
    positions.set(sorted, from)
  }

  #compare(a: number, b: number): number {
    const bytes = this.#bytes
    const aStart = this.#starts[a] as number
    const bStart = this.#starts[b] as number
    const aLength = (this.#ends[a] as number) - aStart
    const bLength = (this.#ends[b] as number) - bStart
    const length = aLength < bLength ? aLength : bLength
    for (let i = 0; i < length; i++) {
      const difference = (bytes[aStart + i] as number) - (bytes[bStart + i] as number)
      if (difference !== 0) return difference
    }
    return aLength - bLength
  }

  #grow(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length, FIRST_BYTES))
    grown.set(this.#bytes.subarray(0, this.#used))
    this.#bytes = grown
    this.#buffer = grown.buffer
    this.#base = 0
  }
}
