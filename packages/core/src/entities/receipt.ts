/** What a write tells its caller. */

/** The operations of a transaction. */
export interface TransactionReceipt {
  /** The opId of the transaction's first operation; 0 when it changed nothing. */
  readonly transactionId: number
  /** One for each entity written, in order. */
  readonly opIds: readonly number[]
}

/** What a write of one entity tells. */
export interface CommitReceipt<T> extends TransactionReceipt {
  /** The entity as stored, deeply frozen; undefined after a delete. */
  readonly entity: Readonly<T> | undefined
  /** Was there an entity under this id before? */
  readonly existed: boolean
}
