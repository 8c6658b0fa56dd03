/**
 * How far a pull is. One from the beginning is measured in entities, of which the handshake says how many there are;
 * every other one in revisions up to the head, which is an upper bound of what comes.
 */
import type { PullResponse } from '@entidb/protocol'
import type { StateRow } from '../state/rows.ts'
import type { SyncProgress } from '../status.ts'
import { revisionsBetween } from './assigned-revisions.ts'

/** What is known of the server before the first page. */
export interface PullBounds {
  /** The largest that it named. */
  readonly head: number
  /** Live ones; undefined when it does not say. */
  readonly entities: number | undefined
  /** Most operations of a page. */
  readonly pageOpsMax: number
}

type PullState = Pick<StateRow, 'cursor' | 'generation' | 'history' | 'snapshot'>

export class PullMeasure {
  readonly #unit: 'entities' | 'revisions'
  readonly #generation: number
  readonly #from: number
  #done: number
  #total = 0
  #isLong = false

  constructor({ cursor, generation, snapshot }: PullState, { entities = 0 }: PullBounds) {
    this.#unit = cursor === 0 && entities > 0 ? 'entities' : 'revisions'
    this.#done = snapshot?.pulled ?? 0
    this.#generation = generation
    this.#from = cursor
  }

  /** Null for one of a single page. */
  get progress(): SyncProgress | null {
    if (!this.#isLong) return null
    return { direction: 'pull', unit: this.#unit, done: this.#done, total: this.#total }
  }

  /** False for a pull that began again: what was counted counts no more. */
  isOf({ generation }: PullState): boolean {
    return generation === this.#generation
  }

  /** Before the first page, also of a pull that goes on after a failure. */
  expect(state: PullState, bounds: PullBounds): void {
    const { head, entities = 0, pageOpsMax } = bounds
    this.#reach(this.#unit === 'entities' ? entities : this.#upTo(head, state))
    this.#reach(this.#done)
    this.#isLong ||= this.#unit === 'entities' || this.#total - this.#done > pageOpsMax
  }

  /** A page was stored; `state` as of then. */
  add(
    { ops, hasMore }: Pick<PullResponse, 'ops' | 'hasMore'>,
    state: PullState,
    head: number,
  ): void {
    this.#isLong ||= hasMore
    if (this.#unit === 'entities') {
      this.#done += ops.length
    } else {
      this.#done = Math.max(this.#done, this.#upTo(state.cursor, state))
      this.#reach(this.#upTo(head, state))
    }
    // Deletes and what was superseded come, too, or do not come any more: only the last page is the end.
    this.#reach(hasMore ? this.#done + 1 : this.#done)
    if (!hasMore) this.#done = this.#total
  }

  #upTo(cursor: number, { history }: PullState): number {
    return revisionsBetween(this.#from, cursor, history)
  }

  #reach(total: number): void {
    this.#total = Math.max(this.#total, total)
  }
}
