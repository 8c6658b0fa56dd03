/** `EntiDB`: one open database. Its collections, transactions, snapshots and change feed. */
import type { RecoveryReport, Storage, StoreStats, WorkProgress } from '../store/key-value-store.ts'
import { type BackupOptions, type BackupReport, type ByteSink, backUpStore } from './backup.ts'
import type { ChangesOptions } from './changes.ts'
import type { CollectionDefinitions, EntityOf } from './collection-definition.ts'
import type { ReadScope } from './collection-reader.ts'
import { DatabaseCollection } from './database-collection.ts'
import type { DatabaseCore, DatabaseLimits } from './database-core.ts'
import type { DatabaseSource } from './database-source.ts'
import type { FeedReader } from './feed-registration.ts'
import { type OpenOptions, openDatabase } from './open-database.ts'
import type { DbOperation } from './operation.ts'
import { Snapshot } from './snapshot.ts'
import { wait } from './steps.ts'
import { Transaction } from './transaction.ts'
import { type VerifyOptions, verifyWith } from './verify.ts'
import type { VerifyReport } from './verify-report.ts'

/** Options of `db.transaction`. */
export interface TransactionOptions {
  /**
   * Named in the change feed by the operations that `replica` applies (`applied` if absent). Not `local`,
   * which is what local edits are named.
   */
  readonly origin?: string
}

/** How to follow `db.compact`, and to end it. */
export interface CompactOptions {
  /** Called after each step. */
  readonly onProgress?: (progress: WorkProgress) => void
  /** Ends it, between two steps, with the signal's reason. What was done stays done. */
  readonly signal?: AbortSignal
}

/** What a database holds, and what it takes. */
export interface DatabaseStats {
  readonly store: StoreStats
  /** Entities by collection. */
  readonly collections: { readonly [name: string]: number }
  /** Operations held by the change feed. */
  readonly feed: { readonly on: boolean; readonly operations: number }
  /** Entities kept decoded in memory, and the bytes that they take there, about. */
  readonly cache: { readonly entities: number; readonly bytes: number }
  /** Live queries that are open. */
  readonly liveQueries: number
}

const sources = new WeakMap<object, DatabaseSource>()

/** What is behind a database, for the other entry points of this package. */
export function coreOf(db: object): { core: DatabaseCore; source: DatabaseSource } {
  const source = sources.get(db)
  if (source === undefined) throw new TypeError('this is not an open EntiDB')
  return { core: source.core, source }
}

/** A database of what another entry point of this package opened. */
export let createDatabase: <D extends CollectionDefinitions>(source: DatabaseSource) => EntiDB<D>

/**
 * @example
 * const db = await EntiDB.open({
 *   storage: memoryStorage(),
 *   collections: { people: defineCollection<Person>({ indexes: { byName: ['name'] } }) },
 * })
 * await db.collection('people').put({ id: 'p1', name: 'Ada' })
 */
