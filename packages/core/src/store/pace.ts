/**
 * Divides a checkpoint into steps, between which everybody else has a turn. The more is logged in such a turn,
 * the longer is the next step: a checkpoint that let itself be outrun would leave a log without bound.
 */
import { pause, type Scheduler } from './scheduler.ts'

/** Work of a step, at least. */
export const STEP_BYTES: number = 256 * 1024
/** Bytes of work for each byte that was logged since the step before. */
const WORK_PER_LOGGED_BYTE = 4

export class Pace {
  readonly #scheduler: Scheduler
  readonly #loggedBytes: () => number
  #loggedBefore: number
  #stepBytes = STEP_BYTES
  #done = 0

  /** `loggedBytes` tells how many bytes have been logged so far. */
  constructor(scheduler: Scheduler, loggedBytes: () => number) {
    this.#scheduler = scheduler
    this.#loggedBytes = loggedBytes
    this.#loggedBefore = loggedBytes()
  }

  /** `bytes` more of the work were done; answers what is to be waited for when that ends a step. */
  did(bytes: number): Promise<void> | undefined {
    this.#done += bytes
    return this.#done < this.#stepBytes ? undefined : this.#rest()
  }

  async #rest(): Promise<void> {
    await pause(this.#scheduler)
    const logged = this.#loggedBytes()
    this.#stepBytes = Math.max(STEP_BYTES, (logged - this.#loggedBefore) * WORK_PER_LOGGED_BYTE)
    this.#loggedBefore = logged
    this.#done = 0
  }
}
