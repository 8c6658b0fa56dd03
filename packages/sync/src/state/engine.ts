/**
 * The port through which sync uses the database: the change feed, write transactions with their
 * replication side, and system rows that commit with them. `core-engine.ts` implements it on
 * `@entidb/core`.
 */
import type {
  DatabaseIdentity,
  DbOperation,
  ReplicaEntry,
  ReplicaRef,
  ReplicaScanOptions,
  ReplicaTransaction,
  ReplicatedState,
} from '@entidb/core/replication'

/** The origin of what sync applies. */
export const SYNC_ORIGIN = 'sync'

export type FeedRow = Pick<
  DbOperation,
  | 'opId'
  | 'collection'
  | 'entityId'
  | 'payloadCbor'
  | 'schemaVersion'
  | 'timestampMs'
  | 'origin'
  | 'transactionId'
  | 'transactionLast'
  | 'staleBase'
>

export interface Commit {
  readonly lastOpId: number
  readonly origin: string
}

export interface SystemRows {
  get(collection: string, id: string): Promise<unknown>
  put(collection: string, row: { readonly id: string }): Promise<void>
  putAll(collection: string, rows: readonly { readonly id: string }[]): Promise<void>
  delete(collection: string, id: string): Promise<void>
  deleteAll(collection: string, ids: readonly string[]): Promise<void>
  /** Every row, in order of ids. */
  all(collection: string): Promise<readonly unknown[]>
  /** The next rows in order of ids, at most `limit`. */
  page(
    collection: string,
    range: { readonly after?: string; readonly limit: number },
  ): Promise<readonly unknown[]>
  /** The rows whose field `group` is `group`. */
  ofGroup(collection: string, group: number): Promise<readonly unknown[]>
}

export interface EngineTransaction {
  readonly replica: ReplicaTransaction
  readonly system: SystemRows
  /** A local edit, as the application makes them. */
  put(collection: string, entity: { readonly id: string }): Promise<void>
  /** As `put` of each, in turn. */
  putAll(collection: string, entities: readonly { readonly id: string }[]): Promise<void>
  /** As `put`. */
  delete(collection: string, entityId: string): Promise<void>
  /** Feed operations up to `opId` are no longer needed, and those of `SYNC_ORIGIN` never. */
  acknowledgeFeed(opId: number): Promise<void>
}

/** What is committed at one moment: entities and system rows, read while writers go on. */
export interface EngineSnapshot {
  /** Every entity and tombstone, by collection and id. */
  scan(options: ReplicaScanOptions): Promise<readonly ReplicaEntry[]>
  /** The entry of one entity; undefined when nothing is known of it. */
  find(ref: ReplicaRef): Promise<ReplicaEntry | undefined>
  get(collection: string, id: string): Promise<unknown>
  /** Every row of a system collection, in order of ids, streamed. */
  rows(collection: string): AsyncIterable<unknown>
  release(): void
}

export interface Engine {
  readonly identity: DatabaseIdentity
  readonly feedOn: boolean
  /**
   * Takes sync of this database for one client, until the answer is called, or `letGo` answers true to another one that
   * wants it. TypeError when another has it: each keeps in memory what it stored.
   */
  claim(letGo: () => boolean): () => void
  /**
   * The entity of a replicated state, frozen, in the version of its shape that the application reads. Null without
   * bytes. Error: `migration_failed`.
   */
  entityOf(ref: ReplicaRef, state: Pick<ReplicatedState, 'bytes' | 'schemaVersion'>): unknown
  /** Error: `unknown_collection` for one that the application did not define. */
  assertDefined(collection: string): void
  /** Prepares the system collections. */
  open(): Promise<void>
  /** Their names. */
  readonly systemCollections: readonly string[]
  /** The feed holds every operation beyond this; up to here it holds only what is still to be acknowledged. */
  readonly feedAfter: number
  feedHead(): Promise<number>
  /** Operations after `after`, at most `opsMax`; ends in the middle only of a transaction longer than that. */
  readFeed(options: {
    readonly after: number
    readonly opsMax: number
    readonly bytesMax: number
  }): Promise<readonly FeedRow[]>
  /** Told of every durable commit, in order. Returns a function that ends it. */
  onCommit(listener: (commit: Commit) => void): () => void
  /** Is to be released. */
  snapshot(): EngineSnapshot
  /** Applied states, and the commit itself, carry `SYNC_ORIGIN`. */
  transaction<R>(run: (tx: EngineTransaction) => Promise<R>): Promise<R>
}
