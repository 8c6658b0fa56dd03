/** Which local transactions left values behind. Values are large: they are read again only when their rows changed. */
import { KEPT_COLLECTION, type KeptRow, type LedgerCounts } from '../state/rows.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'
import { rowsOf } from './bounded-rows.ts'

export class KeptKeys {
  #readAt: LedgerCounts | undefined
  #keys: ReadonlySet<number> = new Set()

  /** Keys of the transactions, as `tx` sees them. */
  async read(tx: SyncTransaction): Promise<ReadonlySet<number>> {
    const { ledger } = tx.state
    const isCurrent =
      this.#readAt?.keptLast === ledger.keptLast && this.#readAt.keptBytes === ledger.keptBytes
    if (isCurrent) return this.#keys
    const keys = new Set<number>()
    for await (const { transactions } of rowsOf<KeptRow>(tx, KEPT_COLLECTION)) {
      for (const key of transactions) keys.add(key)
    }
    this.#keys = keys
    this.#readAt = ledger
    return keys
  }
}
