/**
 * Ranges of feed operations that sync itself recorded to offer entities again. One transaction may
 * record thousands; they are no group, each of them stands alone.
 */
export type LooseRanges = readonly (readonly [number, number])[]

export function isLoose(ranges: LooseRanges, opId: number): boolean {
  return ranges.length > 0 && ranges.some(([first, last]) => opId >= first && opId <= last)
}

export function withLooseRange(ranges: LooseRanges, first: number, last: number): LooseRanges {
  const previous = ranges.at(-1)
  if (previous !== undefined && previous[1] + 1 === first) {
    return [...ranges.slice(0, -1), [previous[0], last]]
  }
  return [...ranges, [first, last]]
}

/** Without the ranges that end at or before `feedPosition`. */
export function looseRangesAfter(ranges: LooseRanges, feedPosition: number): LooseRanges {
  return ranges[0] !== undefined && ranges[0][1] <= feedPosition
    ? ranges.filter(([, last]) => last > feedPosition)
    : ranges
}
