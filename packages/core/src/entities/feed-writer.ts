/**
 * The operations of one transaction on their way into the change feed. The last one is held back until
 * another comes or the transaction commits: only then is it known to be the last.
 */
import type { MaybePromise } from '../files/file-system.ts'
import type { WriteTransaction } from '../store/key-value-store.ts'
import { encodeFeedRow, FEED_TABLE, feedKey, type UnplacedEntry } from './feed-row.ts'

export class FeedWriter {
  readonly #tx: WriteTransaction
  #held: UnplacedEntry | undefined

  constructor(tx: WriteTransaction) {
    this.#tx = tx
  }

  add(entry: UnplacedEntry): MaybePromise<void> {
    const previous = this.#held
    this.#held = entry
    if (previous !== undefined) return this.#write(previous, false)
  }

  finish(): MaybePromise<void> {
    if (this.#held !== undefined) return this.#write(this.#held, true)
  }

  #write(entry: UnplacedEntry, transactionLast: boolean): MaybePromise<void> {
    return this.#tx.put(FEED_TABLE, feedKey(entry.opId), encodeFeedRow(entry, transactionLast))
  }
}
