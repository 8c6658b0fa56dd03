/**
 * Which units of the data file are free: runs of units, in order, none touching another.
 * Kept in the file as the free list (`docs/format.md`, "Free list").
 */
import { assertInvariant } from '../errors/assert.ts'

export class SpaceMap {
  readonly #starts: number[] = []
  readonly #sizes: number[] = []
  /** Where the next search begins: what is written together comes to lie together. */
  #next = 0
  /** No free run is longer than this. */
  #sizeBound = 0
  #endUnit: number
  #freeUnits = 0

  constructor(endUnit: number) {
    this.#endUnit = endUnit
  }

  /** The file is used up to here. */
  get endUnit(): number {
    return this.#endUnit
  }

  get freeUnits(): number {
    return this.#freeUnits
  }

  *runs(): Generator<readonly [start: number, size: number], void, void> {
    for (const [index, start] of this.#starts.entries()) yield [start, this.#size(index)]
  }

  /** The first of `units` units in a row, which are no longer free. */
  allocate(units: number): number {
    if (units <= this.#sizeBound) {
      const found = this.#search(units)
      if (found !== undefined) return found
      this.#sizeBound = units - 1
    }
    const start = this.#endUnit
    this.#endUnit += units
    return start
  }

  /** From here on the lowest free units go first. */
  restart(): void {
    this.#next = 0
  }

  /** What is free at the end of the file no longer belongs to it. */
  trim(): void {
    const last = this.#starts.length - 1
    if (last < 0 || this.#start(last) + this.#size(last) !== this.#endUnit) return
    this.#freeUnits -= this.#size(last)
    this.#endUnit = this.#start(last)
    this.#remove(last)
  }

  free(start: number, units: number): void {
    assertInvariant(units > 0 && start + units <= this.#endUnit, 'only used units are freed')
    const index = this.#indexAfter(start)
    const previousEnd = index > 0 ? this.#start(index - 1) + this.#size(index - 1) : 0
    const nextStart = index < this.#starts.length ? this.#start(index) : Number.POSITIVE_INFINITY
    assertInvariant(previousEnd <= start && start + units <= nextStart, 'units are freed once')
    this.#freeUnits += units
    const joinsPrevious = index > 0 && previousEnd === start
    const joinsNext = nextStart === start + units
    if (joinsPrevious && joinsNext) {
      this.#resize(index - 1, this.#size(index - 1) + units + this.#size(index))
      this.#remove(index)
    } else if (joinsPrevious) {
      this.#resize(index - 1, this.#size(index - 1) + units)
    } else if (joinsNext) {
      this.#starts[index] = start
      this.#resize(index, this.#size(index) + units)
    } else {
      this.#starts.splice(index, 0, start)
      this.#sizes.splice(index, 0, units)
      this.#sizeBound = Math.max(this.#sizeBound, units)
    }
  }

  #search(units: number): number | undefined {
    const count = this.#starts.length
    for (let step = 0; step < count; step++) {
      const index = (this.#next + step) % count
      if (this.#size(index) < units) continue
      this.#next = index
      return this.#takeFrom(index, units)
    }
    return undefined
  }

  #takeFrom(index: number, units: number): number {
    const start = this.#start(index)
    const rest = this.#size(index) - units
    this.#freeUnits -= units
    if (rest === 0) {
      this.#remove(index)
    } else {
      this.#starts[index] = start + units
      this.#sizes[index] = rest
    }
    return start
  }

  #resize(index: number, size: number): void {
    this.#sizes[index] = size
    this.#sizeBound = Math.max(this.#sizeBound, size)
  }

  #remove(index: number): void {
    this.#starts.splice(index, 1)
    this.#sizes.splice(index, 1)
  }

  /** Index of the first run that starts behind `unit`. */
  #indexAfter(unit: number): number {
    let low = 0
    let high = this.#starts.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#start(middle) <= unit) low = middle + 1
      else high = middle
    }
    return low
  }

  #start(index: number): number {
    // In range by the loops above.
    return this.#starts[index] as number
  }

  #size(index: number): number {
    return this.#sizes[index] as number
  }
}
