/**
 * The operations of one commit on their way into the change feed. The last one is held back until another comes or
 * the commit: only then is it known whether it is the last of its transaction.
 *
 * What the only registered reader ignores is left out while there is nothing else in the feed, and the
 * feed counts as beginning behind it (`docs/decisions/0004-feed-leaves-out.md`).
 */
import type { MaybePromise } from '../files/file-system.ts'
import type { WriteTransaction } from '../store/key-value-store.ts'
import { encodeFeedRow, FEED_TABLE, feedKey, type UnplacedEntry } from './feed-row.ts'
import type { FeedSetting, FeedState } from './feed-state.ts'
import { META_KEYS, writeMeta } from './meta.ts'
import { type Steps, wait } from './steps.ts'

export class FeedWriter {
  readonly #tx: WriteTransaction
  readonly #state: FeedState
  readonly #settingBefore: FeedSetting
  #setting: FeedSetting
  /** The last operation that was left out, 0 when none was. */
  #leftOut = 0
  #held: UnplacedEntry | undefined
  /** The feed holds something: known once it was looked at, or written to. */
  #isEmpty: boolean | undefined
  /** Set while operations of this transaction are left out. */
  #visible: (() => void) | undefined

  constructor(tx: WriteTransaction, state: FeedState) {
    this.#tx = tx
    this.#state = state
    this.#settingBefore = state.setting
    this.#setting = state.setting
  }

  get setting(): FeedSetting {
    const { on, after, ignoredOrigin } = this.#setting
    return { on, after: Math.max(after, this.#leftOut), ignoredOrigin }
  }

  get isOn(): boolean {
    return this.#setting.on
  }

  change(setting: FeedSetting): void {
    this.#setting = setting
  }

  /** Whether the operation needs no row. True: the feed begins behind it. */
  leavesOut(opId: number, origin: string): MaybePromise<boolean> {
    if (origin !== this.#setting.ignoredOrigin || this.#isEmpty === false) return false
    if (this.#visible === undefined) {
      if (this.#state.isFollowed) return false
      const count = this.#tx.count(FEED_TABLE)
      if (count instanceof Promise) return count.then((later) => this.#leaveOut(opId, later))
      return this.#leaveOut(opId, count)
    }
    this.#leftOut = opId
    return true
  }

  add(entry: UnplacedEntry): MaybePromise<void> {
    const previous = this.#held
    this.#held = entry
    this.#isEmpty = false
    if (previous !== undefined) return this.#write(previous, entry)
  }

  *finish(): Steps<void> {
    if (this.#held !== undefined) yield* wait(this.#write(this.#held))
    const { on, after } = this.setting
    if (on !== this.#settingBefore.on || after !== this.#settingBefore.after) {
      yield* writeMeta(this.#tx, META_KEYS.feed, { after })
    }
  }

  /** The transaction is visible, or rolled back. */
  end(): void {
    this.#visible?.()
  }

  #leaveOut(opId: number, count: number): boolean {
    this.#isEmpty = count === 0
    if (!this.#isEmpty) return false
    this.#visible = this.#state.leaveOut()
    this.#leftOut = opId
    return true
  }

  #write(entry: UnplacedEntry, next?: UnplacedEntry): MaybePromise<void> {
    const transactionLast = entry.transactionId !== next?.transactionId
    return this.#tx.put(FEED_TABLE, feedKey(entry.opId), encodeFeedRow(entry, transactionLast))
  }
}
