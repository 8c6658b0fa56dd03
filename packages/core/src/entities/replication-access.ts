/** `replication(db)`: what a sync client needs of a database, besides `tx.replica`. */
import { decodeFrozenEntity } from '../cbor/entity-decoder.ts'
import type { CollectionDefinitions, EntityOf } from './collection-definition.ts'
import type { CommitListener } from './commit-log.ts'
import { coreOf } from './database.ts'
import { DatabaseCollection } from './database-collection.ts'
import type { DatabaseCore } from './database-core.ts'
import type { DatabaseSource } from './database-source.ts'
import { acknowledgeFeed, removeFeedReader } from './feed-acknowledgement.ts'
import { type FeedBounds, readFeedHead, readWholeTransactions, toOperation } from './feed-reader.ts'
import { buildIndexes } from './index-build.ts'
import { readAllMeta } from './meta.ts'
import { OpenWork } from './open-work.ts'
import type { DbOperation } from './operation.ts'
import { ReplicaSnapshot } from './replica-snapshot.ts'
import type { DatabaseIdentity, ReplicatedState } from './replication.ts'
import { type RunInTransaction, rewriteOlder } from './rewrite-older.ts'
import { sessionOf } from './transaction.ts'

/** Handles of system collections, by name. */
export type SystemCollections<D extends CollectionDefinitions> = {
  readonly [K in keyof D & string]: DatabaseCollection<EntityOf<D[K]>>
}

/** Which operations `readFeed` answers. */
export interface ReadFeedOptions extends FeedBounds {
  /** Operations with a higher opId than this. */
  readonly after: number
}

/** Options of `acknowledgeFeed`. */
export interface AcknowledgeOptions {
  /**
   * The reader needs no operation of this origin. Such operations are not even written while it is the only
   * reader, the feed is empty and nobody iterates `changes`; they count as removed.
   */
  readonly ignores?: string
}

/** The replication side of a database, outside a transaction; inside one it is `tx.replica`. */
export class Replication {
  readonly #core: DatabaseCore
  readonly #source: DatabaseSource

  constructor(core: DatabaseCore, source: DatabaseSource) {
    this.#core = core
    this.#source = source
  }

  /** Random names of the database and of this installation of it. */
  get identity(): DatabaseIdentity {
    return this.#core.identity
  }

  /** Is the change feed on? */
  get feedOn(): boolean {
    return this.#core.feed.on
  }

  /** What is beyond this is in the feed; up to here it was removed, or left out. */
  get feedAfter(): number {
    return this.#core.feed.after
  }

  /**
   * The entity of a replicated state, deeply frozen, in the version of its shape that a read of the collection
   * would give: for whoever shows the sides of a conflict, which may be of different versions. Null for a state
   * without bytes. As it is stored when it is newer than the code, or the collection is not defined.
   *
   * Errors: `migration_failed`, `invalid_cbor`.
   */
  entityOf(
    collection: string,
    entityId: string,
    { bytes, schemaVersion }: Pick<ReplicatedState, 'bytes' | 'schemaVersion'>,
  ): unknown {
    if (bytes === null) return null
    const state = this.#core.catalog.findReplicated(collection)
    const stored = { record: bytes, entityStart: 0, schemaVersion }
    const isOlder = schemaVersion < state.schemaVersion && state.chain !== undefined
    const current = isOlder ? state.chain.upgrade(entityId, stored, state.schemaVersion) : bytes
    return decodeFrozenEntity(current).value
  }

  /** The highest opId in the change feed or removed from it; 0 when there never was one. */
  async feedHead(): Promise<number> {
    const head = await this.#source.read(({ view }) => readFeedHead(view))
    return Math.max(head, this.#core.feed.on ? this.#core.feed.after : 0)
  }

  /**
   * The operations after `after`, as many whole transactions as the bounds allow. Only a transaction that
   * exceeds them alone is cut in the middle: then the last operation is not `transactionLast`. A payload is
   * decoded when it is looked at.
   */
  async readFeed(options: ReadFeedOptions): Promise<readonly DbOperation[]> {
    const range = { after: options.after, through: Number.MAX_SAFE_INTEGER }
    const entries = await this.#source.read(({ view }) =>
      readWholeTransactions(view, range, options),
    )
    return entries.map((entry) => toOperation(entry, this.#core.identity))
  }

  /**
   * In the transaction `tx`: `reader` needs no operation up to `opId` any more. The first call registers it,
   * and from then on the feed is on, whatever `changeFeed` says at open. What no registered reader needs, and
   * every open iteration of `changes` has handed out, is removed, a bounded number of operations with each call.
   */
  async acknowledgeFeed(
    tx: object,
    reader: string,
    opId: number,
    { ignores }: AcknowledgeOptions = {},
  ): Promise<void> {
    if (!Number.isSafeInteger(opId) || opId < 0) throw new TypeError('an opId is an integer from 0')
    if (ignores === 'local') throw new TypeError('a reader of the feed needs local edits')
    await sessionOf(tx).run((writer) => acknowledgeFeed(writer, reader, opId, ignores))
  }

  /** In the transaction `tx`: removes these of a system collection, as far as they are there; one call instead of many. */
  async removeAll(tx: object, collection: `_${string}`, ids: readonly string[]): Promise<void> {
    const state = this.#core.catalog.find(collection)
    await sessionOf(tx).run(function* (writer) {
      for (const id of ids) yield* writer.delete(state, id)
    })
  }

  /** In the transaction `tx`: `reader` is no more. The feed stays on until the next open. */
  async removeFeedReader(tx: object, reader: string): Promise<void> {
    await sessionOf(tx).run((writer) => removeFeedReader(writer, reader))
  }

  /** What is committed now, to be read in steps while writers go on. Release it. */
  snapshot(): ReplicaSnapshot {
    this.#source.assertOpen()
    return new ReplicaSnapshot(this.#core)
  }

  /**
   * Tells of every transaction that wrote entities, in commit order, once it is durable. Writes of system
   * collections alone are not told. The answer ends it.
   */
  onCommit(listener: CommitListener): () => void {
    return this.#core.commits.onCommit(listener)
  }

  /**
   * Opens collections named with a leading `_`: outside the change feed, pending tracking and
   * `tx.replica.scan`, in the same transactions as everything else (`tx.collection('_name')`).
   */
  async openSystemCollections<const D extends CollectionDefinitions>(
    definitions: D,
  ): Promise<SystemCollections<D>> {
    const { catalog, scheduler } = this.#core
    const work = new OpenWork(scheduler)
    const apply = await this.#source.write(function* (writer) {
      const meta = yield* readAllMeta(writer.tx)
      const setting = { system: true, rewrites: true, work, meta }
      const defined = yield* catalog.define(writer.tx, definitions, setting)
      if (defined.changed) writer.markDirty()
      return defined.apply
    })
    const { building, rewritten } = apply()
    for (const state of building) await buildIndexes(this.#inTransaction, state, work)
    for (const state of rewritten) await rewriteOlder(this.#inTransaction, state, work)
    const names = Object.keys(definitions)
    const handles = names.map((name) => [
      name,
      new DatabaseCollection(catalog.find(name), this.#source),
    ])
    // One handle for each definition, of its type.
    return Object.fromEntries(handles) as SystemCollections<D>
  }

  readonly #inTransaction: RunInTransaction = (task) =>
    this.#source.write(function* (writer) {
      writer.markDirty()
      return yield* task(writer.tx)
    })
}

/** The replication side of an open database. */
export function replication(db: object): Replication {
  const { core, source } = coreOf(db)
  return new Replication(core, source)
}
