/**
 * The life of one write transaction: one step after the other, then a commit or a rollback, after which
 * nothing of it can be used.
 */
import type { MaybePromise } from '../files/file-system.ts'
import type { WriteTransaction } from '../store/key-value-store.ts'
import type { DatabaseCore } from './database-core.ts'
import { transactionClosed } from './entity-errors.ts'
import { EntityWriter } from './entity-writer.ts'
import { LOCAL } from './operation.ts'
import { createReplicaTransaction } from './replica-transaction.ts'
import type { ReplicaTransaction } from './replication.ts'
import { runSteps, type Steps } from './steps.ts'

/** Of a transaction that names none: in the change feed, of what replication applies; and as a whole. */
const APPLIED = 'applied'

/** A step that has not waited for anything yet. */
const AT_ONCE: Promise<void> = Promise.resolve()

export class WriteSession {
  readonly writer: EntityWriter
  readonly #core: DatabaseCore
  readonly #tx: WriteTransaction
  readonly #origin: string | undefined
  #isOpen = true
  /** Why it ended before its time. */
  #reason: Error | undefined
  /** The end of a step; the next one has to wait for it. */
  #running: Promise<void> | undefined
  #stepsBegun = 0

  constructor(tx: WriteTransaction, core: DatabaseCore, origin: string | undefined) {
    this.#tx = tx
    this.#core = core
    this.#origin = origin
    this.writer = new EntityWriter(tx, core, origin ?? APPLIED)
  }

  /** Grows with everything that is done in the transaction. */
  get stepsBegun(): number {
    return this.#stepsBegun
  }

  /** Is the store busy with a step right now? */
  get isBusy(): boolean {
    return this.#running !== undefined
  }

  /** The replication side of the transaction. */
  replica(): ReplicaTransaction {
    return createReplicaTransaction(this, this.#core.catalog)
  }

  /** Error: `transaction_closed`, or the reason given to `rollback`. */
  assertOpen(): void {
    if (!this.#isOpen) throw this.#reason ?? transactionClosed()
  }

  /** Runs steps when those before them have ended; synchronously where the store answers at once. */
  async run<T>(task: (writer: EntityWriter) => Steps<T>): Promise<T> {
    this.assertOpen()
    this.#stepsBegun++
    while (this.#running !== undefined) await this.#running
    this.assertOpen()
    // What a function of the caller, such as that of `update`, begins in the middle of a step comes after it.
    this.#running = AT_ONCE
    let result: MaybePromise<T>
    try {
      result = runSteps(task(this.writer))
    } finally {
      this.#running = undefined
    }
    if (result instanceof Promise) this.#running = result.then(this.#stepEnded, this.#stepEnded)
    return result
  }

  /** Resolves when the transaction is durable and visible; rolled back when it cannot be handed over. */
  async commit(): Promise<void> {
    try {
      await this.run((writer) => {
        // A write that nobody waited for comes too late from here on: it would miss its place in the feed.
        this.#isOpen = false
        return writer.finish()
      })
    } catch (error) {
      await this.#undo()
      throw error
    }
    const { commits, feed, live } = this.#core
    const { isDirty, feedSetting, opIds, lastOpId: lastStamp, recorder } = this.writer
    const durable = this.#tx.commit()
    const onItsWay = isDirty ? live.handOver(recorder.finish(lastStamp), durable) : undefined
    if (isDirty) feed.set(feedSetting)
    try {
      await durable
    } catch (error) {
      if (onItsWay !== undefined) live.drop(onItsWay)
      if (isDirty) feed.takeBack()
      throw error
    } finally {
      this.writer.close()
    }
    if (isDirty) feed.confirm(feedSetting)
    if (onItsWay !== undefined) live.deliver(onItsWay)
    const lastOpId = opIds.at(-1)
    const transactionId = opIds[0]
    if (lastOpId === undefined || transactionId === undefined) return
    commits.announce({ lastOpId, transactionId, origin: this.#origin ?? LOCAL })
  }

  /** `reason` is what everything that is still tried in the transaction fails with. */
  async rollback(reason?: Error): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#reason = reason
    await this.#undo()
  }

  async #undo(): Promise<void> {
    // The store must not be left in the middle of a step.
    while (this.#running !== undefined) await this.#running
    this.#tx.rollback()
    this.writer.close()
  }

  readonly #stepEnded = (): void => {
    this.#running = undefined
  }
}
