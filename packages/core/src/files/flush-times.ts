/**
 * How the flushes of one directory go, for the choice between one that holds up the whole process and one
 * through the thread pool, which takes longer by the way there and back.
 */

/** When flushes take longer than this on the average, they are not worth stopping everything for. */
const BLOCKING_MS_MAX = 2
/** What the last one counts in the average: every disk takes long now and then. */
const LAST_FLUSH_WEIGHT = 1 / 8
/** So many go through the thread pool before another one is tried. */
const FLUSHES_NOT_TO_BLOCK = 50

export class FlushTimes {
  /** Through the thread pool, of any file: the disk has much to do, and a flush beside them waits for them. */
  #running = 0
  #notToBlock = 0
  /** Of those that blocked. */
  #averageMs = 0

  begin(): void {
    this.#running++
  }

  end(): void {
    this.#running--
  }

  /** May the next flush hold up the process? Asked once for each. */
  mayBlock(): boolean {
    if (this.#running > 0) return false
    if (this.#notToBlock === 0) return true
    this.#notToBlock--
    return false
  }

  /** One held up the process for `ms`. */
  blocked(ms: number): void {
    this.#averageMs += (ms - this.#averageMs) * LAST_FLUSH_WEIGHT
    if (this.#averageMs > BLOCKING_MS_MAX) this.#notToBlock = FLUSHES_NOT_TO_BLOCK
  }
}
