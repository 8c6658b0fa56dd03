/** Divides long work into steps, between which everybody else has a turn. */
import { pause, type Scheduler } from './scheduler.ts'

/** Bytes written in a step: some milliseconds. */
export const STEP_BYTES: number = 256 * 1024
/** What looking at a node counts as: mostly it comes from memory that no cache of the processor holds. */
const LOOK_BYTES = 128

export class Pace {
  readonly #scheduler: Scheduler
  #done = 0

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  /** `bytes` more of the work were done; answers what is to be waited for when that ends a step. */
  did(bytes: number): Promise<void> | undefined {
    this.#done += bytes
    if (this.#done < STEP_BYTES) return undefined
    this.#done = 0
    return pause(this.#scheduler)
  }

  /** As `did`, for work that does little more than look at each of so many nodes. */
  lookedAt(nodes: number): Promise<void> | undefined {
    return this.did(nodes * LOOK_BYTES)
  }
}
