/**
 * An index read from its end, with ids still ascending where all fields are equal: each run of equal
 * fields is turned round. A short run in memory; a long one by reading it forward from its start.
 */
import { bytesEqual } from '../store/bytes.ts'
import type { KeyRange, TreeCursor } from '../store/key-value-store.ts'
import type { Entries, EntryCursor } from './candidates.ts'
import { idKeyOfEntry } from './index-plan.ts'
import { prefixEnd } from './key-range.ts'
import { type Steps, wait } from './steps.ts'

/** Longer runs are not held in memory. */
const RUN_MAX = 256

type Scan = (range: KeyRange) => TreeCursor

interface Entry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

export function reverseRunCursor(scan: Scan, range: KeyRange): EntryCursor {
  const runs = new ReverseRuns(scan, range)
  return (max) => runs.next(max)
}

class ReverseRuns {
  readonly #scan: Scan
  readonly #range: KeyRange
  #cursor: TreeCursor
  /** Entries of the run that is being gathered, ids descending. */
  #run: Entry[] = []
  /** Read, and not yet looked at: the next one is the last. */
  #waiting: Entry[] = []
  /** In their final order. */
  #ready: Entry[] = []
  /** A long run, read forward. */
  #forward: TreeCursor | undefined
  #ended = false

  constructor(scan: Scan, range: KeyRange) {
    this.#scan = scan
    this.#range = range
    this.#cursor = scan({ ...range, reverse: true })
  }

  *next(max: number): Steps<Entries> {
    for (;;) {
      if (this.#ready.length > 0) return toEntries(this.#ready.splice(0, max))
      if (this.#forward !== undefined) {
        const batch = yield* wait(this.#forward.next(max))
        if (batch.keys.length > 0) return batch
        this.#forward = undefined
      }
      if (this.#ended) return toEntries([])
      yield* this.#gather(max)
    }
  }

  /** Reads on until enough is ready, or a run is too long to be held. */
  *#gather(max: number): Steps<void> {
    while (this.#ready.length < max && this.#forward === undefined) {
      const entry = this.#waiting.pop() ?? (yield* this.#read(max))
      const [first] = this.#run
      if (entry === undefined) {
        this.#ended = true
        this.#turnRun()
        return
      }
      if (first !== undefined && !isSameRun(first, entry)) this.#turnRun()
      this.#run.push(entry)
      if (this.#run.length > RUN_MAX) this.#readForward(entry)
    }
  }

  *#read(max: number): Steps<Entry | undefined> {
    // One more than wanted: a run is complete only when another begins.
    const { keys, values } = yield* wait(this.#cursor.next(max + 1))
    for (let i = keys.length - 1; i >= 0; i--) {
      // Within bounds; keys and values belong together.
      this.#waiting.push({ key: keys[i] as Uint8Array, value: values[i] as Uint8Array })
    }
    return this.#waiting.pop()
  }

  #turnRun(): void {
    for (const entry of this.#run.reverse()) this.#ready.push(entry)
    this.#run = []
  }

  #readForward(entry: Entry): void {
    const fields = fieldsOf(entry)
    this.#forward = this.#scan({ gte: fields, lt: prefixEnd(fields) })
    const { gte } = this.#range
    this.#cursor = this.#scan({ ...(gte === undefined ? {} : { gte }), lt: fields, reverse: true })
    this.#run = []
    this.#waiting = []
  }
}

/** The fields' part of the key, separator included. */
function fieldsOf({ key, value }: Entry): Uint8Array {
  return key.subarray(0, key.length - idKeyOfEntry(key, value).length)
}

function isSameRun(a: Entry, b: Entry): boolean {
  return bytesEqual(fieldsOf(a), fieldsOf(b))
}

function toEntries(entries: readonly Entry[]): Entries {
  return { keys: entries.map(({ key }) => key), values: entries.map(({ value }) => value) }
}
