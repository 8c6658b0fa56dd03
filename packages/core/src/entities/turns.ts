/** Lets everything else on the thread have its turn, now and then, while a long transaction goes on. */

/** So many steps take a few milliseconds. */
const STEPS = 500

export class Turns {
  readonly #turn: (() => Promise<void>) | undefined
  #steps = 0

  /** Without `turn` there are none. */
  constructor(turn: (() => Promise<void>) | undefined) {
    this.#turn = turn
  }

  /** Called between two steps; answers what has to be waited for there, if anything. */
  next(): Promise<void> | undefined {
    if (this.#turn === undefined || this.#steps++ < STEPS) return undefined
    this.#steps = 1
    return this.#turn()
  }
}
