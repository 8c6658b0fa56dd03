/** `LiveQuery`: a query whose result stays right. This is what readers see; `live-evaluation.ts` keeps the result. */
import type { Entity } from './collection-definition.ts'
import type { CollectionState } from './collection-state.ts'
import { liveQueryClosed } from './entity-errors.ts'
import { changesBetween, changesOf, type Exchange, type LiveChange } from './live-changes.ts'
import type { LiveEvaluation, LiveObserver } from './live-evaluation.ts'
import { allAdded, LiveIteration, type LiveReading } from './live-iteration.ts'
import type { Tell } from './live-queries.ts'
import type { ParsedQuery } from './parsed-query.ts'
import { reportUncaught } from './report-uncaught.ts'

/** What keeps the result: the database. */
export interface LiveSource {
  /** It has to be started. */
  evaluate(state: CollectionState, query: ParsedQuery, observer: LiveObserver): LiveEvaluation
}

/** Told of every commit that changes the result, in commit order. What it throws is reported as an uncaught error. */
export type LiveListener<T extends Entity> = (change: LiveChange<T>) => void

/** How a live query ends, besides by `close`. */
export interface LiveOptions {
  /** Closes the live query, with the signal's reason. */
  readonly signal?: AbortSignal
}

interface Subscription<T extends Entity> {
  readonly listener: LiveListener<T>
  readonly onError: ((error: unknown) => void) | undefined
}

interface FirstResult<T extends Entity> {
  readonly promise: Promise<readonly Readonly<T>[]>
  readonly resolve: (items: readonly Readonly<T>[]) => void
  readonly reject: (reason: unknown) => void
}

/**
 * A query whose result follows the database until it is closed. Every result is that of one commit, whole: a
 * write that has resolved is in it, and of a transaction that has not committed nothing ever is. (A store that
 * takes its time to answer may keep it behind for a moment, in commit order.)
 *
 * A commit that changes the result is told exactly once, any other not at all. What is written again with the same
 * content changes nothing. `filter` must depend on the entity alone.
 *
 * When the result cannot be kept right any more (the store failed, a `filter` threw), the live query is over: every
 * `onError`, every iteration and a pending `ready` get the error, and `getSnapshot` throws it from then on. If nobody
 * hears of it that way, it is reported to the host as an uncaught error.
 *
 * It takes memory for its result until it is closed, or the database is.
 *
 * @example
 * using live = people.live({ where: { status: 'open' }, orderBy: { name: 'asc' } })
 * live.subscribe(({ items, changes }) => render(items, changes), showError)
 */
export class LiveQuery<T extends Entity> implements AsyncIterable<LiveChange<T>>, Disposable {
  readonly #evaluation: LiveEvaluation
  readonly #reading: LiveReading<T>
  readonly #signal: AbortSignal | undefined
  readonly #subscriptions = new Set<Subscription<T>>()
  readonly #iterations = new Set<object>()
  readonly #wakes = new Set<() => void>()
  #items: readonly Readonly<T>[] | undefined
  #first: FirstResult<T> | undefined
  #state: 'open' | 'failed' | 'closed' = 'open'
  /** Why it is over. */
  #reason: unknown
  /** Somebody got the error that it failed with. */
  #wasHeard = false

