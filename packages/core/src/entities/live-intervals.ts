/**
 * Live queries by the interval of values that a field has to lie in: finds those whose interval holds a value in
 * logarithmic time and the number found.
 *
 * The intervals lie in a list, by their lower bounds. The list is read as a balanced tree: its root is the one in the
 * middle, with what is on either side of it as subtrees; and for each root it is known how far up the intervals of
 * its tree reach.
 */
import { compareValues } from './compare-values.ts'
import { NumberIntervals } from './live-number-intervals.ts'
import type { ParsedCondition } from './parsed-where.ts'

/** Both ends belong to it. An absent end is open. */
export interface Interval {
  readonly low?: unknown
  readonly high?: unknown
}

export interface FieldInterval extends Interval {
  readonly path: string
}

interface Entry<Q> {
  readonly query: Q
  readonly interval: Interval
}

export class LiveIntervals<Q> {
  readonly #entries: Entry<Q>[] = []
  /** By the place of a root: the interval of its tree that reaches highest. Undefined when entries have changed. */
  #highest: Interval[] | undefined
  /** Of the same entries; undefined also where not all of their bounds are numbers. */
  #numbers: NumberIntervals | undefined

  get isEmpty(): boolean {
    return this.#entries.length === 0
  }

  add(query: Q, interval: Interval): void {
    this.#entries.splice(this.#firstNotBelow(interval), 0, { query, interval })
    this.#forgetMeasure()
  }

  remove(query: Q): void {
    const at = this.#entries.findIndex((entry) => entry.query === query)
    if (at < 0) return
    this.#entries.splice(at, 1)
    this.#forgetMeasure()
  }

  /** Adds the queries whose interval holds the value to `found`. */
  find(value: unknown, found: Set<Q>): void {
    const highest = this.#highest ?? this.#measure()
    if (this.#numbers !== undefined && typeof value === 'number' && !Number.isNaN(value)) {
      // Within bounds, as everywhere here.
      for (const at of this.#numbers.find(value)) found.add((this.#entries[at] as Entry<Q>).query)
      return
    }
    this.#findWithin(0, this.#entries.length, value, highest, found)
  }

  #findWithin(
    start: number,
    end: number,
    value: unknown,
    highest: readonly Interval[],
    found: Set<Q>,
  ): void {
    if (start >= end) return
    const root = (start + end) >>> 1
    if (isBelow(highest[root] as Interval, value)) return
    this.#findWithin(start, root, value, highest, found)
    const { query, interval } = this.#entries[root] as Entry<Q>
    if (isAbove(interval, value)) return
    if (!isBelow(interval, value)) found.add(query)
    this.#findWithin(root + 1, end, value, highest, found)
  }

  #measure(): Interval[] {
    const highest: Interval[] = []
    const measure = (start: number, end: number): Interval | undefined => {
      if (start >= end) return undefined
      const root = (start + end) >>> 1
      const { interval } = this.#entries[root] as Entry<Q>
      const sides = [measure(start, root), measure(root + 1, end)]
      const most = sides.reduce(
        (a: Interval, b) => (b !== undefined && reaches(b, a) ? b : a),
        interval,
      )
      highest[root] = most
      return most
    }
    measure(0, this.#entries.length)
    this.#highest = highest
    this.#numbers = NumberIntervals.of(this.#entries.map(({ interval }) => interval))
    return highest
  }

  #forgetMeasure(): void {
    this.#highest = undefined
    this.#numbers = undefined
  }

  #firstNotBelow({ low }: Interval): number {
    let start = 0
    let end = this.#entries.length
    while (start < end) {
      const middle = (start + end) >>> 1
      const { interval } = this.#entries[middle] as Entry<Q>
      if (compareLow(interval.low, low) < 0) start = middle + 1
      else end = middle
    }
    return start
  }
}

function isBelow({ high }: Interval, value: unknown): boolean {
  return high !== undefined && compareValues(high, value) < 0
}

function isAbove({ low }: Interval, value: unknown): boolean {
  return low !== undefined && compareValues(low, value) > 0
}

/** Does `a` end above `b`? */
function reaches(a: Interval, b: Interval): boolean {
  if (b.high === undefined) return false
  return a.high === undefined || compareValues(a.high, b.high) > 0
}

function compareLow(a: unknown, b: unknown): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined)
  return compareValues(a, b)
}

/** An interval that everything the conditions let through lies in, if there is one: rather one with two ends. */
export function fieldInterval(conditions: readonly ParsedCondition[]): FieldInterval | undefined {
  const intervalsByPath = new Map<string, Interval>()
  for (const { path, operator, operand } of conditions) {
    const bounds = boundsOf(operator, operand)
    // The first bound counts: another one can only leave out more.
    if (bounds !== undefined) intervalsByPath.set(path, { ...bounds, ...intervalsByPath.get(path) })
  }
  let best: FieldInterval | undefined
  for (const [path, interval] of intervalsByPath) {
    if (best === undefined || endsOf(interval) > endsOf(best)) best = { path, ...interval }
  }
  return best
}

/** Of conditions that hold for values of one side, or between two. */
function boundsOf(operator: ParsedCondition['operator'], operand: unknown): Interval | undefined {
  if (operator === 'gt' || operator === 'gte' || operator === 'startsWith') return { low: operand }
  if (operator === 'lt' || operator === 'lte') return { high: operand }
  if (operator !== 'between') return undefined
  // `between` takes two bounds.
  const [low, high] = operand as readonly [unknown, unknown]
  return { low, high }
}

function endsOf({ low, high }: Interval): number {
  return Number(low !== undefined) + Number(high !== undefined)
}
