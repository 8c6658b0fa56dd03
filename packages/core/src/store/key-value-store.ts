/**
 * KeyValueStore port: named tables of ordered keys; snapshots; one writer; atomic durable commits.
 * Keys and values are byte strings; keys order bytewise (shorter first when one is a prefix). Every
 * implementation passes the suite of `store-conformance.ts`.
 *
 * Bytes handed in and out are borrowed for ever: neither side may change them afterwards.
 */
import type { MaybePromise } from '../files/file-system.ts'
import type { SalvagedPart, SalvageStoreOptions } from './salvage-part.ts'

/** Bounds of a scan. At most one of `gt`/`gte` and one of `lt`/`lte`. Absent means open. */
export interface KeyRange {
  readonly gt?: Uint8Array
  readonly gte?: Uint8Array
  readonly lt?: Uint8Array
  readonly lte?: Uint8Array
  /** From the highest key to the lowest. Default false. */
  readonly reverse?: boolean
}

/** Entries in scan order: `values[i]` belongs to `keys[i]`. */
export interface Batch {
  readonly keys: readonly Uint8Array[]
  readonly values: readonly Uint8Array[]
}

/** A position in a scan (a tree cursor, not a server cursor). */
export interface TreeCursor {
  /** The next entries, at most `entriesMax` of them; an empty batch means the end. */
  next(entriesMax: number): MaybePromise<Batch>
}

/** Reads of one state of a store. */
export interface Reader {
  get(table: string, key: Uint8Array): MaybePromise<Uint8Array | undefined>
  /** A table that was never written is empty. */
  scan(table: string, range: KeyRange): TreeCursor
  /** Number of entries of a table, without counting them. */
  count(table: string): MaybePromise<number>
  /** Names of the tables that hold entries. */
  tables(): MaybePromise<readonly string[]>
}

/** A consistent, immutable view. Holds space until released. */
export interface StoreSnapshot extends Reader {
  release(): void
}

/**
 * The one writer's view: reads see its own writes, on top of every commit before it. A cursor opened
 * before a write of this transaction may or may not see it; open a new one to be sure.
 */
export interface WriteTransaction extends Reader {
  /** What it sees now, whatever it writes later. Not to be asked for while a write waits; of use until it ends. */
  view(): Reader
  /** Error: `too_large`, where the store has limits. */
  put(table: string, key: Uint8Array, value: Uint8Array): MaybePromise<void>
  /** Whether the key was there. */
  delete(table: string, key: Uint8Array): MaybePromise<boolean>
  /** Removes every entry of a table. */
  clear(table: string): MaybePromise<void>
  /**
   * Hands the transaction over. The next writer may begin as soon as this was called; the promise
   * resolves when the commit is durable (as the store's durability says) and visible to snapshots.
   * Commits become durable and visible, and their promises resolve, in the order of their calls.
   * A transaction without changes resolves when everything it could have read is durable.
   *
   * Errors: `disk_full` (nothing of it is applied; the store goes on), `io_failed` (fate unknown, the
   * store is failed), `commit_unknown` (a commit before it failed in flush), `database_failed`.
   */
  commit(): Promise<void>
  /** Leaves no trace. Calling it after `commit` or twice does nothing. */
  rollback(): void
}

/** What opening found in the log. */
export interface RecoveryReport {
  /** Commits replayed from the log. */
  readonly replayedCommits: number
  /** The last log sequence number found, 0 for a new store. */
  readonly lastLsn: number
  /** Present when a torn tail was cut off. */
  readonly tailCut?: { readonly file: string; readonly offset: number; readonly bytes: number }
}

/** What a store holds, and what it takes. */
export interface StoreStats {
  readonly state: 'open' | 'failed' | 'closed'
  readonly lastLsn: number
  readonly tables: number
  readonly entries: number
  /** Bytes of the log since the last checkpoint. */
  readonly walBytes: number
  /** Bytes of all files. */
  readonly fileBytes: number
  /** Bytes of nodes in memory that can be dropped and read again. */
  readonly cacheBytes: number
  readonly openSnapshots: number
  readonly checkpoints: number
}

/** Something that is not as it should be. */
export interface StoreProblem {
  readonly code: 'corrupt'
  readonly file: string
  /** In the file, in bytes. */
  readonly offset: number
  readonly message: string
  readonly table?: string
  /** Of the entry, where it is known. */
  readonly key?: Uint8Array
}

