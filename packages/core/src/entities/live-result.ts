/**
 * The result of a live query, in order, kept right by what changes. Of a query with a limit some more entities
 * are known than the limit asks for, so that one that leaves the result has its successor at hand.
 */
import { encodeEntity } from '../cbor/entity-encoder.ts'
import { bytesEqual } from '../store/bytes.ts'
import type { EntityChange } from './entity-change.ts'
import { knownVersion, rememberVersion } from './entity-version.ts'
import { takeOperand } from './operand.ts'
import type { OrderField, ParsedQuery } from './parsed-query.ts'
import type { Predicate } from './parsed-where.ts'
import { comparePlaces, type Place, placeOf } from './query-run.ts'

/** An entity of the result, or one that may come into it. */
export interface LiveRow {
  readonly place: Place
  readonly entity: object
}

/** Rows in order. */
export interface LiveRows {
  readonly rows: readonly LiveRow[]
  /** Every answer up to this place is among them; undefined: every answer there is. */
  readonly boundary: Place | undefined
}

const RESERVE_MIN = 16
const RESERVE_MAX = 256

export class LiveResult {
  readonly #order: readonly OrderField[]
  readonly #matches: Predicate
  readonly #limit: number
  #rows: readonly LiveRow[] = []
  #boundary: Place | undefined
  readonly #rowsById = new Map<string, LiveRow>()
  #items: readonly object[] | undefined

  constructor(query: ParsedQuery) {
    this.#order = query.order
    this.#limit = query.limit
    this.#matches = matcherOf(query)
  }

  /** So many rows are kept at most. */
  get capacity(): number {
    return this.#limit + Math.max(RESERVE_MIN, Math.min(RESERVE_MAX, this.#limit))
  }

  /** What the query answers. Frozen: it is handed to everybody. */
  get items(): readonly object[] {
    this.#items ??= this.#makeItems()
    return this.#items
  }

  /** There are fewer rows than the limit asks for, and more answers to be had behind `boundary`. */
  get needsMore(): boolean {
    return this.#boundary !== undefined && this.#rows.length < this.#limit
  }

  get boundary(): Place | undefined {
    return this.#boundary
  }

  get size(): number {
    return this.#rows.length
  }

  /** Starts anew. An entity that has the content it had before stays the object it was. */
  replace({ rows, boundary }: LiveRows): void {
    const kept = rows.map((row) => this.#keepObject(row))
    this.#rowsById.clear()
    for (const row of kept) this.#rowsById.set(row.place.id, row)
    this.#setRows(kept, boundary)
  }

  /** What was read behind the boundary. */
  extend({ rows, boundary }: LiveRows): void {
    for (const row of rows) this.#rowsById.set(row.place.id, row)
    this.#setRows([...this.#rows, ...rows], boundary)
  }

  /** A commit. Throws what a filter throws; then the result is of no use any more. */
  apply(changes: readonly EntityChange[]): void {
    const leaving: LiveRow[] = []
    const entering: LiveRow[] = []
    for (const change of changes) {
      const row = this.#rowsById.get(change.id)
      if (change.keepsContent) {
        if (row !== undefined) change.renew(row.entity)
        continue
      }
      if (row !== undefined) leaving.push(row)
      const entered = this.#rowAfter(change)
      if (entered !== undefined) entering.push(entered)
    }
    if (leaving.length === 0 && entering.length === 0) return
    for (const { place } of leaving) this.#rowsById.delete(place.id)
    for (const row of entering) this.#rowsById.set(row.place.id, row)
    this.#setRows(this.#exchange(leaving, entering), this.#boundary)
  }

  /** Undefined where the entity is none of the rows now. */
  #rowAfter(change: EntityChange): LiveRow | undefined {
    const { entityAfter } = change
    if (entityAfter === undefined || !this.#matches(entityAfter)) return undefined
    const place = keptPlace(entityAfter, this.#order)
    if (this.#boundary !== undefined && this.#compare(place, this.#boundary) > 0) return undefined
    // There is one after the change.
    return { place, entity: change.handOut() as object }
  }

  #makeItems(): readonly object[] {
    const size = Math.min(this.#limit, this.#rows.length)
    const items: object[] = []
    // Within bounds.
    for (let i = 0; i < size; i++) items.push((this.#rows[i] as LiveRow).entity)
    return Object.freeze(items)
  }

  #setRows(rows: readonly LiveRow[], boundary: Place | undefined): void {
    this.#items = undefined
    this.#rows = rows
    this.#boundary = boundary
    if (rows.length <= this.capacity) return
    this.#rows = rows.slice(0, this.capacity)
    this.#boundary = this.#rows.at(-1)?.place
    for (const { place } of rows.slice(this.capacity)) this.#rowsById.delete(place.id)
  }

  /** The rows without those that leave, and with those that enter. */
  #exchange(leaving: LiveRow[], entering: LiveRow[]): readonly LiveRow[] {
    const compare = (a: LiveRow, b: LiveRow) => this.#compare(a.place, b.place)
    leaving.sort(compare)
    entering.sort(compare)
    const rows: LiveRow[] = []
    let next = 0
    let left = 0
    const copyUntil = (end: number): void => {
      // Within bounds.
      while (next < end) rows.push(this.#rows[next++] as LiveRow)
    }
    const leaveUntil = (end: number): void => {
      for (; left < leaving.length; left++) {
        const at = this.#positionOf((leaving[left] as LiveRow).place)
        if (at >= end) return
        copyUntil(at)
        next = at + 1
      }
    }
    for (const row of entering) {
      const at = this.#positionOf(row.place)
      leaveUntil(at)
      copyUntil(at)
      rows.push(row)
    }
    leaveUntil(this.#rows.length)
    copyUntil(this.#rows.length)
    return rows
  }

  /** How many rows are before the place. */
  #positionOf(place: Place): number {
    let low = 0
    let high = this.#rows.length
    while (low < high) {
      const middle = (low + high) >>> 1
      // Within bounds.
      if (this.#compare((this.#rows[middle] as LiveRow).place, place) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  #compare(a: Place, b: Place): number {
    return comparePlaces(a, b, this.#order)
  }

  #keepObject(row: LiveRow): LiveRow {
    const before = this.#rowsById.get(row.place.id)
    if (before === undefined || !isSameState(before.entity, row.entity)) return row
    return { place: row.place, entity: before.entity }
  }
}

/** Does an entity answer the query, whatever its limit? */
export function matcherOf({ conditions, predicates }: ParsedQuery): Predicate {
  // Predicates come last, and a filter last of them: it sees only what the rest lets through.
  const tests = [...conditions.map(({ matches }) => matches), ...predicates]
  return (entity) => {
    for (const matches of tests) if (!matches(entity)) return false
    return true
  }
}

export function rowOf(entity: object, order: readonly OrderField[]): LiveRow {
  return { place: keptPlace(entity, order), entity }
}

/** A Date that was handed out may be changed by whoever has it: the place keeps a copy. */
function keptPlace(entity: object, order: readonly OrderField[]): Place {
  const { values, id } = placeOf(entity, order)
  return { values: values.map(keptValue), id }
}

function keptValue(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? takeOperand(value, 'a field') : value
}

/** If so, the object that stays counts as the later version. */
function isSameState(held: object, read: object): boolean {
  const version = knownVersion(read)
  if (version === undefined) return false
  if (knownVersion(held)?.stamp === version.stamp) return true
  if (!bytesEqual(encodeEntity(held), encodeEntity(read))) return false
  rememberVersion(held, { stamp: version.stamp, revision: version.revision })
  return true
}
