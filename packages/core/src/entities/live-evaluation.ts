/**
 * Keeps the result of one live query as of one commit after the other. Most commits need nothing but what they
 * changed. The store is asked for the first result, when a query with a limit has lost more than its reserve, and
 * after a transaction that wrote before the live query was there. Commits that arrive meanwhile wait their turn.
 */
import type { EntiDBError } from '../errors/entidb-error.ts'
import type { MaybePromise } from '../files/file-system.ts'
import type { CollectionState } from './collection-state.ts'
import type { EntityChange } from './entity-change.ts'
import type { EntityReader } from './entity-reader.ts'
import type { Exchange } from './live-changes.ts'
import type { Demands } from './live-dispatch.ts'
import type { LiveFollower, LiveQueries, Tell } from './live-queries.ts'
import { LiveResult } from './live-result.ts'
import { readLastOpId, readRows } from './live-rows.ts'
import type { ParsedQuery } from './parsed-query.ts'
import type { Place } from './place.ts'
import type { RecordChange, RecordChanges } from './record-changes.ts'
import type { Steps } from './steps.ts'

/** What is read for the results of live queries. */
export interface LiveReads {
  readonly live: LiveQueries
  /** On a view of now; at once where the store answers at once. */
  read<T>(task: (reader: EntityReader) => Steps<T>): MaybePromise<T>
}

/** Who asked for the result. */
export interface LiveObserver {
  /**
   * The result after one more commit, or the first one. `exchange` says where it may differ from the one before;
   * undefined: anywhere. The answer tells of it, if there is anything to tell.
   */
  show(items: readonly object[], exchange: Exchange | undefined): Tell | undefined
  /** The end, before its time. */
  fail(error: unknown): void
  /** The database closes. */
  end(reason: EntiDBError): void
}

/** What became of the result: where it may differ from the one before; `other`: anywhere; `same`: nowhere. */
type Outcome = Exchange | 'other' | 'same'

/** A commit that waits its turn. */
interface Commit {
  readonly lastOpId: number
  /** Undefined: not known. */
  readonly changes: readonly EntityChange[] | undefined
}

export class LiveEvaluation implements LiveFollower {
  readonly collection: string
  readonly demands: Demands
  readonly #source: LiveReads
  readonly #state: CollectionState
  readonly #query: ParsedQuery
  readonly #observer: LiveObserver
  readonly #result: LiveResult
  /** Commits up to this opId are in the result. */
  #lastOpId = 0
  readonly #waiting: Commit[] = []
  #isReading = false
  #isOpen = true

  constructor(
    source: LiveReads,
    state: CollectionState,
    query: ParsedQuery,
    observer: LiveObserver,
  ) {
    this.collection = state.name
    this.demands = query
    this.#source = source
    this.#state = state
    this.#query = query
    this.#observer = observer
    this.#result = new LiveResult(query)
  }

  /** From now on every commit is told. The first result is there at once where the store answers at once. */
  start(): void {
    const { live } = this.#source
    live.add(this)
    // What was written when nobody watched is not recorded. The first result has to have it; only of the one
    // transaction that may be writing right now it is read when that commits.
    const settled = live.settled(this.collection)
    const first = () => this.#source.read((reader) => this.#readFirst(reader))
    this.#run(() => (settled === undefined ? first() : settled.then(first)))?.()
  }

  take(lastOpId: number, changes: readonly EntityChange[] | undefined): Tell | undefined {
    const commit = { lastOpId, changes }
    if (!this.#isReading) return this.#run(() => this.#apply(commit))
    this.#waiting.push(commit)
    return undefined
  }

  fail(error: unknown): void {
    if (!this.#isOpen) return
    this.stop()
    this.#observer.fail(error)
  }

  end(reason: EntiDBError): void {
    this.stop()
    this.#observer.end(reason)
  }

  stop(): void {
    this.#isOpen = false
    this.#waiting.length = 0
    this.#source.live.remove(this)
  }

  /** Answers who tells of the outcome; undefined also while the store has to be waited for. */
  #run(step: () => MaybePromise<Outcome>): Tell | undefined {
    if (!this.#isOpen) return undefined
    try {
      const outcome = step()
      if (!(outcome instanceof Promise)) return this.#show(outcome)
      this.#isReading = true
      outcome.then(this.#goOn, (error) => this.fail(error))
    } catch (error) {
      this.fail(error)
    }
    return undefined
  }

  readonly #goOn = (outcome: Outcome): void => {
    this.#isReading = false
    if (this.#isOpen) this.#show(outcome)?.()
    while (!this.#isReading) {
      const commit = this.#waiting.shift()
      if (commit === undefined) return
      this.#run(() => this.#apply(commit))?.()
    }
  }

  #show(outcome: Outcome): Tell | undefined {
    if (outcome === 'same') return undefined
    const exchange = outcome === 'other' ? undefined : outcome
    return this.#observer.show(this.#result.items(), exchange)
  }

  #apply({ lastOpId, changes }: Commit): MaybePromise<Outcome> {
    // The first result has it. Without an opId it only says which versions entities count as.
    if (lastOpId > 0 && lastOpId <= this.#lastOpId) return 'same'
    if (lastOpId > 0) this.#lastOpId = lastOpId
    if (changes === undefined) return this.#source.read((reader) => this.#readAnew(reader))
    const exchange = this.#result.apply(changes)
    if (exchange === undefined) return 'same'
    if (!this.#result.needsMore) return exchange
    return this.#source.read((reader) => this.#readMore(reader, exchange))
  }

  *#readFirst(reader: EntityReader): Steps<Outcome> {
    this.#lastOpId = yield* readLastOpId(reader)
    return yield* this.#readAnew(reader)
  }

  *#readAnew(reader: EntityReader): Steps<Outcome> {
    const rows = yield* readRows(reader, this.#wanted(undefined, this.#result.capacity))
    this.#result.replace(rows)
    return 'other'
  }

  /** What is read lies behind all that the commit exchanged. */
  *#readMore(reader: EntityReader, exchange: Exchange): Steps<Outcome> {
    const { boundary, capacity, size } = this.#result
    const rows = yield* readRows(reader, this.#wanted(boundary, capacity - size))
    this.#result.extend(rows)
    return exchange
  }

  #wanted(after: Place | undefined, rowsMax: number) {
    const changesThrough = (through: number) => this.#changesThrough(through)
    return { state: this.#state, query: this.#query, after, rowsMax, changesThrough }
  }

  /** What the commits after the one in hand changed, by id: the first change of an entity has what was before. */
  #changesThrough(through: number): RecordChanges {
    const changes = new Map<string, RecordChange>()
    const add = (change: RecordChange): void => {
      if (!changes.has(change.id)) changes.set(change.id, change)
    }
    for (const { lastOpId, changes: waiting = [] } of this.#waiting) {
      if (lastOpId > this.#lastOpId && lastOpId <= through) waiting.forEach(add)
    }
    const { live } = this.#source
    live.changesOnTheirWay(this.collection, this.#lastOpId, through).forEach(add)
    return changes
  }
}
