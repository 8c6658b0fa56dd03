/** A write transaction as its callback sees it. */
import { Collection } from './collection.ts'
import type { AnyEntity, CollectionDefinitions, Entity, EntityOf } from './collection-definition.ts'
import type { ReadScope } from './collection-reader.ts'
import type { DatabaseCore } from './database-core.ts'
import type { EntityReader } from './entity-reader.ts'
import type { EntityWriter } from './entity-writer.ts'
import type { PinnedView, WriteSource } from './read-source.ts'
import type { TransactionReceipt } from './receipt.ts'
import type { IndexViolation, RawOperation, ReplicaTransaction } from './replication.ts'
import type { Steps } from './steps.ts'
import type { WriteSession } from './write-session.ts'

const sessions = new WeakMap<object, WriteSession>()

/** The session behind a transaction, for the parts of the engine that work inside one. */
export function sessionOf(tx: object): WriteSession {
  const session = sessions.get(tx)
  if (session === undefined) throw new TypeError('this is not a transaction of EntiDB')
  return session
}

/**
 * Reads see its own writes, on top of every commit before it. Use only what hangs on it inside the
 * callback: `db.collection(...).put` there would wait for the very transaction it is called in. After
 * its end everything but `receipt` is `transaction_closed`.
 */
export class Transaction<D extends CollectionDefinitions = CollectionDefinitions>
  implements ReadScope<D>
{
  readonly #core: DatabaseCore
  readonly #session: WriteSession
  readonly #source: WriteSource
  /** The replication side: for a sync client. */
  readonly replica: ReplicaTransaction

  constructor(core: DatabaseCore, session: WriteSession) {
    this.#core = core
    this.#session = session
    this.#source = new TransactionSource(session)
    this.replica = session.replica()
    sessions.set(this, session)
  }

  /** Error: `unknown_collection`. */
  collection<K extends keyof D & string>(name: K): Collection<EntityOf<D[K]>>
  /** A system collection that `openSystemCollections` opened. */
  collection<T extends Entity = AnyEntity>(name: `_${string}`): Collection<T>
  collection(name: string): unknown {
    return new Collection(this.#core.catalog.find(name), this.#source)
  }

  /** Joins: `run` gets this transaction, and what it throws does not undo what it has written so far. */
  async transaction<R>(run: (tx: this) => R | Promise<R>): Promise<R> {
    this.#session.assertOpen()
    return run(this)
  }

  /** The operations so far; all of them once it has committed. */
  get receipt(): TransactionReceipt {
    const { opIds } = this.#session.writer
    return { transactionId: opIds[0] ?? 0, opIds: [...opIds] }
  }

  /** As `replica.applyRaw`. */
  applyRaw(operation: RawOperation): Promise<{ readonly violations: readonly IndexViolation[] }> {
    return this.replica.applyRaw(operation)
  }
}

class TransactionSource implements WriteSource {
  readonly readsLatest = true
  readonly #session: WriteSession

  constructor(session: WriteSession) {
    this.#session = session
  }

  assertOpen(): void {
    this.#session.assertOpen()
  }

  read<T>(task: (reader: EntityReader) => Steps<T>): Promise<T> {
    return this.#session.run((writer) => task(writer.reader))
  }

  write<T>(task: (writer: EntityWriter) => Steps<T>): Promise<T> {
    return this.#session.run(task)
  }

  pin(): PinnedView {
    this.assertOpen()
    let reader: EntityReader | undefined
    return {
      // At the first step: only in its turn no other step is halfway.
      read: (task) =>
        this.#session.run((writer) => {
          reader ??= writer.pinned()
          return task(reader)
        }),
      release: () => {},
    }
  }
}
