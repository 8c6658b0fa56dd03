/**
 * The tree of `live-intervals.ts` where all bounds are numbers, which is the usual case, in three arrays: commits look
 * into it at any moment, with the processor's caches full of other things, and here is no reference to follow.
 */
import type { Interval } from './live-intervals.ts'

export class NumberIntervals {
  readonly #lows: Float64Array
  readonly #highs: Float64Array
  /** By the place of a root: how far up the intervals of its tree reach. */
  readonly #reach: Float64Array

  private constructor(intervals: readonly Interval[]) {
    this.#lows = Float64Array.from(intervals, ({ low }) => (low as number | undefined) ?? -Infinity)
    this.#highs = Float64Array.from(
      intervals,
      ({ high }) => (high as number | undefined) ?? Infinity,
    )
    this.#reach = new Float64Array(intervals.length)
    this.#measure(0, intervals.length)
  }

  /** By their lower bounds. Undefined: a bound is no number. */
  static of(intervals: readonly Interval[]): NumberIntervals | undefined {
    const isNumeric = intervals.every(({ low, high }) => isBound(low) && isBound(high))
    return isNumeric ? new NumberIntervals(intervals) : undefined
  }

  /** The places of those that hold `value`, which is not NaN. */
  find(value: number): readonly number[] {
    const places: number[] = []
    this.#findWithin(0, this.#lows.length, value, places)
    return places
  }

  // Places are within bounds, everywhere here.
  #findWithin(start: number, end: number, value: number, places: number[]): void {
    if (start >= end) return
    const root = (start + end) >>> 1
    if ((this.#reach[root] as number) < value) return
    this.#findWithin(start, root, value, places)
    if ((this.#lows[root] as number) > value) return
    if ((this.#highs[root] as number) >= value) places.push(root)
    this.#findWithin(root + 1, end, value, places)
  }

  #measure(start: number, end: number): number {
    if (start >= end) return -Infinity
    const root = (start + end) >>> 1
    const sides = Math.max(this.#measure(start, root), this.#measure(root + 1, end))
    const reach = Math.max(this.#highs[root] as number, sides)
    this.#reach[root] = reach
    return reach
  }
}

function isBound(bound: unknown): boolean {
  return bound === undefined || (typeof bound === 'number' && !Number.isNaN(bound))
}
