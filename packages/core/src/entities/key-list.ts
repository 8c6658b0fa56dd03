/**
 * Many byte keys in one buffer, and their order, found fast: by four bytes at a time, which the host's own
 * sort of numbers does without a call for each comparison, and again within each group of equal ones.
 */

/** A position and four bytes fit into one float64: 21 and 32 bits. */
const GROUP_MAX = 2 ** 21
/** Smaller groups are compared key by key. */
const GROUP_MIN = 12
const FIRST_BYTES = 4096

export class KeyList {
  #bytes = new Uint8Array(FIRST_BYTES)
  /** Key `i` is `[bounds[i], bounds[i + 1])` of the bytes. */
  readonly #bounds: number[] = [0]

  get size(): number {
    return this.#bounds.length - 1
  }

  /** Takes a copy. */
  add(key: Uint8Array): void {
    const start = this.#bound(this.size)
    const end = start + key.length
    if (end > this.#bytes.length) this.#grow(end)
    this.#bytes.set(key, start)
    this.#bounds.push(end)
  }

  /** A view. */
  at(position: number): Uint8Array {
    return this.#bytes.subarray(this.#bound(position), this.#bound(position + 1))
  }

  /** All positions, in bytewise order of their keys; equal keys as they came. */
  sortedPositions(): Uint32Array {
    const positions = Uint32Array.from({ length: this.size }, (_, i) => i)
    this.#sort(positions)
    return positions
  }

  #sort(positions: Uint32Array): void {
    const size = positions.length
    if (size < GROUP_MIN) {
      this.#sortFew(positions)
      return
    }
    if (size > GROUP_MAX) {
      this.#sortByComparing(positions)
      return
    }
    const prefix = this.#sharedPrefix(positions)
    const heads = new Float64Array(size)
    for (let i = 0; i < size; i++) {
      heads[i] = this.#headAfter(positions[i] as number, prefix) * GROUP_MAX + i
    }
    heads.sort()
    const before = positions.slice()
    for (let i = 0; i < size; i++) {
      positions[i] = before[(heads[i] as number) % GROUP_MAX] as number
    }
    this.#sortGroups(positions, heads)
  }

  #sortGroups(positions: Uint32Array, heads: Float64Array): void {
    let start = 0
    for (let i = 1; i <= heads.length; i++) {
      if (i < heads.length && headOf(heads[i]) === headOf(heads[start])) continue
      const group = positions.subarray(start, i)
      // Heads do not tell the end of a key from zeros: without this, a group might never get smaller.
      if (group.length === heads.length) this.#sortByComparing(group)
      else if (group.length > 1) this.#sort(group)
      start = i
    }
  }

  /** The four bytes from `prefix` on; a missing one counts as zero. */
  #headAfter(position: number, prefix: number): number {
    const start = this.#bound(position) + prefix
    const end = this.#bound(position + 1)
    let head = 0
    for (let i = start; i < start + 4; i++) {
      head = head * 256 + (i < end ? (this.#bytes[i] as number) : 0)
    }
    return head
  }

  #sharedPrefix(positions: Uint32Array): number {
    const bytes = this.#bytes
    const first = this.#bound(positions[0] as number)
    let length = this.#bound((positions[0] as number) + 1) - first
    for (let i = 1; i < positions.length; i++) {
      const position = positions[i] as number
      const start = this.#bound(position)
      const max = Math.min(length, this.#bound(position + 1) - start)
      let shared = 0
      while (shared < max && bytes[start + shared] === bytes[first + shared]) shared++
      length = shared
    }
    return length
  }

  /** By insertion. */
  #sortFew(positions: Uint32Array): void {
    for (let i = 1; i < positions.length; i++) {
      const position = positions[i] as number
      let place = i
      while (place > 0 && this.#compare(positions[place - 1] as number, position) > 0) {
        positions[place] = positions[place - 1] as number
        place--
      }
      positions[place] = position
    }
  }

  #compare(a: number, b: number): number {
    const bytes = this.#bytes
    const aStart = this.#bound(a)
    const bStart = this.#bound(b)
    const aLength = this.#bound(a + 1) - aStart
    const bLength = this.#bound(b + 1) - bStart
    const length = aLength < bLength ? aLength : bLength
    for (let i = 0; i < length; i++) {
      const difference = (bytes[aStart + i] as number) - (bytes[bStart + i] as number)
      if (difference !== 0) return difference
    }
    return aLength - bLength
  }

  #sortByComparing(positions: Uint32Array): void {
    positions.set(Array.from(positions).sort((a, b) => this.#compare(a, b)))
  }

  #grow(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length))
    grown.set(this.#bytes)
    this.#bytes = grown
  }

  #bound(index: number): number {
    // In range by the callers.
    return this.#bounds[index] as number
  }
}

function headOf(entry: number | undefined): number {
  return entry === undefined ? -1 : Math.floor(entry / GROUP_MAX)
}
