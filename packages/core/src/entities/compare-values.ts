/**
 * The one total order of values, as a comparison: what `key-writer.ts` encodes. Missing counts as
 * null, -0 equals 0, and a bigint equals the number of the same value.
 */
import { compareBytes } from '../store/bytes.ts'
import { compareText } from './compare-text.ts'

/** Values of different ranks never compare equal; a range matches only values of its bound's rank. */
export const RANK = {
  null: 0,
  boolean: 1,
  number: 2,
  string: 3,
  date: 4,
  bytes: 5,
  array: 6,
  map: 7,
} as const

export type Rank = (typeof RANK)[keyof typeof RANK]

export function rankOf(value: unknown): Rank {
  if (value === null || value === undefined) return RANK.null
  if (typeof value === 'string') return RANK.string
  if (typeof value === 'number' || typeof value === 'bigint') return RANK.number
  if (typeof value === 'boolean') return RANK.boolean
  if (value instanceof Date) return RANK.date
  if (value instanceof Uint8Array) return RANK.bytes
  return Array.isArray(value) ? RANK.array : RANK.map
}

/** Negative, zero or positive. */
export function compareValues(a: unknown, b: unknown): number {
  if (typeof a === 'string' && typeof b === 'string') return a === b ? 0 : compareText(a, b)
  if (typeof a === 'number' && typeof b === 'number') return compareNumbers(a, b)
  const rank = rankOf(a)
  const difference = rank - rankOf(b)
  return difference !== 0 ? difference : compareSameRank(rank, a, b)
}

// Each `as` below is what `rankOf` has found for both sides.
function compareSameRank(rank: Rank, a: unknown, b: unknown): number {
  switch (rank) {
    case RANK.null:
      return 0
    case RANK.boolean:
      return Number(a) - Number(b)
    case RANK.number:
      return compareNumbers(a as number | bigint, b as number | bigint)
    case RANK.string:
      return compareText(a as string, b as string)
    case RANK.date:
      return (a as Date).getTime() - (b as Date).getTime()
    case RANK.bytes:
      return compareBytes(a as Uint8Array, b as Uint8Array)
    case RANK.array:
      return compareArrays(a as readonly unknown[], b as readonly unknown[])
    default:
      return compareMaps(a as object, b as object)
  }
}

function compareNumbers(a: number | bigint, b: number | bigint): number {
  if (a < b) return -1
  if (a > b) return 1
  // Equal, or at least one is NaN, which comes first.
  return Number(isNaNValue(b)) - Number(isNaNValue(a))
}

function isNaNValue(value: number | bigint): boolean {
  return typeof value === 'number' && Number.isNaN(value)
}

function compareArrays(a: readonly unknown[], b: readonly unknown[]): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = compareValues(a[i], b[i])
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

function compareMaps(a: object, b: object): number {
  return compareArrays(sortedEntries(a), sortedEntries(b))
}

/** Key, value, key, value, ... */
function sortedEntries(map: object): readonly unknown[] {
  return Object.entries(map)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => compareText(a, b))
    .flat(1)
}
