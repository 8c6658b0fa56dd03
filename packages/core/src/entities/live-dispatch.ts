/**
 * Finds the live queries of a collection that an entity may concern, without asking each of them: by the values
 * that they fix (`live-groups.ts`), or else by an interval that they leave one field (`live-intervals.ts`). Those
 * that do neither are always found. Finding one too many does no harm: it tests the entity itself.
 */
import { type FieldReader, fieldReader } from './field-path.ts'
import { fixedFields, LiveGroups } from './live-groups.ts'
import { fieldInterval, LiveIntervals } from './live-intervals.ts'
import type { ParsedCondition } from './parsed-where.ts'

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

  add(query: Q, conditions: readonly ParsedCondition[]): void {
    this.#queries.add(query)
    const fields = fixedFields(conditions)
    const interval = fieldInterval(conditions)
    if (fields.length > 0) this.#groups.add(query, fields)
    else if (interval !== undefined) this.#intervalsOf(interval.path).add(query, interval)
    else this.#others.add(query)
  }

  remove(query: Q, conditions: readonly ParsedCondition[]): void {
    this.#queries.delete(query)
    const fields = fixedFields(conditions)
    const interval = fieldInterval(conditions)
    if (fields.length > 0) this.#groups.remove(query, fields)
    else if (interval === undefined) this.#others.delete(query)
    else {
      const intervals = this.#intervalsOf(interval.path)
      intervals.remove(query)
      if (intervals.isEmpty) this.#intervalsByPath.delete(interval.path)
    }
  }

  /** Adds those that the entity may concern to `found`. */
  find(entity: object, found: Set<Q>): void {
    this.#groups.find(entity, found)
    for (const { read, intervals } of this.#intervalsByPath.values()) {
      intervals.find(read(entity), found)
    }
    for (const query of this.#others) found.add(query)
  }

  #intervalsOf(path: string): LiveIntervals<Q> {
    let known = this.#intervalsByPath.get(path)
    if (known === undefined) {
      known = { read: fieldReader(path), intervals: new LiveIntervals() }
      this.#intervalsByPath.set(path, known)
    }
    return known.intervals
  }
}
