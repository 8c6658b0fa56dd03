/** Live queries that nothing tells apart but an interval that some of them leave one field (`live-intervals.ts`). */
import { type FieldReader, fieldReader } from './field-path.ts'
import { type FieldInterval, LiveIntervals } from './live-intervals.ts'

interface IntervalsOfField<Q> {
  readonly read: FieldReader
  readonly intervals: LiveIntervals<Q>
}

export class LiveBucket<Q> {
  readonly #intervalsByPath = new Map<string, IntervalsOfField<Q>>()
  /** Those without an interval. */
  readonly #others = new Set<Q>()

  get isEmpty(): boolean {
    return this.#intervalsByPath.size === 0 && this.#others.size === 0
  }

  add(query: Q, interval: FieldInterval | undefined): void {
    if (interval === undefined) {
      this.#others.add(query)
      return
    }
    let known = this.#intervalsByPath.get(interval.path)
    if (known === undefined) {
      known = { read: fieldReader(interval.path), intervals: new LiveIntervals() }
      this.#intervalsByPath.set(interval.path, known)
    }
    known.intervals.add(query, interval)
  }

  remove(query: Q, interval: FieldInterval | undefined): void {
    if (interval === undefined) {
      this.#others.delete(query)
      return
    }
    const known = this.#intervalsByPath.get(interval.path)
    known?.intervals.remove(query)
    if (known?.intervals.isEmpty === true) this.#intervalsByPath.delete(interval.path)
  }

  /** Adds those that the entity may concern to `found`. */
  find(entity: object, found: Set<Q>): void {
    for (const { read, intervals } of this.#intervalsByPath.values()) {
      intervals.find(read(entity), found)
    }
    for (const query of this.#others) found.add(query)
  }
}
