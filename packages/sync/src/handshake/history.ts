/** Where the histories of a client and a server part. Pure. */
import type { HistoryEntry } from '@entidb/protocol'
import { sameBytes } from '../same-bytes.ts'

/** Of an epoch's 16, random ones. */
const NAME_BYTES = 4

/**
 * The last cursor both have in common: everything up to it is the same on both sides. Undefined when the
 * histories are equal. 0 when nothing is common.
 */
export function partingPoint(
  mine: readonly HistoryEntry[],
  theirs: readonly HistoryEntry[],
): number | undefined {
  const length = Math.max(mine.length, theirs.length)
  for (let i = 0; i < length; i++) {
    const [a, b] = [mine[i], theirs[i]]
    if (a !== undefined && b !== undefined && sameEntry(a, b)) continue
    if (i === 0) return 0
    return Math.min(a?.firstCursor ?? Infinity, b?.firstCursor ?? Infinity) - 1
  }
  return undefined
}

/** Names the epoch that assigned a revision: one after a restore may assign the same number again. Empty when unknown. */
export function epochNameAt(history: readonly HistoryEntry[], revision: number): string {
  const entry = history.findLast(({ firstCursor }) => firstCursor <= revision)
  const bytes = entry?.epoch.subarray(0, NAME_BYTES) ?? []
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function sameEntry(a: HistoryEntry, b: HistoryEntry): boolean {
  return a.firstCursor === b.firstCursor && sameBytes(a.epoch, b.epoch)
}
