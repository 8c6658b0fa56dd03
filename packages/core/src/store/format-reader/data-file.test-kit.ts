/** `docs/format.md`, "Extents": the tree of the last checkpoint, and where every unit of the file is. */
import {
  checksumOf,
  Fields,
  FormatProblem,
  fixedFields,
  isEqual,
  orderOf,
} from './fields.test-kit.ts'
import { DATA, type Reference, readSuperblock, type Superblock } from './superblock.test-kit.ts'

const LEAF = 1
const BRANCH = 2
const VALUE = 3
const CATALOG = 4
const FREE_LIST = 5
const HEADER_BYTES = 24
const FIRST_UNIT = 16

/** Key and value in hexadecimal, in key order. */
export type Entries = Map<string, string>

export interface DataFile {
  readonly superblock: Superblock
  readonly tables: Map<string, Entries>
  readonly freeUnits: number
  /** Extents by kind, for those who want to know what was read. */
  readonly extents: ReadonlyMap<number, number>
}

/** Reads all of it. Throws what is wrong, a unit that is used twice or by nobody included. */
export function readDataFile(data: Uint8Array): DataFile {
  const superblock = readSuperblock(data)
  const reading = new Reading(data, superblock)
  const tables = reading.catalog()
  const freeUnits = reading.freeList()
  reading.assertEveryUnitHasOneUse()
  return { superblock, tables, freeUnits, extents: reading.extents }
}

interface Extent {
  readonly kind: number
  readonly count: number
  readonly fields: Fields
  readonly payload: Uint8Array
}

/** Keys of a subtree are at or above `low` and below `high`. */
interface Bounds {
  readonly low: Uint8Array | undefined
  readonly high: Uint8Array | undefined
}

class Reading {
  readonly extents = new Map<number, number>()
  readonly #data: Uint8Array
  readonly #superblock: Superblock
  /** How often each unit is used. */
  readonly #uses: Uint8Array

  constructor(data: Uint8Array, superblock: Superblock) {
    this.#data = data
    this.#superblock = superblock
    this.#uses = new Uint8Array(superblock.endUnit)
    this.#use(0, FIRST_UNIT)
  }

  catalog(): Map<string, Entries> {
    const tables = new Map<string, Entries>()
    const place = this.#superblock.catalog
    if (place === undefined) return tables
    const { count, fields } = this.#extent(place, [CATALOG])
    if (fields.varint() !== this.#superblock.checkpointLsn)
      throw fields.problem('it is of another commit than the superblock')
    for (let i = 0; i < count; i++) {
      const name = fields.text()
      const size = fields.varint()
      const entries: Entries = new Map()
      this.#node(referenceFrom(fields), { low: undefined, high: undefined }, entries)
      if (size !== entries.size || size === 0)
        throw fields.problem('the number of entries is wrong')
      if (tables.has(name)) throw fields.problem('a table is named twice')
      tables.set(name, entries)
    }
    if (!fields.isAtEnd) throw fields.problem('something follows the last table')
    return tables
  }

  freeList(): number {
    const place = this.#superblock.freeList
    if (place === undefined) return 0
    const { count, fields, payload } = this.#extent(place, [FREE_LIST])
    if (count * 8 > payload.length) throw fields.problem('more runs than there is room for')
    const { u32 } = fixedFields(payload)
    let freeUnits = 0
    let lastEnd = 0
    for (let i = 0; i < count; i++) {
      const start = u32(i * 8)
      const units = u32(i * 8 + 4)
      if (start <= lastEnd || units === 0) throw fields.problem('runs are in disorder')
      this.#use(start, units)
      lastEnd = start + units
      freeUnits += units
    }
    return freeUnits
  }

  assertEveryUnitHasOneUse(): void {
    const unit = this.#uses.findIndex((uses) => uses !== 1)
    if (unit < 0) return
    const what = `unit ${unit} of ${this.#uses.length} is used ${this.#uses[unit]} times`
    throw new FormatProblem('corrupt', DATA, unit * 512, what)
  }

  /** Adds the entries under a node; the answer is how many levels there are. */
  #node(place: Reference, bounds: Bounds, entries: Entries): number {
    const extent = this.#extent(place, [LEAF, BRANCH])
    if (extent.count === 0) throw extent.fields.problem('an empty node')
    const levels =
      extent.kind === LEAF
        ? this.#leaf(extent, bounds, entries)
        : this.#branch(extent, bounds, entries)
    if (!extent.fields.isAtEnd) throw extent.fields.problem('something follows the last item')
    return levels
  }

