/** How far a push is: edits that are decided or set aside, of all that waited since it began. */
import type { SyncProgress } from '../status.ts'

export class PushMeasure {
  #pending: number
  #total: number
  #isLong = false

  constructor(pending: number) {
    this.#pending = pending
    this.#total = pending
  }

  /** Null for one of a single batch. */
  get progress(): SyncProgress | null {
    if (!this.#isLong) return null
    const done = this.#total - this.#pending
    return { direction: 'push', unit: 'edits', done, total: this.#total }
  }

  /** It takes more than one batch. */
  isLong(): void {
    this.#isLong = true
  }

  /** So many edits wait now: what was made meanwhile is more to do, what is gone is done. */
  look(pending: number): void {
    this.#total += Math.max(0, pending - this.#pending)
    this.#pending = pending
  }
}
