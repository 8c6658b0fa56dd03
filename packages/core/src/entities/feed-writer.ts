/**
 * The operations of one transaction on their way into the change feed. The last one is held back until
 * another comes or the transaction commits: only then is it known to be the last.
 */
import type { MaybePromise } from '../files/file-system.ts'
import type { WriteTransaction } from '../store/key-value-store.ts'
import { encodeFeedRow, FEED_TABLE, type FeedEntry, feedKey } from './feed-row.ts'

export class FeedWriter {
  readonly #tx: WriteTransaction
  #held: Omit<FeedEntry, 'transactionLast'> | undefined

  constructor(tx: WriteTransaction) {
    this.#tx = tx
  }

  add(entry: Omit<FeedEntry, 'transactionLast'>): MaybePromise<void> {
    const previous = this.#held
    this.#held = entry
    if (previous !== undefined) return this.#write(previous, false)
  }

  finish(): MaybePromise<void> {
    if (this.#held !== undefined) return this.#write(this.#held, true)
  }

  #write(entry: Omit<FeedEntry, 'transactionLast'>, transactionLast: boolean): MaybePromise<void> {
    return this.#tx.put(
      FEED_TABLE,
      feedKey(entry.opId),
      encodeFeedRow({ ...entry, transactionLast }),
    )
  }
}