export class EntiDB<D extends CollectionDefinitions = CollectionDefinitions>
  implements ReadScope<D>
{
  readonly #core: DatabaseCore
  readonly #source: DatabaseSource

  static {
    createDatabase = (source) => new EntiDB(source)
  }

  private constructor(source: DatabaseSource) {
    this.#core = source.core
    this.#source = source
    sources.set(this, source)
  }

  /**
   * Opens or creates the database, replays its log, and makes entities and indexes fit the definitions:
   * entities of older versions are migrated, `docs/guide/migrations.md` says how.
   *
   * Errors: `database_locked`, `not_a_database`, `format_too_new`, `corrupt`, `data_newer_than_code`,
   * `migration_failed` (details: collection, id, from, to; nothing was changed), `disk_full`, `io_failed`, `read_only`, `load_failed`; a TypeError for definitions that make no sense.
   */
  static async open<const C extends CollectionDefinitions>(
    options: OpenOptions<C>,
  ): Promise<EntiDB<C>> {
    return new EntiDB<C>(await openDatabase(options))
  }

  /** What opening found and repaired. */
  get recovery(): RecoveryReport {
    return this.#core.store.recovery
  }

  /** The bounds it was opened with. */
  get limits(): DatabaseLimits {
    return this.#core.limits
  }

  /** Error: `unknown_collection`. */
  collection<K extends keyof D & string>(name: K): DatabaseCollection<EntityOf<D[K]>> {
    return new DatabaseCollection(this.#core.catalog.find(name), this.#source)
  }

  /**
   * Runs `run` as the one writer: serializable, all or nothing, over any collections. Resolves with what
   * it returned when the transaction is durable; what it throws undoes everything and is thrown on.
   * Inside it, use `tx`: a write through the database would wait for this transaction, which waits for it.
   * That is a TypeError where it can be seen at once, else `transaction_abandoned` after a while.
   *
   * Errors: those of the commit (`disk_full`, `io_failed`, `database_failed`, `commit_unknown`),
   * `database_closed`.
   *
   * @example
   * await db.transaction(async (tx) => {
   *   const from = await tx.collection('accounts').get('a')
   *   if (from) await tx.collection('accounts').put({ ...from, balance: from.balance - 1 })
   * })
   */
  async transaction<R>(
    run: (tx: Transaction<D>) => R | Promise<R>,
    options: TransactionOptions = {},
  ): Promise<R> {
    if (typeof run !== 'function') throw new TypeError('transaction takes a function')
    if (options.origin === 'local') throw new TypeError('local names local edits')
    return this.#source.transact(options.origin, (session) =>
      run(new Transaction<D>(this.#core, session)),
    )
  }

  /** A consistent view of now. Release it: it holds space. Error: `database_closed`. */
  snapshot(): Snapshot<D> {
    return new Snapshot<D>(this.#core.catalog, this.#source.snapshot())
  }

  /**
   * The committed operations in commit order, once they are durable; then waits for more. Memory is
   * bounded however far the reader is behind, and while it is open, the feed keeps what it has not handed out.
   *
   * On a synced database the feed keeps no more than sync, and every other registered reader, still needs:
   * to go on from an opId at any time, register as a reader (`feedReader`).
   *
   * Errors: `change_feed_off` when it is off, or no longer reaches back to `after`; `database_closed` when
   * the database is closed while it waits.
   *
   * @example
   * for await (const op of db.changes({ after: lastSeenOpId, signal })) publish(op)
   */
  changes(options: ChangesOptions = {}): AsyncGenerator<DbOperation, void, undefined> {
    return this.#source.changes(options)
  }

  /**
   * A reader of the change feed under a name that the database keeps: registered now, at the start of what
   * the feed holds, or found again where it was. From then on the feed is on, whatever `changeFeed` says, and
   * keeps what the reader has not acknowledged; remove it when it is not needed any more.
   *
   * Errors: those of a commit, `database_closed`.
   *
   * @example
   * const reader = await db.feedReader('search')
   * for await (const op of reader.changes({ signal })) {
   *   await searchIndex.update(op)
   *   await reader.acknowledge(op.opId)
   * }
   */
  feedReader(name: string): Promise<FeedReader> {
    return this.#source.feedReader(name)
  }

  /** What the database holds, and what it takes. Error: `database_closed`. */
  async stats(): Promise<DatabaseStats> {
    const { store, catalog, cache, feed, live } = this.#core
    const collections: Record<string, number> = {}
    const operations = await this.#source.read(function* ({ view }) {
      for (const { name, recordTable } of catalog.defined) {
        collections[name] = yield* wait(view.count(recordTable))
      }
      return yield* wait(view.count('feed'))
    })
    return {
      store: store.stats(),
      collections,
      feed: { on: feed.on, operations },
      cache: { entities: cache.entries, bytes: cache.bytes },
      liveQueries: live.size,
    }
  }

  /**
   * Checks everything that is stored: every checksum, the order of keys, that all space is used once or free
   * once; that every entity can be read, in its one form, under its own id, and migrated if it is older; that
   * every index agrees with the entities both ways. Others go on meanwhile, and memory is bounded. Damage is reported, not thrown.
   *
   * Errors: `database_closed`, `database_failed`, `load_failed`.
   *
   * @example
   * const { ok, problems } = await db.verify()
   * if (!ok) console.error(problems)
   */
  async verify(options: VerifyOptions = {}): Promise<VerifyReport> {
    this.#source.assertOpen()
    const { store, scheduler, catalog } = this.#core
    return verifyWith(store, (name) => catalog.codeOf(name), { ...options, scheduler })
  }

  /**
   * Writes a copy of one state of the database, while others go on: into an empty place (a Storage), where it
   * is a database of its own, or to a stream, for `restoreBackup`. The copy is there as a whole or not at all.
   * Space that the state needs is held until the end; `signal` gives it free.
   *
   * Errors: `database_exists` (the target holds one), `database_locked` (the target is in use), `disk_full` and
   * `io_failed` (of the target), `read_only`, `corrupt` (of this database), `backup_abandoned`,
   * `database_closed`, `database_failed`, `load_failed`; whatever the stream fails with.
   *
   * @example
   * await db.backup(fileStorage('./backup'))
   * await db.backup(Writable.toWeb(createWriteStream('backup.entidb')))
   */
  async backup(target: Storage | ByteSink, options: BackupOptions = {}): Promise<BackupReport> {
    this.#source.assertOpen()
    return backUpStore(this.#core.store, target, options)
  }

  /**
   * Gives free space back to the file system, step by step, while others go on. Nothing to do where something
   * else looks after what is stored.
   *
   * Errors: `database_closed`, `database_failed`, `disk_full` (it needs a little to begin with), `io_failed`,
   * `load_failed`.
   */
  async compact({ onProgress = () => {}, signal }: CompactOptions = {}): Promise<void> {
    this.#source.assertOpen()
    signal?.throwIfAborted()
    await this.#core.store.maintenance?.compact((progress) => {
      signal?.throwIfAborted()
      onProgress(progress)
    })
  }

  /**
   * Waits for running transactions and closes the store. What is begun afterwards is `database_closed`.
   * Closing twice is closing once.
   */
  async close(): Promise<void> {
    await this.#source.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
