/**
 * Finds the live queries of a collection that an entity may concern, without asking each of them: by the values
 * that they fix (`live-groups.ts`), or else by an interval that they leave one field (`live-intervals.ts`); those of
 * an `or` by each of its parts. The others are always found. Finding one too many does no harm: it tests the
 * entity itself.
 */
import { FieldExtractor } from './field-extractor.ts'
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
  /** How many places look at a field of entities, by its name. */
  readonly #looks = new Map<string, number>()
  /** Undefined when what is looked at has changed. */
  #extractor: FieldExtractor | undefined

  /** Every query. */
  get queries(): ReadonlySet<Q> {
    return this.#queries
  }

  add(query: Q, demands: Demands): void {
    this.#queries.add(query)
    for (const place of placesOf(demands)) {
      this.#countLooks(place, 1)
      const { fields, interval } = place
      if (fields.length > 0) this.#groups.add(query, fields, interval)
      else this.#others.add(query, interval)
    }
  }

  remove(query: Q, demands: Demands): void {
    this.#queries.delete(query)
    for (const place of placesOf(demands)) {
      this.#countLooks(place, -1)
      const { fields, interval } = place
      if (fields.length > 0) this.#groups.remove(query, fields, interval)
      else this.#others.remove(query, interval)
    }
  }

  /** Reads, of an encoded entity, all that `find` looks at. */
  get extractor(): FieldExtractor {
    this.#extractor ??= new FieldExtractor([...this.#looks.keys()])
    return this.#extractor
  }

  /** Adds those that the entity may concern to `found`. */
  find(entity: object, found: Set<Q>): void {
    this.#groups.find(entity, found)
    this.#others.find(entity, found)
  }

  #countLooks({ fields, interval }: Place, change: 1 | -1): void {
    const paths = fields.map(({ path }) => path)
    if (interval !== undefined) paths.push(interval.path)
    for (const path of paths) {
      const [name = path] = path.split('.', 1)
      const count = (this.#looks.get(name) ?? 0) + change
      if (count === 0) this.#looks.delete(name)
      else this.#looks.set(name, count)
      // The first one of its name, or the last.
      if (count === 0 || count === change) this.#extractor = undefined
    }
  }
}

/** An entity that the query lets through belongs to one of them. */
function placesOf({ conditions, alternatives }: Demands): readonly Place[] {
  const own = placeOf(conditions)
  if (own !== undefined && own.fields.length > 0) return [own]
  const ofAlternatives = alternatives
    .map(({ parts }) => parts.map(({ conditions }) => placeOf(conditions)))
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
