/**
 * How long work in the background pauses between its steps: while requests come, so long that they have most of the
 * time, and it still gets ahead.
 */

/** What was asked for last counts as going on for this long: devices ask for one page after the other. */
const BUSY_MS = 250
/** Of what a step took. With steps that take a fifth of the time, the work keeps up with what requests leave to it. */
const PAUSE_FACTOR = 4
/** Whatever a clock that was set says. */
const PAUSE_MS_MAX = 200

export class GiveWay {
  readonly #clock: () => number
  #requestAtMs = Number.NEGATIVE_INFINITY

  /** Wall clock in milliseconds: when it is set, pauses are a little long or short. */
  constructor(clock: () => number) {
    this.#clock = clock
  }

  /** A request was answered. */
  noteRequest(): void {
    this.#requestAtMs = this.#clock()
  }

  /** Milliseconds to pause for after a step that began at `startMs`. */
  pauseAfter(startMs: number): number {
    const nowMs = this.#clock()
    const isBusy = Math.abs(nowMs - this.#requestAtMs) < BUSY_MS
    return isBusy ? Math.min(Math.max(nowMs - startMs, 0) * PAUSE_FACTOR, PAUSE_MS_MAX) : 0
  }
}
