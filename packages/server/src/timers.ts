/** Timers as they are injected. */

/** Timers, for tests. The answer of `set` ends the timer. */
export interface Timers {
  /** Calls back once after the delay, however long that is; returns what prevents it. */
  set(callback: () => void, delayMs: number): () => void
}

/** A timer of the process that is to wait for longer runs at once. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1

/** The process's own; they do not keep it running. */
export const systemTimers: Timers = {
  set(callback, delayMs) {
    let timer: NodeJS.Timeout | undefined
    const wait = (restMs: number): void => {
      const partMs = Math.min(restMs, TIMEOUT_MS_MAX)
      timer = setTimeout(() => (restMs > partMs ? wait(restMs - partMs) : callback()), partMs)
      timer.unref()
    }
    wait(delayMs)
    return () => clearTimeout(timer)
  },
}
