/** Timers as a parameter, so that a test or a simulator decides when time passes. */
export interface Scheduler {
  /** Runs `task` once, not before `delayMs` have passed. The answer cancels it. */
  after(delayMs: number, task: () => void): () => void
}

/** What every JavaScript host offers, without asking for the types of one of them. */
interface TimerHost {
  setTimeout(task: () => void, delayMs: number): unknown
  clearTimeout(timer: unknown): void
  /** Where there is one, it waits for what is ready, and not for a millisecond. */
  setImmediate?(task: () => void): unknown
  clearImmediate?(timer: unknown): void
}

/** The timers of the host. */
export const systemScheduler: Scheduler = {
  after(delayMs: number, task: () => void): () => void {
    // The globals exist in Node, workers and pages; their declared types differ between those.
    const host = globalThis as unknown as TimerHost
    if (delayMs <= 0 && host.setImmediate !== undefined) {
      const immediate = host.setImmediate(task)
      return () => host.clearImmediate?.(immediate)
    }
    const timer = host.setTimeout(task, delayMs)
    return () => host.clearTimeout(timer)
  },
}

/** Lets everything else that is waiting run first. */
export function pause(scheduler: Scheduler): Promise<void> {
  return new Promise((resolve) => {
    scheduler.after(0, resolve)
  })
}
