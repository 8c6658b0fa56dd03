/** Tells who waits that the head moved. Listeners never see it move back. */

/** Told when the head of a database moves. */
export interface HeadListener {
  onHead(head: number): void
  /** No head will follow: the database failed, or the server closes. */
  onEnd(): void
}

export class HeadListeners {
  readonly #listeners = new Set<HeadListener>()
  #head = 0

  get count(): number {
    return this.#listeners.size
  }

  /** Hears of the last head at once, if one was published. Returns what ends the subscription. */
  add(listener: HeadListener): () => void {
    this.#listeners.add(listener)
    if (this.#head > 0) listener.onHead(this.#head)
    return () => void this.#listeners.delete(listener)
  }

  /** After durability. Commits of one database resolve in order, but nothing here relies on it. */
  publish(head: number): void {
    if (head <= this.#head) return
    this.#head = head
    for (const listener of [...this.#listeners]) listener.onHead(head)
  }

  endAll(): void {
    const ended = [...this.#listeners]
    this.#listeners.clear()
    this.#head = 0
    for (const listener of ended) listener.onEnd()
  }
}
