/** The change feed's record of one committed mutation. */

/** Where a local edit comes from, as opposed to an applied one. */
export const LOCAL = 'local'

/** What an operation did to its entity. */
export type OpType = 'PUT' | 'DELETE'

/** One committed write of one entity, as the change feed tells it. */
export interface DbOperation<T = unknown> {
  /** At least 1, strictly increasing in commit order, never reused within this database file. */
  readonly opId: number
  /** Random identity of this database, made with its file. A sync client replaces it by its own. */
  readonly dbId: string
  /** Random identity of this installation, made with the database file. */
  readonly deviceId: string
  readonly collection: string
  readonly entityId: string
  readonly opType: OpType
  /** The decoded, deeply frozen entity; null for a delete. */
  readonly payload: T | null
  /** The stored bytes; null for a delete. */
  readonly payloadCbor: Uint8Array | null
  /**
   * For a local operation the revision it was made on (0: none was known); for an applied one the
   * revision it brought.
   */
  readonly entityVersion: number
  /** The schema version the bytes were written in. */
  readonly schemaVersion: number
  /** Wall clock of the commit, in milliseconds. Informational only, never compared. */
  readonly timestampMs: number
  /** `local`, or the origin named by whoever applied it. */
  readonly origin: 'local' | (string & {})
  readonly transactionId: number
  /** True for the last operation of its transaction. */
  readonly transactionLast: boolean
  /**
   * True when the edit was made (`basedOn`) on a revision older than the one stored at its commit, or on one of
   * which nothing is known any more: replication must treat it as a conflict.
   */
  readonly staleBase: boolean
}
