/**
 * Finds the live queries of a collection that an entity may concern, without asking each of them: by the values
 * that they fix (`live-groups.ts`), or else by an interval that they leave one field (`live-intervals.ts`); those of
 * an `or` by each of its parts. The others are always found. Finding one too many does no harm: it tests the
 * entity itself.
 */
import { type FieldReader, fieldReader } from './field-path.ts'
import { type FixedField, fixedFields, LiveGroups } from './live-groups.ts'
import { type FieldInterval, fieldInterval, LiveIntervals } from './live-intervals.ts'
import type { ParsedQuery } from './parsed-query.ts'
import type { ParsedCondition } from './parsed-where.ts'

/** What a query is found by. */
export type Demands = Pick<ParsedQuery, 'conditions' | 'alternatives'>

/** One of the two: values, or an interval. */
type Place =
  | { readonly fields: readonly FixedField[]; readonly interval?: never }
  | { readonly interval: FieldInterval; readonly fields?: never }

interface IntervalsOfField<Q> {
  readonly read: FieldReader
  readonly intervals: LiveIntervals<Q>
}

export class LiveDispatch<Q> {
  readonly #queries = new Set<Q>()
  readonly #groups = new LiveGroups<Q>()
  readonly #intervalsByPath = new Map<string, IntervalsOfField<Q>>()
  readonly #others = new Set<Q>()

  /** Every query. */
  get queries(): ReadonlySet<Q> {
    return this.#queries
  }

  add(query: Q, demands: Demands): void {
    this.#queries.add(query)
    const places = placesOf(demands)
    if (places === undefined) this.#others.add(query)
    else for (const place of places) this.#addAt(place, query)
  }

  remove(query: Q, demands: Demands): void {
    this.#queries.delete(query)
    this.#others.delete(query)
    for (const place of placesOf(demands) ?? []) this.#removeAt(place, query)
  }

  /** Adds those that the entity may concern to `found`. */
  find(entity: object, found: Set<Q>): void {
    this.#groups.find(entity, found)
    for (const { read, intervals } of this.#intervalsByPath.values()) {
      intervals.find(read(entity), found)
    }
    for (const query of this.#others) found.add(query)
  }

  #addAt({ fields, interval }: Place, query: Q): void {
    if (fields !== undefined) {
      this.#groups.add(query, fields)
      return
    }
    let known = this.#intervalsByPath.get(interval.path)
    if (known === undefined) {
      known = { read: fieldReader(interval.path), intervals: new LiveIntervals() }
      this.#intervalsByPath.set(interval.path, known)
    }
    known.intervals.add(query, interval)
  }

  #removeAt({ fields, interval }: Place, query: Q): void {
    if (fields !== undefined) {
      this.#groups.remove(query, fields)
      return
    }
    const known = this.#intervalsByPath.get(interval.path)
    known?.intervals.remove(query)
    if (known?.intervals.isEmpty === true) this.#intervalsByPath.delete(interval.path)
  }
}

/** An entity that the query lets through belongs to one of them. Undefined: it may be anywhere. */
function placesOf({ conditions, alternatives }: Demands): readonly Place[] | undefined {
  const own = placeOf(conditions)
  if (own?.fields !== undefined) return [own]
  const ofAlternatives = alternatives
    .map((parts) => parts.map((part) => placeOf(part.conditions)))
    .filter((places): places is Place[] => places.every((place) => place !== undefined))
  const fixed = ofAlternatives.find((places) => places.every(({ fields }) => fields !== undefined))
  return fixed ?? (own === undefined ? ofAlternatives[0] : [own])
}

function placeOf(conditions: readonly ParsedCondition[]): Place | undefined {
  const fields = fixedFields(conditions)
  if (fields.length > 0) return { fields }
  const interval = fieldInterval(conditions)
  return interval === undefined ? undefined : { interval }
}
