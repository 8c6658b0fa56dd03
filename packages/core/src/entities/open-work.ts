/** What opening does with the entities of a database, told a step at a time. */
import { pause, type Scheduler } from '../store/scheduler.ts'
import { type Steps, wait } from './steps.ts'

/**
 * `check`: entities of an older version are tried with the migrations, before anything is written. `index`:
 * an index is made. `migrate`: the entities are stored in the new version.
 */
export interface OpenProgress {
  readonly phase: 'check' | 'index' | 'migrate'
  readonly collection: string
  /** In the phase `index`: which one. */
  readonly index?: string
  /** Entities of the collection that were looked at. */
  readonly done: number
  readonly total: number
}

export class OpenWork {
  readonly #scheduler: Scheduler
  readonly #onProgress: (progress: OpenProgress) => void

  constructor(scheduler: Scheduler, onProgress: (progress: OpenProgress) => void = () => {}) {
    this.#scheduler = scheduler
    this.#onProgress = onProgress
  }

  /** Others have a turn, unless it was the last step. Throws what the listener throws. */
  *did(...steps: readonly OpenProgress[]): Steps<void> {
    for (const step of steps) this.#onProgress(step)
    const isAtEnd = steps.every(({ done, total }) => done >= total)
    if (!isAtEnd) yield* wait(pause(this.#scheduler))
  }
}