  #leaf({ count, fields }: Extent, bounds: Bounds, entries: Entries): number {
    let last: Uint8Array | undefined
    for (let i = 0; i < count; i++) {
      const keyLength = fields.varint()
      const tag = fields.varint()
      const key = fields.take(keyLength)
      if (last !== undefined && orderOf(last, key) >= 0) throw fields.problem('keys in disorder')
      if (!isWithin(key, bounds)) throw fields.problem('a key on the wrong side of a separator')
      last = key
      const value = this.#value(tag, fields)
      entries.set(hexOf(key), hexOf(value))
    }
    return 1
  }

  #value(tag: number, fields: Fields): Uint8Array {
    if (tag % 2 === 0) return fields.take(tag / 2)
    if (tag !== 1) throw fields.problem(`unknown tag ${tag}`)
    const { count, payload } = this.#extent(referenceFrom(fields), [VALUE])
    if (count !== 1) throw fields.problem('a value that is not one')
    return payload
  }

  #branch({ count, fields }: Extent, { low, high }: Bounds, entries: Entries): number {
    let levels: number | undefined
    let from = low
    for (let i = 0; i < count; i++) {
      const child = referenceFrom(fields)
      const to = i + 1 < count ? fields.string() : high
      if (from !== undefined && to !== undefined && orderOf(from, to) >= 0) {
        throw fields.problem('separators in disorder')
      }
      const found = this.#node(child, { low: from, high: to }, entries)
      levels ??= found
      if (found !== levels) throw fields.problem('leaves at different depths')
      from = to
    }
    return (levels ?? 0) + 1
  }

  #extent({ unit, bytes }: Reference, kinds: readonly number[]): Extent {
    const offset = unit * 512
    const problem = (what: string) => new FormatProblem('corrupt', DATA, offset, what)
    const whole = this.#data.subarray(offset, offset + bytes)
    if (bytes < HEADER_BYTES || whole.length < bytes) throw problem('an extent is cut')
    const { u32 } = fixedFields(whole)
    const header = whole.subarray(0, 20)
    const payload = whole.subarray(HEADER_BYTES)
    if (checksumOf(payload, header) !== u32(20)) throw problem('a bad checksum')
    const kind = u32(0)
    if (!kinds.includes(kind)) throw problem(`an extent of kind ${kind}`)
    if (u32(4) !== payload.length) throw problem('an extent of another length')
    if (u32(8) !== unit) throw problem('an extent of another place')
    const ownId = this.#superblock.storeId.subarray(0, 4)
    if (!isEqual(whole.subarray(12, 16), ownId)) throw problem('an extent of another store')
    this.#use(unit, Math.ceil(bytes / 512))
    this.extents.set(kind, (this.extents.get(kind) ?? 0) + 1)
    const fields = new Fields(payload, DATA, offset + HEADER_BYTES)
    return { kind, count: u32(16), fields, payload }
  }

  #use(start: number, units: number): void {
    if (start + units > this.#uses.length) {
      throw new FormatProblem('corrupt', DATA, start * 512, 'beyond the end unit')
    }
    for (let unit = start; unit < start + units; unit++) this.#uses[unit] = this.#usesOf(unit) + 1
  }

  #usesOf(unit: number): number {
    return this.#uses[unit] ?? 0
  }
}

function referenceFrom(fields: Fields): Reference {
  const unit = fields.varint()
  return { unit, bytes: fields.varint() }
}

function isWithin(key: Uint8Array, { low, high }: Bounds): boolean {
  if (low !== undefined && orderOf(key, low) < 0) return false
  return high === undefined || orderOf(key, high) < 0
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}
