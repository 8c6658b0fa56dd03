/** Open event streams, counted: the process and each subject have a limit. */
import { rateLimited } from '../wire-error.ts'
import type { EventStream } from './event-stream.ts'

export interface StreamLimits {
  readonly maxStreams: number
  readonly maxStreamsPerSubject: number
}

export class StreamSlots {
  readonly #limits: StreamLimits
  readonly #streams = new Set<EventStream>()
  readonly #countBySubject = new Map<string, number>()
  #taken = 0

  constructor(limits: StreamLimits) {
    this.#limits = limits
  }

  get open(): number {
    return this.#taken
  }

  /** Returns what gives the slot back. Error: `rate_limited`. */
  take(subject: string): () => void {
    const count = this.#countBySubject.get(subject) ?? 0
    if (this.#taken >= this.#limits.maxStreams || count >= this.#limits.maxStreamsPerSubject) {
      throw rateLimited('Too many open event streams')
    }
    this.#taken++
    this.#countBySubject.set(subject, count + 1)
    let held = true
    return () => {
      if (held) this.#giveBack(subject)
      held = false
    }
  }

  add(stream: EventStream): void {
    this.#streams.add(stream)
  }

  remove(stream: EventStream): void {
    this.#streams.delete(stream)
  }

  endAll(): void {
    for (const stream of [...this.#streams]) stream.end()
  }

  #giveBack(subject: string): void {
    this.#taken--
    const left = (this.#countBySubject.get(subject) ?? 1) - 1
    if (left === 0) this.#countBySubject.delete(subject)
    else this.#countBySubject.set(subject, left)
  }
}
