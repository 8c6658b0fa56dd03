/** The time that a request may take: so much, and more for what arrives of its answer. A slow link is no dead one. */
import type { Timers } from '../environment.ts'

/** A link that carries less counts as dead: some 64 kbit/s. */
const BYTES_PER_MS_MIN = 8

export class TimeLimit {
  readonly #timers: Timers
  readonly #onEnd: () => void
  #arrived = 0
  #cancel: () => void = () => {}

  constructor(timers: Timers, limitMs: number, onEnd: () => void) {
    this.#timers = timers
    this.#onEnd = onEnd
    this.#wait(limitMs)
  }

  readonly arrived = (bytes: number): void => {
    this.#arrived += bytes
  }

  cancel(): void {
    this.#cancel()
  }

  #wait(delayMs: number): void {
    this.#cancel = this.#timers.after(delayMs, () => {
      const moreMs = Math.floor(this.#arrived / BYTES_PER_MS_MIN)
      this.#arrived = 0
      if (moreMs > 0) this.#wait(moreMs)
      else this.#onEnd()
    })
  }
}