/** What a check of the store, below the entities, found. */
export interface StoreVerification {
  /** The first thousand. */
  readonly problems: readonly StoreProblem[]
  readonly checked: {
    /** Separately checksummed pieces of the file. */
    readonly extents: number
    readonly bytes: number
    readonly entries: number
  }
}

/** How far a piece of work is, in steps. */
export interface WorkProgress {
  readonly done: number
  /** In the same unit as `done`; an estimate until the end. */
  readonly total: number
}

/** How far a copy is. */
export interface CopyProgress {
  readonly doneBytes: number
}

/** `strict`: a resolved commit survives power loss. `relaxed`: the last ones may not; consistency does. */
export type Durability = 'strict' | 'relaxed'

/** Looking after the files, while others read and write. */
export interface StoreMaintenance {
  /** Checks everything that is stored, as it lies in the files. */
  verify(onProgress?: (progress: WorkProgress) => void): Promise<StoreVerification>
  /**
   * The bytes of a consistent copy, for `Storage.restore`; progress in bytes. Space that it needs is not
   * reused before it has ended: read it to the end or `return` it. Of one that nobody reads any more the space
   * is taken back after a while, and reading on is `backup_abandoned`. Errors: `corrupt`, `io_failed`,
   * `database_closed`.
   */
  backup(onProgress?: (progress: WorkProgress) => void): AsyncGenerator<Uint8Array, void, undefined>
  /** Gives free space back to the file system, step by step. */
  compact(onProgress?: (progress: WorkProgress) => void): Promise<void>
  /** Where everything lies, without reading all of it. Errors: `corrupt`, `io_failed`. */
  layout(): Promise<StoreLayout>
}

/** What the files of a store look like. */
export interface StoreLayout {
  /** In hexadecimal. */
  readonly storeId: string
  /** The last superblock written. */
  readonly superblock: {
    readonly sequence: number
    /** No log is needed: it was closed. */
    readonly sealed: boolean
    readonly checkpointLsn: number
    readonly requiredLsn: number
    readonly walGeneration: number
  }
  /** Bytes of the data file that are used, or free between what is used. */
  readonly dataBytes: number
  readonly freeBytes: number
  readonly tables: readonly TableLayout[]
}

/** What one table takes. */
export interface TableLayout {
  readonly name: string
  readonly entries: number
  /** Nodes on the way from the root to an entry. */
  readonly depth: number
  readonly nodes: number
  /** Of the nodes, as they lie in the file; large values are stored beside them. */
  readonly nodeBytes: number
}

/** Named tables of ordered keys: what entities are stored in. `storeConformance` tests an implementation. */
export interface KeyValueStore {
  readonly recovery: RecoveryReport
  /** Waits its turn (first come, first served) and becomes the one writer. */
  begin(): Promise<WriteTransaction>
  /** The last visible commit. Error: `database_closed`. Reading stays possible in state `failed`. */
  snapshot(): StoreSnapshot
  /** Folds the log into the tree. */
  checkpoint(): Promise<void>
  /** Undefined where something else looks after what is stored, as it is with a database server. */
  readonly maintenance: StoreMaintenance | undefined
  stats(): StoreStats
  /**
   * Waits for the writer and all commits, checkpoints, releases the lock. Error: `io_failed` when a
   * `relaxed` commit that had resolved could not be flushed; the store is closed all the same.
   */
  close(): Promise<void>
}

/** Opens or creates a store. What `EntiDB.open` takes as `storage`. */
export interface Storage {
  readonly description: string
  /**
   * `readOnly`: a store that changes nothing in the files, for looking at them; opening is `not_a_database`
   * where there is none, and writing is `read_only`.
   */
  open(options: {
    readonly durability: Durability
    readonly readOnly?: boolean
  }): Promise<KeyValueStore>
  /**
   * Makes a store of what `backup` gave where there is none yet; checks it first. Absent where stores have no
   * `maintenance`. Errors: `database_exists`,
   * `corrupt`, `not_a_database`, `format_too_new`, `disk_full`, `io_failed`, `database_locked`.
   */
  restore?(
    pieces: AsyncIterable<Uint8Array>,
    onProgress?: (progress: CopyProgress) => void,
  ): Promise<void>
  /**
   * Everything that can still be read of a damaged store, and what cannot; changes nothing in it. Absent where
   * something else looks after what is stored. Errors: `database_locked`, `not_a_database`, `format_too_new`.
   */
  salvage?(options?: SalvageStoreOptions): AsyncGenerator<SalvagedPart, void, undefined>
}
