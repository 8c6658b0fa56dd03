/**
 * Several stretches of an index, each in the order asked for behind its prefix, read as one: the next entry is
 * the first of those that the stretches have next.
 */
import { compareBytes } from '../store/bytes.ts'
import type { ScanOrder, Stretch } from './access-path.ts'
import type { Entries, EntryCursor } from './candidates.ts'
import { idKeyOfEntry } from './index-plan.ts'
import type { Steps } from './steps.ts'

/** What a stretch has read ahead. */
interface Head {
  readonly cursor: EntryCursor
  readonly prefixBytes: number
  entries: Entries
  /** The next of `entries`. */
  at: number
}

/** `open`: the cursor of one stretch, in the order `order`. */
export function mergedCursor(
  stretches: readonly Stretch[],
  order: ScanOrder,
  open: (stretch: Stretch) => EntryCursor,
): EntryCursor {
  const compare =
    order === 'forward' ? compareForward : order === 'reverse' ? compareReverse : compareRuns
  let heads: Head[] | undefined
  return function* next(max) {
    heads ??= yield* openHeads(stretches, open, max)
    const keys: Uint8Array[] = []
    const values: Uint8Array[] = []
    while (keys.length < max) {
      const first = firstOf(heads, compare)
      if (first === undefined) break
      keys.push(keyOf(first))
      values.push(entryValueOf(first))
      if (++first.at < first.entries.keys.length) continue
      first.entries = yield* first.cursor(max)
      first.at = 0
      if (first.entries.keys.length === 0) heads = heads.filter((head) => head !== first)
    }
    return { keys, values }
  }
}

function* openHeads(
  stretches: readonly Stretch[],
  open: (stretch: Stretch) => EntryCursor,
  max: number,
): Steps<Head[]> {
  const heads: Head[] = []
  for (const stretch of stretches) {
    const cursor = open(stretch)
    const entries = yield* cursor(max)
    if (entries.keys.length === 0) continue
    heads.push({ cursor, prefixBytes: stretch.prefix.length, entries, at: 0 })
  }
  return heads
}

type Compare = (a: Head, b: Head) => number

function firstOf(heads: readonly Head[], compare: Compare): Head | undefined {
  let first = heads[0]
  for (const head of heads) {
    if (first !== undefined && head !== first && compare(head, first) < 0) first = head
  }
  return first
}

function keyOf({ entries, at }: Head): Uint8Array {
  // `at` is within bounds while the head is among the others.
  return entries.keys[at] as Uint8Array
}

function entryValueOf({ entries, at }: Head): Uint8Array {
  // As in `keyOf`.
  return entries.values[at] as Uint8Array
}

function restOf(head: Head): Uint8Array {
  return keyOf(head).subarray(head.prefixBytes)
}

function compareForward(a: Head, b: Head): number {
  return compareBytes(restOf(a), restOf(b))
}

function compareReverse(a: Head, b: Head): number {
  return compareBytes(restOf(b), restOf(a))
}

/** Fields descend, ids ascend. */
function compareRuns(a: Head, b: Head): number {
  const idA = idKeyOfEntry(keyOf(a), entryValueOf(a))
  const idB = idKeyOfEntry(keyOf(b), entryValueOf(b))
  const fieldsA = restOf(a).subarray(0, -idA.length)
  const fieldsB = restOf(b).subarray(0, -idB.length)
  return compareBytes(fieldsB, fieldsA) || compareBytes(idA, idB)
}
