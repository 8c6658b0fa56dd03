/**
 * How often a pull goes on to the next page although the ones before brought nothing. A server that hides what it looked at
 * sends such pages too, but leads on with each; one that does not would be asked without end.
 */
import { EntiDBError } from '@entidb/core'

/** Pages in a row that brought nothing and hardly led on, before the pull is given up for now. */
const HALTING_PAGES_MAX = 100
/** As many of those that led on count as one that hardly did. */
const PAGES_THAT_LEAD_ON = 100
/** A page that leads on by fewer cursors hardly does, unless the server's pages hold no more. */
const CURSORS_LEAST = 16

/** What a page did. */
export interface PageProgress {
  readonly broughtSomething: boolean
  readonly hasMore: boolean
  /** By how many cursors it led on. */
  readonly cursors: number
  /** The server's limit. */
  readonly maxPullOps: number
}

export class PullPatience {
  #allowed = HALTING_PAGES_MAX
  #spent = 0

  /** After each page. Error: `invalid_response`; half as many are waited for after each time, until something comes. */
  look({ broughtSomething, hasMore, cursors, maxPullOps }: PageProgress): void {
    if (broughtSomething || !hasMore) {
      this.#allowed = HALTING_PAGES_MAX
      this.#spent = 0
      return
    }
    const leadsOn = cursors >= Math.min(CURSORS_LEAST, maxPullOps)
    this.#spent += leadsOn ? 1 / PAGES_THAT_LEAD_ON : 1
    if (this.#spent < this.#allowed) return
    this.#allowed = Math.max(1, this.#allowed / 2)
    this.#spent = 0
    throw new EntiDBError(
      'invalid_response',
      'The server says with every page that there is more, and sends nothing',
      { retry: 'later' },
    )
  }
}
