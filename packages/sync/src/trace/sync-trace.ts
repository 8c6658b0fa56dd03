/**
 * What sync did lately, for a bug report: steps, requests, outcomes. Never what an application stores or who
 * anyone is: no ids, values, tokens, addresses or messages, only counts, codes and times.
 */

/** One thing that happened. `at` is in milliseconds since 1970. */
export type TraceEntry = { readonly at: number } & (
  | { readonly kind: 'state'; readonly state: string }
  | {
      readonly kind: 'request'
      readonly path: string
      /** `ok`, or the code of what went wrong. */
      readonly outcome: string
      /** Of the body, after decompression. */
      readonly sentBytes: number
      readonly receivedBytes: number
    }
  | { readonly kind: 'cycle'; readonly outcome: string; readonly counts: TraceCounts }
  | { readonly kind: 'event'; readonly event: string; readonly what: string | null }
)

/** Numbers by name. */
export type TraceCounts = Readonly<Record<string, number>>

/** Entries remembered, the newest. */
const ENTRIES_MAX = 500

/** Leaves `at` out of each kind of entry by itself. */
type Untimed<Entry> = Entry extends unknown ? Omit<Entry, 'at'> : never

export class SyncTrace {
  readonly #now: () => number
  #entries: TraceEntry[] = []

  constructor(now: () => number) {
    this.#now = now
  }

  add(entry: Untimed<TraceEntry>): void {
    this.#entries.push({ at: this.#now(), ...entry })
    if (this.#entries.length >= 2 * ENTRIES_MAX) this.#entries = this.#entries.slice(-ENTRIES_MAX)
  }

  /** Oldest first. */
  get entries(): readonly TraceEntry[] {
    return this.#entries.slice(-ENTRIES_MAX)
  }
}
