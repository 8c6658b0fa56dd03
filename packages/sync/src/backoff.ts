/** How long to wait after failures in a row: exponential with full jitter, or what the server asked for. */

export interface BackoffOptions {
  readonly baseMs: number
  readonly capMs: number
  /** From 0 (included) to 1 (excluded). */
  readonly random: () => number
}

export const BACKOFF_BASE_MS = 500
export const BACKOFF_CAP_MS = 60_000
/** A server may ask for more quiet than this, but not for ever: that would be sync that is stuck. */
const ASKED_MS_MAX = 60 * 60_000

export class Backoff {
  readonly #options: BackoffOptions
  #failures = 0

  constructor(options: BackoffOptions) {
    this.#options = options
  }

  get failures(): number {
    return this.#failures
  }

  /** Milliseconds to wait after one more failure; never less than what the server asked for, up to an hour. */
  next(retryAfterMs: number = 0): number {
    const { baseMs, capMs, random } = this.#options
    const ceilingMs = Math.min(capMs, baseMs * 2 ** Math.min(this.#failures, 30))
    this.#failures += 1
    return Math.max(Math.min(retryAfterMs, ASKED_MS_MAX), Math.ceil(random() * ceilingMs))
  }

  reset(): void {
    this.#failures = 0
  }
}
