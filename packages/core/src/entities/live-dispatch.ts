/**
 * Finds the live queries of a collection that an entity may concern, without asking each of them: by the values
 * that they fix (`live-groups.ts`), or else by an interval that they leave one field (`live-intervals.ts`); those of
 * an `or` by each of its parts. The others are always found. Finding one too many does no harm: it tests the
 * entity itself.
 */
import { LiveBucket } from './live-bucket.ts'
import { type FixedField, fixedFields, LiveGroups } from './live-groups.ts'
import { type FieldInterval, fieldInterval } from './live-intervals.ts'
import type { ParsedQuery } from './parsed-query.ts'
import type { ParsedCondition } from './parsed-where.ts'

/** What a query is found by. */
export type Demands = Pick<ParsedQuery, 'conditions' | 'alternatives'>

/** Values, and an interval of another field. */
interface Place {
  /** May be none. */
  readonly fields: readonly FixedField[]
  readonly interval: FieldInterval | undefined
}

const ANYWHERE: Place = { fields: [], interval: undefined }

export class LiveDispatch<Q> {
  readonly #queries = new Set<Q>()
  readonly #groups = new LiveGroups<Q>()
  /** Those that fix no value. */
  readonly #others = new LiveBucket<Q>()

  /** Every query. */
  get queries(): ReadonlySet<Q> {
    return this.#queries
  }

  add(query: Q, demands: Demands): void {
    this.#queries.add(query)
    for (const { fields, interval } of placesOf(demands)) {
      if (fields.length > 0) this.#groups.add(query, fields, interval)
      else this.#others.add(query, interval)
    }
  }

  remove(query: Q, demands: Demands): void {
    this.#queries.delete(query)
    for (const { fields, interval } of placesOf(demands)) {
      if (fields.length > 0) this.#groups.remove(query, fields, interval)
      else this.#others.remove(query, interval)
    }
  }

  /** Adds those that the entity may concern to `found`. */
  find(entity: object, found: Set<Q>): void {
    this.#groups.find(entity, found)
    this.#others.find(entity, found)
  }
}

/** An entity that the query lets through belongs to one of them. */
function placesOf({ conditions, alternatives }: Demands): readonly Place[] {
  const own = placeOf(conditions)
  if (own !== undefined && own.fields.length > 0) return [own]
  const ofAlternatives = alternatives
    .map((parts) => parts.map((part) => placeOf(part.conditions)))
    .filter((places): places is Place[] => places.every((place) => place !== undefined))
  const fixed = ofAlternatives.find((places) => places.every(({ fields }) => fields.length > 0))
  return fixed ?? (own === undefined ? (ofAlternatives[0] ?? [ANYWHERE]) : [own])
}

/** Undefined where the conditions say nothing of use. */
function placeOf(conditions: readonly ParsedCondition[]): Place | undefined {
  const fields = fixedFields(conditions)
  const fixed = new Set(fields.map(({ path }) => path))
  const interval = fieldInterval(conditions.filter(({ path }) => !fixed.has(path)))
  return fields.length === 0 && interval === undefined ? undefined : { fields, interval }
}
