/** Cuts a stretch of the change feed into the local transactions it holds. Pure. */
import type { FeedRow } from '../state/engine.ts'
import { isLoose, type LooseRanges } from '../state/loose-ranges.ts'

export interface FeedTransaction {
  readonly transactionId: number
  /** Opid of its last operation in this stretch. */
  readonly lastOpId: number
  /** False when the feed goes on with the same transaction. */
  readonly complete: boolean
  /** Its local operations; may be empty. */
  readonly local: readonly FeedRow[]
  /** Those of them that are to be pushed. */
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
    const local = rows.slice(first, index + 1).filter(({ origin }) => origin === 'local')
    transactions.push({
      transactionId: row.transactionId,
      lastOpId: row.opId,
      complete: row.transactionLast || loose || !ends,
      local,
      rows: local.filter(isActive),
    })
    first = index + 1
  })
  return transactions
}
