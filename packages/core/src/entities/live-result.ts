/**
 * The result of a live query, in order, kept right by what changes. Of a query with a limit some more entities
 * are known than the limit asks for, so that one that leaves the result has its successor at hand.
 */
import { encodeEntity } from '../cbor/entity-encoder.ts'
import { NO_LIMIT } from '../cbor/entity-limits.ts'
import { bytesEqual } from '../store/bytes.ts'
import type { EntityChange } from './entity-change.ts'
import { knownVersion, rememberVersion } from './entity-version.ts'
import type { Exchange } from './live-changes.ts'
import { takeOperand } from './operand.ts'
import type { OrderField, ParsedQuery } from './parsed-query.ts'
import type { Predicate } from './parsed-where.ts'
import { comparePlaces, type Place, placeOf } from './place.ts'

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

/** Up to so many rows are taken out of and put into the list as it is; for more, it is written anew. */
const EXCHANGED_IN_PLACE_MAX = 8

export class LiveResult {
  readonly #order: readonly OrderField[]
  readonly #matches: Predicate
  readonly #limit: number
  #rows: LiveRow[] = []
  /** Of the rows: what is handed out is copied from here. */
  #entities: object[] = []
  readonly #rowsById = new Map<string, LiveRow>()
  #boundary: Place | undefined

  constructor(query: ParsedQuery) {
    this.#order = query.order
    this.#limit = query.limit
    this.#matches = matcherOf(query)
  }

  /** So many rows are kept at most. */
  get capacity(): number {
    return this.#limit + Math.max(RESERVE_MIN, Math.min(RESERVE_MAX, this.#limit))
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

  /** What the query answers now: a list of its own for each call. */
  items(): readonly object[] {
    return this.#entities.slice(0, this.#limit)
  }

  /** Starts anew. An entity that has the content it had before stays the object it was. */
  replace({ rows, boundary }: LiveRows): void {
    this.#setRows(rows.map((row) => this.#keepObject(row)))
    this.#rowsById.clear()
    for (const row of this.#rows) this.#rowsById.set(row.place.id, row)
    this.#boundary = boundary
  }

  /** What was read behind the boundary. */
  extend({ rows, boundary }: LiveRows): void {
    for (const row of rows) this.#rowsById.set(row.place.id, row)
    this.#setRows([...this.#rows, ...rows])
    this.#boundary = boundary
  }

  /**
   * A commit. Answers the places of rows that are exchanged by it, undefined if there are none. Throws what a
   * filter throws; then the result is of no use any more.
   */
  apply(changes: readonly EntityChange[]): Exchange | undefined {
    const rowsLeaving: LiveRow[] = []
    const rowsEntering: LiveRow[] = []
    for (const change of changes) {
      const row = this.#rowsById.get(change.id)
      if (change.keepsContent || (row !== undefined && isSameInOtherShape(row.entity, change))) {
        if (row !== undefined) change.renew(row.entity)
        continue
      }
      if (row !== undefined) rowsLeaving.push(row)
      const entered = this.#rowAfter(change)
      if (entered !== undefined) rowsEntering.push(entered)
    }
    if (rowsLeaving.length === 0 && rowsEntering.length === 0) return undefined
    for (const { place } of rowsLeaving) this.#rowsById.delete(place.id)
    for (const row of rowsEntering) this.#rowsById.set(row.place.id, row)
    const leaving = rowsLeaving.map(({ place }) => this.#positionOf(place)).sort(ascending)
    rowsEntering.sort((a, b) => this.#compare(a.place, b.place))
    const entering = this.#placesOf(rowsEntering, leaving)
    this.#exchange(leaving, entering, rowsEntering)
    this.#cutToCapacity()
    return { leaving, entering }
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

  /** Where sorted rows will be once the others have left and all of them are there. */
  #placesOf(rows: readonly LiveRow[], leaving: readonly number[]): readonly number[] {
    let left = 0
    return rows.map(({ place }, i) => {
      const position = this.#positionOf(place)
      while (left < leaving.length && (leaving[left] as number) < position) left++
      return position - left + i
    })
  }

  #exchange(
    leaving: readonly number[],
    entering: readonly number[],
    rows: readonly LiveRow[],
  ): void {
    if (leaving.length + entering.length > EXCHANGED_IN_PLACE_MAX) {
      this.#setRows(exchanged(this.#rows, leaving, entering, rows))
      return
    }
    for (const index of [...leaving].reverse()) {
      this.#rows.splice(index, 1)
      this.#entities.splice(index, 1)
    }
    entering.forEach((index, i) => {
      // As many places as rows.
      const row = rows[i] as LiveRow
      this.#rows.splice(index, 0, row)
      this.#entities.splice(index, 0, row.entity)
    })
  }

  #cutToCapacity(): void {
    const { capacity } = this
    if (this.#rows.length <= capacity) return
    this.#entities.length = capacity
    for (const { place } of this.#rows.splice(capacity)) this.#rowsById.delete(place.id)
    this.#boundary = this.#rows.at(-1)?.place
  }

  #setRows(rows: LiveRow[]): void {
    this.#rows = rows
    this.#entities = rows.map(({ entity }) => entity)
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

function ascending(a: number, b: number): number {
  return a - b
}

/** A list without the items at `leaving`, and with `items` at `entering`. */
function exchanged<T>(
  list: readonly T[],
  leaving: readonly number[],
  entering: readonly number[],
  items: readonly T[],
): T[] {
  const result: T[] = []
  let next = 0
  let left = 0
  let entered = 0
  while (next < list.length || entered < items.length) {
    if (result.length === entering[entered]) {
      // As many places as items.
      result.push(items[entered++] as T)
    } else if (next === leaving[left]) {
      next++
      left++
    } else {
      // Within bounds: what enters behind the end is the last.
      result.push(list[next++] as T)
    }
  }
  return result
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
  if (!isSameContent(held, read)) return false
  const { stamp, revision, shape } = version
  rememberVersion(held, { stamp, revision, shape })
  return true
}

/** A new version of the shape that makes no difference to this entity. */
function isSameInOtherShape(held: object, change: EntityChange): boolean {
  if (!change.changesShape) return false
  const { entityAfter } = change
  return entityAfter !== undefined && isSameContent(held, entityAfter)
}

function isSameContent(a: object, b: object): boolean {
  return bytesEqual(encodeEntity(a, NO_LIMIT), encodeEntity(b, NO_LIMIT))
}
