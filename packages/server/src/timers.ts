/** Timers as they are injected. */

/** Timers, for tests. The answer of `set` ends the timer. */
export interface Timers {
  /** Calls back once after the delay; returns what prevents it. */
  set(callback: () => void, delayMs: number): () => void
}

/** The process's own; they do not keep it running. */
export const systemTimers: Timers = {
  set(callback, delayMs) {
    const timer = setTimeout(callback, delayMs)
    timer.unref()
    return () => clearTimeout(timer)
  },
}
