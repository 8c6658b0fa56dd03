/** A fair lock: turns are given in the order they were asked for. */
export class Mutex {
  #held = false
  readonly #waiting: { readonly enter: () => void; readonly refuse: (reason: unknown) => void }[] =
    []

  /** Resolves when it is the caller's turn. */
  acquire(): Promise<void> {
    if (!this.#held) {
      this.#held = true
      return Promise.resolve()
    }
    return new Promise((enter, refuse) => this.#waiting.push({ enter, refuse }))
  }

  /** Is it anyone's turn? */
  get isHeld(): boolean {
    return this.#held
  }

  release(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#held = false
    else next.enter()
  }

  /** Sends everyone away who waits now; the holder keeps the lock. */
  refuseWaiting(reason: unknown): void {
    for (const waiting of this.#waiting.splice(0)) waiting.refuse(reason)
  }
}
