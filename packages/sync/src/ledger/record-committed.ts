/** Notes in the ledger which local transactions were committed. */
import {
  COMMITTED_COLLECTION,
  type CommittedRow,
  type CommittedTransaction,
} from '../state/rows.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'
import { dropOldest, isExpired, partsOf, rowId } from './bounded-rows.ts'

/** Of a transaction, and of the revision of an entity, in a row. */
const OVERHEAD_BYTES = 64
const VERSION_BYTES = 9
/** Of one character of a name in UTF-8, at most. */
const CHARACTER_BYTES = 3

export async function recordCommitted(
  tx: SyncTransaction,
  transactions: readonly CommittedTransaction[],
): Promise<void> {
  if (transactions.length === 0) return
  // Of more than the ledger keeps, the newest.
  const kept = transactions.slice(-Math.max(1, tx.ledgerLimits.maxTransactions))
  for (const { part } of partsOf(kept, bytesMaxOf)) {
    const { ledger } = tx.state
    const committedLast = ledger.committedLast + 1
    const row: CommittedRow = { id: rowId(committedLast), atMs: tx.nowMs, transactions: part }
    await tx.system.put(COMMITTED_COLLECTION, row)
    const committed = ledger.committed + part.length
    tx.setState({ ledger: { ...ledger, committedLast, committed } })
  }
  await pruneCommitted(tx)
}

function bytesMaxOf({ written }: CommittedTransaction): number {
  return written.keys.reduce(
    (bytes, key) => bytes + VERSION_BYTES + key.length * CHARACTER_BYTES,
    OVERHEAD_BYTES,
  )
}

/** Drops the oldest beyond the bounds. */
export async function pruneCommitted(tx: SyncTransaction): Promise<void> {
  const { maxTransactions, maxAgeMs } = tx.ledgerLimits
  const { committedLast } = tx.state.ledger
  let { committed } = tx.state.ledger
  if (committed <= maxTransactions && maxAgeMs === Number.POSITIVE_INFINITY) return
  await dropOldest<CommittedRow>(tx, COMMITTED_COLLECTION, (row) => {
    const isTooMuch = committed > maxTransactions || isExpired(tx, row)
    const isDropped = isTooMuch && row.id !== rowId(committedLast)
    if (isDropped) committed -= row.transactions.length
    return isDropped
  })
  if (committed !== tx.state.ledger.committed) {
    tx.setState({ ledger: { ...tx.state.ledger, committed } })
  }
}
