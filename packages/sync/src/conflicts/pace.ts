/** Keeps work on many groups from keeping everything else on the thread waiting. */
import type { GroupView } from './group-view.ts'

/** Members of groups that are worked on without a pause: a few milliseconds. */
const SLICE_ENTITIES = 100

export class Pace {
  readonly #turn: () => Promise<void>
  #sincePause = 0

  /** `turn` lets everything else have its turn. */
  constructor(turn: () => Promise<void>) {
    this.#turn = turn
  }

  /** To be awaited after work on a group. */
  async after({ members }: GroupView): Promise<void> {
    this.#sincePause += members.size
    if (this.#sincePause < SLICE_ENTITIES) return
    this.#sincePause = 0
    await this.#turn()
  }
}
