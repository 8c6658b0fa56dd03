/**
 * The life of one write transaction: one step after the other, then a commit or a rollback, after which
 * nothing of it can be used.
 */
import type { WriteTransaction } from '../store/key-value-store.ts'
import type { DatabaseCore } from './database-core.ts'
import { transactionClosed } from './entity-errors.ts'
import { EntityWriter } from './entity-writer.ts'
import { runSteps, type Steps } from './steps.ts'

export class WriteSession {
  readonly writer: EntityWriter
  readonly #core: DatabaseCore
  readonly #tx: WriteTransaction
  #open = true
  /** A step that the store keeps waiting; the next one has to wait for its end. */
  #running: Promise<void> | undefined
  /** Cursors that are read from between other steps. */
  #closed: Error | undefined

  constructor(tx: WriteTransaction, core: DatabaseCore, origin: string) {
    this.#tx = tx
    this.#core = core
    this.writer = new EntityWriter(tx, core, origin)
  }

  get isOpen(): boolean {
    return this.#open
  }

  /** Error: `transaction_closed`, or what `abandon` was told. */
  assertOpen(): void {
    if (!this.#open) throw this.#closed ?? transactionClosed()
  }

  /** Runs steps when those before them have ended; synchronously where the store answers at once. */
  async run<T>(task: (writer: EntityWriter) => Steps<T>): Promise<T> {
    this.assertOpen()
    while (this.#running !== undefined) await this.#running
    this.assertOpen()
    const result = runSteps(task(this.writer))
    if (!(result instanceof Promise)) return result
    const running: Promise<void> = result.then(
      () => this.#ended(running),
      () => this.#ended(running),
    )
    this.#running = running
    return result
  }

  /** Resolves when the transaction is durable and visible. */
  async commit(): Promise<void> {
    try {
      await this.run((writer) => writer.finish())
    } catch (error) {
      this.rollback()
      throw error
    }
    this.#open = false
    const { commits, feed } = this.#core
    const { isDirty, feedSetting, opIds, origin } = this.writer
    const durable = this.#tx.commit()
    if (isDirty) feed.set(feedSetting)
    try {
      await durable
    } finally {
      if (isDirty) commits.closeWrites()
    }
    const lastOpId = opIds.at(-1)
    const transactionId = opIds[0]
    if (lastOpId === undefined || transactionId === undefined) return
    commits.announce({ lastOpId, transactionId, origin })
  }

  rollback(reason?: Error): void {
    if (!this.#open) return
    this.#open = false
    this.#closed = reason
    this.#tx.rollback()
    if (this.writer.isDirty) this.#core.commits.closeWrites()
  }

  #ended(running: Promise<void>): void {
    if (this.#running === running) this.#running = undefined
  }
}
