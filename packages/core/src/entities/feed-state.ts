/** Whether the change feed is written, from where on it is whole, and who is reading it right now. */
export interface FeedSetting {
  readonly on: boolean
  /** The feed holds every operation with a higher opId than this. */
  readonly after: number
  /**
   * Nobody who is registered needs operations of this origin: they are left out while the feed is empty.
   * Not stored: the reader says so with each acknowledgement.
   */
  readonly ignoredOrigin?: string | undefined
}

/** An iteration of `db.changes` that is open. */
export interface FeedIteration {
  /** It has handed out every operation up to here. */
  position: number
}

export class FeedState {
  #setting: FeedSetting
  /** As it is stored. */
  #durable: FeedSetting
  readonly #iterations = new Set<FeedIteration>()
  /** Transactions that leave operations out and are not visible yet. */
  readonly #leavingOut = new Set<Promise<void>>()

  constructor(setting: FeedSetting) {
    this.#setting = setting
    this.#durable = setting
  }

  get on(): boolean {
    return this.#setting.on
  }

  get after(): number {
    return this.#setting.after
  }

  get setting(): FeedSetting {
    return this.#setting
  }

  /** A transaction that changed it was handed over. */
  set(setting: FeedSetting): void {
    this.#setting = setting
  }

  /** That transaction is durable. */
  confirm(setting: FeedSetting): void {
    this.#durable = setting
  }

  /** It came to nothing, and so did all that were handed over since. */
  takeBack(): void {
    this.#setting = this.#durable
  }

  /** Is somebody iterating? Then every operation is written. */
  get isFollowed(): boolean {
    return this.#iterations.size > 0
  }

  /** Every open iteration has handed out the operations up to here. */
  get followedThrough(): number {
    let through = Number.POSITIVE_INFINITY
    for (const { position } of this.#iterations) through = Math.min(through, position)
    return through
  }

  /**
   * Begins an iteration: no transaction that begins to write after this leaves anything out. Those under
   * way may; the iteration begins behind them, when `settled` has resolved.
   */
  follow(after: number): FeedIteration {
    const iteration = { position: after }
    this.#iterations.add(iteration)
    return iteration
  }

  unfollow(iteration: FeedIteration): void {
    this.#iterations.delete(iteration)
  }

  /** Resolves when what the present transactions leave out is visible, or rolled back. */
  async settled(): Promise<void> {
    await Promise.all(this.#leavingOut)
  }

  /** A transaction leaves operations out; the answer is called when it is visible, or rolled back. */
  leaveOut(): () => void {
    const { promise, resolve } = pending()
    this.#leavingOut.add(promise)
    return () => {
      this.#leavingOut.delete(promise)
      resolve()
    }
  }
}

function pending(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {}
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