  constructor(
    source: LiveSource,
    state: CollectionState,
    query: ParsedQuery,
    { signal }: LiveOptions = {},
  ) {
    this.#signal = signal
    this.#reading = this.#createReading()
    this.#evaluation = source.evaluate(state, query, {
      // Put in as T; replicated entities are taken at their word.
      show: (items, exchange) => this.#show(items as readonly Readonly<T>[], exchange),
      fail: (error) => this.#fail(error),
      end: (reason) => this.#end(reason),
    })
    if (signal?.aborted === true) {
      this.#end(signal.reason)
      return
    }
    signal?.addEventListener('abort', this.#onAbort)
    this.#evaluation.start()
  }

  /**
   * Tells `listener` of every commit that changes the result from now on; and of the first result, if that is not
   * there yet. `onError` is told when the live query fails, or has failed already. The answer ends it. Bound: may be
   * passed on as it is.
   *
   * Listeners are called before the write's promise resolves, when every live query that answers at once shows the
   * commit; they may write, close and subscribe.
   *
   * Errors: why the live query is over, if it is: `transaction_closed` after `close`, `database_closed`, the signal's
   * reason; without `onError` also what it failed with.
   */
  readonly subscribe = (
    listener: LiveListener<T>,
    onError?: (error: unknown) => void,
  ): (() => void) => {
    if (typeof listener !== 'function') throw new TypeError('subscribe takes a function')
    if (this.#state === 'failed' && onError !== undefined) {
      void Promise.resolve(this.#hearReason()).then(onError)
      return () => {}
    }
    if (this.#state !== 'open') throw this.#hearReason()
    const subscription = { listener, onError }
    this.#subscriptions.add(subscription)
    return () => {
      this.#subscriptions.delete(subscription)
    }
  }

  /**
   * The result: the same array until the result is another one. Undefined while the first result is not there yet:
   * there it is at once where the store answers at once, as those in memory and in a directory do; else wait for
   * `ready`. After the end it stays what it was; after a failure the error is thrown. Bound: may be passed on as
   * it is.
   */
  readonly getSnapshot = (): readonly Readonly<T>[] | undefined => {
    if (this.#state === 'failed') throw this.#hearReason()
    return this.#items
  }

  /** Resolves with the result as soon as there is one. Rejects with why there will be none. */
  get ready(): Promise<readonly Readonly<T>[]> {
    if (this.#state === 'failed') return Promise.reject(this.#hearReason())
    if (this.#items !== undefined) return Promise.resolve(this.#items)
    if (this.#state === 'closed') return Promise.reject(this.#reason)
    this.#first ??= createFirstResult<T>()
    return this.#first.promise
  }

  /**
   * The first result, then a step for each change of it. Who reads slowly gets what became of the result since the
   * step before, as one change. Ends when the live query does, or throws what it failed with. Leaving the loop does
   * not close the live query.
   *
   * @example
   * for await (const { items, changes } of people.live(query, { signal })) render(items, changes)
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<LiveChange<T>, void, undefined> {
    return new LiveIteration(this.#reading)
  }

  /** Nobody is told of anything any more; iterations end. Closing twice is closing once. */
  close(): void {
    this.#end(liveQueryClosed())
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #show(items: readonly Readonly<T>[], exchange: Exchange | undefined): Tell | undefined {
    const before = this.#items
    if (before === undefined) {
      this.#items = items
      this.#first?.resolve(items)
      this.#first = undefined
      return () => this.#tell({ items, changes: allAdded(items) })
    }
    const changes =
      exchange === undefined ? changesBetween(before, items) : changesOf(before, items, exchange)
    if (changes === undefined) return undefined
    this.#items = items
    return () => this.#tell({ items, changes })
  }

  #tell(change: LiveChange<T>): void {
    for (const subscription of [...this.#subscriptions]) {
      // One before it may have ended it.
      if (!this.#subscriptions.has(subscription)) continue
      try {
        subscription.listener(change)
      } catch (error) {
        reportUncaught(error)
      }
    }
    this.#wakeAll()
  }

  #fail(error: unknown): void {
    if (this.#state !== 'open') return
    this.#reason = error
    this.#state = 'failed'
    this.#signal?.removeEventListener('abort', this.#onAbort)
    // Later, when every other live query shows the commit, and whoever just made this one has subscribed.
    void Promise.resolve().then(() => this.#tellFailure(error))
  }

  #tellFailure(error: unknown): void {
    if (this.#first !== undefined || this.#iterations.size > 0) this.#wasHeard = true
    this.#first?.reject(error)
    for (const { onError } of this.#subscriptions) {
      if (onError === undefined) continue
      this.#wasHeard = true
      try {
        onError(error)
      } catch (thrown) {
        reportUncaught(thrown)
      }
    }
    if (!this.#wasHeard) reportUncaught(error)
    this.#forgetReaders()
  }

  #end(reason: unknown): void {
    if (this.#state !== 'open') return
    this.#reason = reason
    this.#state = 'closed'
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#evaluation.stop()
    this.#first?.reject(reason)
    this.#forgetReaders()
  }

  #forgetReaders(): void {
    this.#first = undefined
    this.#subscriptions.clear()
    this.#iterations.clear()
    this.#wakeAll()
  }

  #wakeAll(): void {
    for (const wake of this.#wakes) wake()
    this.#wakes.clear()
  }

  #hearReason(): unknown {
    this.#wasHeard = true
    return this.#reason
  }

  #createReading(): LiveReading<T> {
    return {
      items: () => this.getSnapshot(),
      isOpen: () => this.#state === 'open',
      join: (iteration) => {
        this.#iterations.add(iteration)
      },
      leave: (iteration) => {
        this.#iterations.delete(iteration)
      },
      onNews: (wake) => {
        this.#wakes.add(wake)
        return () => {
          this.#wakes.delete(wake)
        }
      },
    }
  }

  readonly #onAbort = (): void => this.#end(this.#signal?.reason)
}

function createFirstResult<T extends Entity>(): FirstResult<T> {
  let settle: Omit<FirstResult<T>, 'promise'> | undefined
  const promise = new Promise<readonly Readonly<T>[]>((resolve, reject) => {
    settle = { resolve, reject }
  })
  // The executor has run.
  return { promise, ...(settle as Omit<FirstResult<T>, 'promise'>) }
}
