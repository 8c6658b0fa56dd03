/** One run of a program: it can end at any moment, and then nothing of it ever goes on. */
import type { Scheduler } from '@entidb/core'
import type { VirtualTime } from './virtual-time.ts'

export class Process {
  readonly name: string
  readonly #time: VirtualTime
  readonly #atEnd: (() => void)[] = []
  #alive = true
  /** What its wall clock is ahead of the world's. */
  clockOffsetMs = 0

  constructor(name: string, time: VirtualTime) {
    this.name = name
    this.#time = time
  }

  get alive(): boolean {
    return this.#alive
  }

  /** Its wall clock: milliseconds since 1970. */
  readonly now = (): number => EPOCH_MS + this.#time.wallMs + this.clockOffsetMs

  /** Its timers: they end with it. */
  readonly scheduler: Scheduler = {
    after: (delayMs, task) =>
      this.#time.after(delayMs, () => {
        if (this.#alive) task()
      }),
  }

  /** Resolves after `delayMs`, unless the process ends before. */
  pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.scheduler.after(delayMs, resolve)
    })
  }

  /** Runs when the process ends. */
  atEnd(run: () => void): void {
    this.#atEnd.push(run)
  }

  end(): void {
    if (!this.#alive) return
    this.#alive = false
    for (const run of this.#atEnd) run()
  }
}

/** When every run begins: 2026-01-01. */
const EPOCH_MS = 1_767_225_600_000
