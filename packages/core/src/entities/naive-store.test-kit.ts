/**
 * The simplest KeyValueStore: sorted arrays, copied for every transaction. With `async` every answer is
 * a promise and scans come in short batches, as from a store on the other side of a network.
 */
import type { MaybePromise } from '../files/file-system.ts'
import { compareBytes } from '../store/bytes.ts'
import type {
  Batch,
  KeyRange,
  KeyValueStore,
  Reader,
  Storage,
  StoreSnapshot,
  TreeCursor,
  WriteTransaction,
} from '../store/key-value-store.ts'
import { Mutex } from '../store/mutex.ts'
import { databaseClosed } from '../store/store-errors.ts'

interface Entry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

type Tables = Map<string, readonly Entry[]>

export interface NaiveOptions {
  readonly async?: boolean
  /** Called before a commit; what it throws is what the commit fails with. */
  readonly onCommit?: () => void
}

/** Keeps what was committed for the next `open`. */
export function naiveStorage(options: NaiveOptions = {}): Storage {
  const home = { tables: new Map() as Tables }
  return { description: 'naive', open: async () => new NaiveStore(home, options) }
}

class NaiveStore implements KeyValueStore {
  readonly recovery = { replayedCommits: 0, lastLsn: 0 }
  readonly maintenance = undefined
  readonly #home: { tables: Tables }
  readonly #options: NaiveOptions
  readonly #writers = new Mutex()
  #lsn = 0
  #snapshots = 0
  #closed = false

  constructor(home: { tables: Tables }, options: NaiveOptions) {
    this.#home = home
    this.#options = options
  }

  async begin(): Promise<WriteTransaction> {
    if (this.#closed) throw databaseClosed()
    await this.#writers.acquire()
    return new NaiveTransaction(new Map(this.#home.tables), this.#options, {
      commit: async (tables) => {
        this.#options.onCommit?.()
        this.#home.tables = tables
        this.#lsn++
      },
      end: () => this.#writers.release(),
    })
  }

  snapshot(): StoreSnapshot {
    if (this.#closed) throw databaseClosed()
    this.#snapshots++
    const reader = new NaiveReader(this.#home.tables, this.#options)
    return Object.assign(reader, {
      release: () => {
        this.#snapshots--
      },
    })
  }

  async checkpoint(): Promise<void> {}

  stats() {
    return {
      state: this.#closed ? ('closed' as const) : ('open' as const),
      lastLsn: this.#lsn,
      tables: this.#home.tables.size,
      entries: 0,
      walBytes: 0,
      fileBytes: 0,
      cacheBytes: 0,
      openSnapshots: this.#snapshots,
      checkpoints: 0,
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#writers.acquire()
    this.#writers.release()
  }
}

class NaiveReader implements Reader {
  readonly tablesByName: Tables
  readonly options: NaiveOptions

  constructor(tables: Tables, options: NaiveOptions) {
    this.tablesByName = tables
    this.options = options
  }

  answer<T>(value: T): MaybePromise<T> {
    return this.options.async === true ? Promise.resolve().then(() => value) : value
  }

  get(table: string, key: Uint8Array): MaybePromise<Uint8Array | undefined> {
    const entries = this.tablesByName.get(table) ?? []
    return this.answer(entries.find((entry) => compareBytes(entry.key, key) === 0)?.value)
  }

  scan(table: string, range: KeyRange): TreeCursor {
    const all = (this.tablesByName.get(table) ?? []).filter(({ key }) => isWithin(key, range))
    if (range.reverse === true) all.reverse()
    let at = 0
    return {
      next: (entriesMax): MaybePromise<Batch> => {
        const short = this.options.async === true ? Math.max(1, entriesMax >> 1) : entriesMax
        const batch = all.slice(at, at + short)
        at += batch.length
        return this.answer({
          keys: batch.map(({ key }) => key),
          values: batch.map(({ value }) => value),
        })
      },
    }
  }

  count(table: string): MaybePromise<number> {
    return this.answer((this.tablesByName.get(table) ?? []).length)
  }

  tables(): MaybePromise<readonly string[]> {
    const names = [...this.tablesByName].filter(([, entries]) => entries.length > 0)
    return this.answer(names.map(([name]) => name))
  }
}

interface Owner {
  commit(tables: Tables): Promise<void>
  end(): void
}

class NaiveTransaction extends NaiveReader implements WriteTransaction {
  readonly #owner: Owner
  #open = true

  constructor(tables: Tables, options: NaiveOptions, owner: Owner) {
    super(tables, options)
    this.#owner = owner
  }

  view(): Reader {
    return new NaiveReader(new Map(this.tablesByName), this.options)
  }

  put(table: string, key: Uint8Array, value: Uint8Array): MaybePromise<void> {
    const entries = (this.tablesByName.get(table) ?? []).filter((entry) => !isKey(entry, key))
    const at = entries.findIndex((entry) => compareBytes(entry.key, key) > 0)
    entries.splice(at < 0 ? entries.length : at, 0, { key, value })
    this.tablesByName.set(table, entries)
    return this.answer(undefined)
  }

  delete(table: string, key: Uint8Array): MaybePromise<boolean> {
    const entries = this.tablesByName.get(table) ?? []
    const kept = entries.filter((entry) => !isKey(entry, key))
    this.tablesByName.set(table, kept)
    return this.answer(kept.length < entries.length)
  }

  clear(table: string): MaybePromise<void> {
    this.tablesByName.delete(table)
    return this.answer(undefined)
  }

  async commit(): Promise<void> {
    this.#open = false
    const done = this.#owner.commit(this.tablesByName)
    this.#owner.end()
    await done
  }

  rollback(): void {
    if (!this.#open) return
    this.#open = false
    this.#owner.end()
  }
}

function isKey(entry: Entry, key: Uint8Array): boolean {
  return compareBytes(entry.key, key) === 0
}

function isWithin(key: Uint8Array, { gt, gte, lt, lte }: KeyRange): boolean {
  return (
    (gt === undefined || compareBytes(key, gt) > 0) &&
    (gte === undefined || compareBytes(key, gte) >= 0) &&
    (lt === undefined || compareBytes(key, lt) < 0) &&
    (lte === undefined || compareBytes(key, lte) <= 0)
  )
}
