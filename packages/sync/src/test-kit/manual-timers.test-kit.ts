import type { Timers } from '../environment.ts'

/** Timers that run when told to. */
export class ManualTimers implements Timers {
  readonly #due: { readonly at: number; readonly run: () => void }[] = []
  nowMs = 0

  after(delayMs: number, run: () => void): () => void {
    const timer = { at: this.nowMs + delayMs, run }
    this.#due.push(timer)
    return () => {
      const index = this.#due.indexOf(timer)
      if (index >= 0) this.#due.splice(index, 1)
    }
  }

  /** Delays until each timer that waits. */
  get waiting(): readonly number[] {
    return this.#due.map(({ at }) => at - this.nowMs).sort((a, b) => a - b)
  }

  /** Lets time pass; runs what is due, in order, each with a chance to settle. */
  async advance(ms: number): Promise<void> {
    const end = this.nowMs + ms
    for (;;) {
      const next = this.#due.toSorted((a, b) => a.at - b.at)[0]
      if (next === undefined || next.at > end) break
      this.nowMs = next.at
      this.#due.splice(this.#due.indexOf(next), 1)
      next.run()
      await settle()
    }
    this.nowMs = end
    await settle()
  }
}

/** Lets everything that waits for nothing but promises run. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
}
