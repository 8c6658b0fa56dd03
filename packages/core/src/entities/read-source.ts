/** Where reads and writes of a collection go: the database, a snapshot, or a transaction. */
import type { MaybePromise } from '../files/file-system.ts'
import type { EntityReader } from './entity-reader.ts'
import type { EntityWriter } from './entity-writer.ts'
import type { Steps } from './steps.ts'

/** One consistent view for as long as it is held. */
export interface PinnedView {
  read<T>(task: (reader: EntityReader) => Steps<T>): Promise<T>
  release(): void
}

export interface ReadSource {
  /** Is what the cache calls the latest version of an entity what a read here has to return? */
  readonly readsLatest: boolean
  /** Errors: `database_closed`, `transaction_closed`. */
  assertOpen(): void
  /** At once where the store answers at once. */
  read<T>(task: (reader: EntityReader) => Steps<T>): MaybePromise<T>
  pin(): PinnedView
}

export interface WriteSource extends ReadSource {
  /** Resolves when the writes are in the transaction, or durable if they make one of their own. */
  write<T>(task: (writer: EntityWriter) => Steps<T>): Promise<T>
}
