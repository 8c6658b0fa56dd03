/** Cuts a stretch of the change feed into the local transactions it holds. Pure. */
import type { FeedRow } from '../state/engine.ts'
import { isLoose, type LooseRanges } from '../state/loose-ranges.ts'

export interface FeedTransaction {
  readonly transactionId: number
  /** Opid of its last operation in this stretch. */
  readonly lastOpId: number
  /** False when the feed goes on with the same transaction. */
  readonly complete: boolean
  /** Local operations that are to be pushed; may be empty. */
  readonly rows: readonly FeedRow[]
}

/** `isActive` says whether a local operation is still to be pushed. */
export function feedTransactions(
  rows: readonly FeedRow[],
  looseRanges: LooseRanges,
  isActive: (row: FeedRow) => boolean,
): readonly FeedTransaction[] {
  const transactions: FeedTransaction[] = []
  let first = 0
  rows.forEach((row, index) => {
    const next = rows[index + 1]
    const loose = isLoose(looseRanges, row.opId)
    const ends = next === undefined || next.transactionId !== row.transactionId
    if (!ends && !loose && !(next !== undefined && isLoose(looseRanges, next.opId))) return
    const all = rows.slice(first, index + 1)
    transactions.push({
      transactionId: row.transactionId,
      lastOpId: row.opId,
      complete: row.transactionLast || loose || !ends,
      rows: all.filter((each) => each.origin === 'local' && isActive(each)),
    })
    first = index + 1
  })
  return transactions
}
