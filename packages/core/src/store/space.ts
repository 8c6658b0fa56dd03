/**
 * Which units of the data file are free: runs of units, in order, none touching another.
 * Kept in the file as the free list (`docs/format.md`, "Free list").
 */
import { assertInvariant } from '../errors/assert.ts'
import { type Extent, unitsOf } from './extent.ts'
import { diskFull } from './store-errors.ts'

/** More units than any extent has: with its place above them in one number, extents are sorted as numbers. */
const EXTENT_UNITS_BOUND = 2 ** 21
/** The file has 32 bits for where it ends. */
const UNITS_MAX = 2 ** 32 - 1

export class SpaceMap {
  #starts: number[] = []
  #sizes: number[] = []
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

  /** How many runs are free. */
  get runCount(): number {
    return this.#starts.length
  }

  copy(): SpaceMap {
    const copy = new SpaceMap(this.#endUnit)
    copy.#starts = this.#starts.slice()
    copy.#sizes = this.#sizes.slice()
    copy.#sizeBound = this.#sizeBound
    copy.#freeUnits = this.#freeUnits
    return copy
  }

  /** In order. With a callback: there may be very many, and a generator would make an object of each. */
  forEachRun(visit: (start: number, size: number) => void): void {
    for (let i = 0; i < this.#starts.length; i++) visit(this.#start(i), this.#size(i))
  }

  /** The first of `units` units in a row, which are no longer free. Error: `disk_full`, at two tebibytes. */
  allocate(units: number): number {
    if (units <= this.#sizeBound) {
      const found = this.#search(units)
      if (found !== undefined) return found
      this.#sizeBound = units - 1
    }
    const start = this.#endUnit
    if (start + units > UNITS_MAX) throw diskFull(new Error('the data file has its largest size'))
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

  /** These are used from now on, as far as they were free. */
  take({ start, bytes }: Extent): void {
    const index = this.#indexAfter(start) - 1
    const end = index < 0 ? 0 : this.#start(index) + this.#size(index)
    const units = unitsOf(bytes)
    if (start >= end) return
    assertInvariant(start + units <= end, 'an extent is free or used as a whole')
    const runStart = this.#start(index)
    this.#freeUnits -= units
    if (start + units < end) {
      this.#starts.splice(index + 1, 0, start + units)
      this.#sizes.splice(index + 1, 0, end - start - units)
    }
    if (runStart < start) this.#sizes[index] = start - runStart
    else this.#remove(index)
  }

  /** As `free` for each of them, in one pass: there may be very many. */
  freeAll(extents: readonly Extent[]): void {
    const sorted = new Float64Array(extents.length)
    for (let i = 0; i < sorted.length; i++) sorted[i] = extentNumber(extents[i] as Extent)
    sorted.sort()
    const joined = new SpaceMap(this.#endUnit)
    let index = 0
    for (let i = 0; i < sorted.length; i++) {
      const number = sorted[i] as number
      const start = Math.floor(number / EXTENT_UNITS_BOUND)
      while (index < this.#starts.length && this.#start(index) < start) {
        joined.#append(this.#start(index), this.#size(index))
        index++
      }
      joined.#append(start, number % EXTENT_UNITS_BOUND)
    }
    for (; index < this.#starts.length; index++) {
      joined.#append(this.#start(index), this.#size(index))
    }
    this.#next = 0
    this.#starts = joined.#starts
    this.#sizes = joined.#sizes
    this.#sizeBound = joined.#sizeBound
    this.#freeUnits = joined.#freeUnits
  }

  /** A free run behind all others. */
  #append(start: number, size: number): void {
    const last = this.#starts.length - 1
    const end = last < 0 ? -1 : this.#start(last) + this.#size(last)
    assertInvariant(start >= end, 'units are freed once')
    assertInvariant(start + size <= this.#endUnit, 'only used units are freed')
    this.#freeUnits += size
    if (start === end) {
      this.#resize(last, this.#size(last) + size)
    } else {
      this.#starts.push(start)
      this.#sizes.push(size)
      this.#sizeBound = Math.max(this.#sizeBound, size)
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

function extentNumber({ start, bytes }: Extent): number {
  const units = unitsOf(bytes)
  assertInvariant(units < EXTENT_UNITS_BOUND, 'an extent has less than a gibibyte')
  return start * EXTENT_UNITS_BOUND + units
}
