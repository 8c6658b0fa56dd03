/** Timers that pass when a test says so. */
import type { Timers } from './timers.ts'

export interface ManualTimers extends Timers {
  /** Lets the delay of every timer pass that is set now, and of those that it leads to, until none is left. */
  run(): Promise<void>
}

export function createManualTimers(): ManualTimers {
  const waiting = new Set<() => void>()
  return {
    set(callback) {
      waiting.add(callback)
      return () => waiting.delete(callback)
    },
    async run() {
      while (waiting.size > 0) {
        const due = [...waiting]
        waiting.clear()
        for (const callback of due) callback()
        // What they began has to come to its next timer, or to its end.
        for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
      }
    },
  }
}
