/**
 * Divides a checkpoint into steps, between which everybody else has a turn. The more is committed in such a
 * turn, the longer is the next step: a checkpoint that let itself be outrun would leave a log without bound.
 */
import { pause, type Scheduler } from './scheduler.ts'

/** Work of a step, at least. */
export const STEP_BYTES: number = 256 * 1024
/** At most: some milliseconds. */
const STEP_BYTES_MAX = 4 * 1024 * 1024
/** Bytes of work for each byte of load that came since the step before. */
const WORK_PER_LOAD = 3

export class Pace {
  readonly #scheduler: Scheduler
  readonly #loadBytes: () => number
  #loadBefore: number
  #stepBytes = STEP_BYTES
  #done = 0

  /** `loadBytes` grows with what is committed: in the log, and in nodes for the next checkpoint. */
  constructor(scheduler: Scheduler, loadBytes: () => number) {
    this.#scheduler = scheduler
    this.#loadBytes = loadBytes
    this.#loadBefore = loadBytes()
  }

  /** `bytes` more of the work were done; answers what is to be waited for when that ends a step. */
  did(bytes: number): Promise<void> | undefined {
    this.#done += bytes
    return this.#done < this.#stepBytes ? undefined : this.#rest()
  }

  async #rest(): Promise<void> {
    await pause(this.#scheduler)
    const load = this.#loadBytes()
    const work = (load - this.#loadBefore) * WORK_PER_LOAD
    this.#stepBytes = Math.min(Math.max(work, STEP_BYTES), STEP_BYTES_MAX)
    this.#loadBefore = load
    this.#done = 0
  }
}
