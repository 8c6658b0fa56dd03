/**
 * What works on an open database: each read on a view of now, each write a transaction of its own. It is loaded when
 * one is opened, and what callers hold of a database (`database.ts`, `collection.ts`, `live-query.ts`, ...) knows it
 * by its type alone.
 */
import { isEntiDBError } from '../errors/entidb-error.ts'
import type { MaybePromise } from '../files/file-system.ts'
import { databaseClosed } from '../store/store-errors.ts'
import { type ChangesOptions, iterateChanges } from './changes.ts'
import type { CollectionState } from './collection-state.ts'
import type { DatabaseCore } from './database-core.ts'
import { EntityReader } from './entity-reader.ts'
import type { EntityWriter } from './entity-writer.ts'
import { FeedReader } from './feed-registration.ts'
import { IdleWatch } from './idle-watch.ts'
import { LiveEvaluation, type LiveObserver, type LiveReads } from './live-evaluation.ts'
import type { LiveQueries } from './live-queries.ts'
import type { LiveSource } from './live-query.ts'
import type { DbOperation } from './operation.ts'
import type { ParsedQuery } from './parsed-query.ts'
import type { PinnedView, WriteSource } from './read-source.ts'
import { SnapshotSource } from './snapshot-source.ts'
import { runSteps, type Steps } from './steps.ts'
import { WriteSession } from './write-session.ts'

export class DatabaseSource implements WriteSource, LiveReads, LiveSource {
  readonly readsLatest = true
  readonly core: DatabaseCore
  readonly #idleWatch: IdleWatch
  readonly #closing = new AbortController()
  #closed: Promise<void> | undefined
  /** The callback of a transaction runs right now, before its first await. */
  #inCallback = false

  constructor(core: DatabaseCore) {
    this.core = core
    this.#idleWatch = new IdleWatch(core.limits.maxIdleTransactionMs, core.scheduler)
  }

  /** Given when the database begins to close. */
  get closing(): AbortSignal {
    return this.#closing.signal
  }

  /** Error: `database_closed`. */
  assertOpen(): void {
    if (this.#closed !== undefined) throw databaseClosed()
  }

  get live(): LiveQueries {
    return this.core.live
  }

  read<T>(task: (reader: EntityReader) => Steps<T>): MaybePromise<T> {
    this.assertOpen()
    const view = this.core.store.snapshot()
    let answer: MaybePromise<T>
    try {
      answer = runSteps(task(new EntityReader(view, this.core.commits)))
    } catch (error) {
      view.release()
      throw error
    }
    if (answer instanceof Promise) return answer.finally(() => view.release())
    view.release()
    return answer
  }

  pin(): PinnedView {
    this.assertOpen()
    const view = this.core.store.snapshot()
    const reader = new EntityReader(view, this.core.commits)
    return {
      read: async (task) => runSteps(task(reader)),
      release: () => view.release(),
    }
  }

  /** Error: `database_closed`. */
  snapshot(): SnapshotSource {
    this.assertOpen()
    return new SnapshotSource(this.core)
  }

  /** Errors: `change_feed_off`, `database_closed`. */
  changes({ after = 0, ...options }: ChangesOptions): AsyncGenerator<DbOperation, void, undefined> {
    return iterateChanges(this.core, () => after, options, this.closing)
  }

  /** Errors: those of a commit, `database_closed`. */
  feedReader(name: string): Promise<FeedReader> {
    return FeedReader.register(name, this.core, this)
  }

  evaluate(state: CollectionState, query: ParsedQuery, observer: LiveObserver): LiveEvaluation {
    return new LiveEvaluation(this, state, query, observer)
  }

  async write<T>(task: (writer: EntityWriter) => Steps<T>): Promise<T> {
    const session = await this.#begin(undefined)
    let result: T
    try {
      result = await session.run(task)
    } catch (error) {
      await session.rollback()
      throw error
    }
    await session.commit()
    return result
  }

  /** Errors: whatever `run` throws, `transaction_abandoned`, and those of the commit. */
  async transact<R>(
    origin: string | undefined,
    run: (session: WriteSession) => R | Promise<R>,
  ): Promise<R> {
    // Before anything is waited for: its stack has who called.
    const begun = new Error('the transaction was begun here')
    const session = await this.#begin(origin)
    let result: R
    try {
      result = await this.#idleWatch.guard(session, begun, () => this.#call(session, run))
    } catch (error) {
      await session.rollback(isEntiDBError(error, 'transaction_abandoned') ? error : undefined)
      throw error
    }
    await session.commit()
    return result
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.#closing.abort()
    this.core.live.close(databaseClosed())
    await this.#idleWatch.whileWaiting(this.core.store.close())
  }

  async #begin(origin: string | undefined): Promise<WriteSession> {
    if (this.#inCallback) {
      throw new TypeError(
        'A transaction callback wrote through the database, which would wait for that very transaction. Use tx.collection or tx.transaction.',
      )
    }
    this.assertOpen()
    const tx = await this.#idleWatch.whileWaiting(this.core.store.begin())
    return new WriteSession(tx, this.core, origin)
  }

  #call<R>(session: WriteSession, run: (session: WriteSession) => R | Promise<R>): R | Promise<R> {
    this.#inCallback = true
    try {
      return run(session)
    } finally {
      this.#inCallback = false
    }
  }
}
