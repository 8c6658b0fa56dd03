/** When to try again to set sync up, where what was in its way may pass: a full disk. */
import type { EntiDBError } from '@entidb/core'
import { BACKOFF_BASE_MS, BACKOFF_CAP_MS, Backoff } from './backoff.ts'
import type { Timers } from './environment.ts'
import type { CycleState } from './machine/cycle-machine.ts'

export interface StartAgainOptions {
  readonly timers: Timers
  readonly random: () => number
  readonly pollIntervalMs: number
}

export class StartAgain {
  readonly #options: StartAgainOptions
  readonly #backoff: Backoff
  #cancelTimer: (() => void) | undefined

  constructor(options: StartAgainOptions) {
    this.#options = options
    const { random } = options
    this.#backoff = new Backoff({ baseMs: BACKOFF_BASE_MS, capMs: BACKOFF_CAP_MS, random })
  }

  get isWaiting(): boolean {
    return this.#cancelTimer !== undefined
  }

  /** Answers the state that sync is in until then. */
  after({ retry }: EntiDBError, start: () => void): CycleState {
    this.cancel()
    const { timers, pollIntervalMs } = this.#options
    const isPassing = retry === 'later'
    const delayMs = isPassing ? this.#backoff.next() : pollIntervalMs
    this.#cancelTimer = timers.after(delayMs, () => {
      this.#cancelTimer = undefined
      start()
    })
    return isPassing ? 'backingOff' : 'blocked'
  }

  cancel(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  /** Whoever asks now does not wait for what was before. */
  reset(): void {
    this.cancel()
    this.#backoff.reset()
  }
}
