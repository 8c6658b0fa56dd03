/** How many databases may be open at a time; who comes when all are taken waits, first come first served. */

interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

export class OpenSlots {
  #free: number
  #waiters: Waiter[] = []

  constructor(count: number) {
    this.#free = count
  }

  get isFull(): boolean {
    return this.#free === 0
  }

  get waiting(): number {
    return this.#waiters.length
  }

  async take(): Promise<void> {
    if (this.#free > 0) {
      this.#free--
      return
    }
    await new Promise<void>((resolve, reject) => this.#waiters.push({ resolve, reject }))
  }

  giveBack(): void {
    const next = this.#waiters.shift()
    if (next === undefined) this.#free++
    else next.resolve()
  }

  /** Whoever waits gets the error. */
  refuse(error: Error): void {
    const refused = this.#waiters
    this.#waiters = []
    for (const { reject } of refused) reject(error)
  }
}
