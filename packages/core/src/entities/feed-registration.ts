/** `db.feedReader`: a reader of the change feed that the database knows, across restarts. */
import { EntiDBError } from '../errors/entidb-error.ts'
import type { Reader } from '../store/key-value-store.ts'
import { iterateChanges } from './changes.ts'
import { assertCollectionName } from './collection-state.ts'
import type { DatabaseCore } from './database-core.ts'
import type { DatabaseSource } from './database-source.ts'
import type { EntityWriter } from './entity-writer.ts'
import { acknowledgedBy, acknowledgeFeed, removeFeedReader } from './feed-acknowledgement.ts'
import type { DbOperation } from './operation.ts'
import type { Steps } from './steps.ts'
import { sessionOf } from './transaction.ts'

/** Among the names of all readers: those of the application cannot be taken for sync's. */
const PREFIX = 'app:'

/** When the operations of a reader end. */
export interface FeedReadOptions {
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal
  /** False: ends at what was the head when it began. Default: waits for more. */
  readonly wait?: boolean
}

/**
 * The feed keeps every operation that a registered reader has not acknowledged, through restarts and crashes,
 * until it does or is removed.
 *
 * @example
 * const reader = await db.feedReader('search')
 * for await (const op of reader.changes({ signal })) {
 *   await searchIndex.update(op)
 *   await reader.acknowledge(op.opId)
 * }
 */
export class FeedReader {
  readonly name: string
  readonly #core: DatabaseCore
  readonly #source: DatabaseSource

  /** By `register` alone. */
  private constructor(name: string, core: DatabaseCore, source: DatabaseSource) {
    this.name = name
    this.#core = core
    this.#source = source
  }

  /**
   * @internal
   * @throws TypeError for what is no name: 1 to 64 of `A-Z a-z 0-9 _ -`, without a leading `_`.
   */
  static async register(
    name: string,
    core: DatabaseCore,
    source: DatabaseSource,
  ): Promise<FeedReader> {
    assertCollectionName(name, { system: false })
    const reader = PREFIX + name
    const known = await source.read(({ view }) => acknowledgedBy(view, reader))
    if (known === undefined) await source.write((writer) => registerIn(writer, reader))
    return new FeedReader(name, core, source)
  }

  /** The opId that it acknowledged last. Error: `feed_reader_unknown` when it was removed. */
  async acknowledged(): Promise<number> {
    return this.#source.read(({ view }) => this.#position(view))
  }

  /**
   * The operations behind the last acknowledged one, in commit order, once they are durable; then waits for
   * more. Memory is bounded. Errors: `feed_reader_unknown`, `database_closed`.
   */
  changes(options: FeedReadOptions = {}): AsyncGenerator<DbOperation, void, undefined> {
    const start = () => this.acknowledged()
    return iterateChanges(this.#core, start, options, this.#source.closing)
  }

  /**
   * It needs no operation up to `opId` any more, and is given none of them again. With `tx`, in that
   * transaction: what the reader has made of the operations is then stored if, and only if, they count as read.
   * Going back has no effect. Errors: `feed_reader_unknown`, those of a commit.
   */
  async acknowledge(opId: number, { tx }: { readonly tx?: object } = {}): Promise<void> {
    if (!Number.isSafeInteger(opId) || opId < 0) throw new TypeError('an opId is an integer from 0')
    const position = (writer: EntityWriter) => this.#position(writer.tx)
    const reader = PREFIX + this.name
    const task = function* (writer: EntityWriter): Steps<void> {
      if (opId > (yield* position(writer))) yield* acknowledgeFeed(writer, reader, opId, undefined)
    }
    await (tx === undefined ? this.#source.write(task) : sessionOf(tx).run(task))
  }

  /** It is no more: the feed keeps nothing for it. Removing it twice is removing it once. */
  async remove(): Promise<void> {
    await this.#source.write((writer) => removeFeedReader(writer, PREFIX + this.name))
  }

  *#position(view: Reader): Steps<number> {
    const position = yield* acknowledgedBy(view, PREFIX + this.name)
    if (position === undefined) throw feedReaderUnknown(this.name)
    return position
  }
}

function feedReaderUnknown(name: string): EntiDBError {
  return new EntiDBError(
    'feed_reader_unknown',
    `The reader ${name} of the change feed was removed. Register it again with db.feedReader.`,
    { details: { name } },
  )
}

/** It begins with all that the feed holds. */
function* registerIn(writer: EntityWriter, reader: string): Steps<void> {
  // Two may have asked at the same time.
  if ((yield* acknowledgedBy(writer.tx, reader)) !== undefined) return
  const { on, after } = writer.feedSetting
  yield* acknowledgeFeed(writer, reader, on ? after : writer.lastKnownOpId, undefined)
}
