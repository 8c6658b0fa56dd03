/** Open event streams, counted: the process and each subject have a limit. */
import { rateLimited } from '../wire-error.ts'
import type { EventStream } from './event-stream.ts'
import { SubjectSlots } from './subject-slots.ts'

export interface StreamLimits {
  readonly maxStreams: number
  readonly maxStreamsPerSubject: number
}

export class StreamSlots {
  readonly #streamsMax: number
  readonly #bySubject: SubjectSlots
  readonly #streams = new Set<EventStream>()
  #taken = 0

  constructor({ maxStreams, maxStreamsPerSubject }: StreamLimits) {
    this.#streamsMax = maxStreams
    this.#bySubject = new SubjectSlots(maxStreamsPerSubject)
  }

  get open(): number {
    return this.#taken
  }

  /** Returns what gives the slot back. Error: `rate_limited`. */
  take(subject: string): () => void {
    const isFull = this.#taken >= this.#streamsMax
    const giveBack = isFull ? undefined : this.#bySubject.take(subject)
    if (giveBack === undefined) throw rateLimited('Too many open event streams')
    this.#taken++
    let held = true
    return () => {
      if (held) this.#taken--
      held = false
      giveBack()
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
}
