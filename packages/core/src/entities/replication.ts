/**
 * Replication: what a sync client needs of the engine, and nothing it does not. The engine knows
 * revisions and remembers, for every entity with local edits that nobody has settled, the replicated
 * state they were made on; it never decides what to do with them.
 *
 * For each entity the engine keeps one of:
 *
 * | state   | stored                                                                          |
 * | ------- | ------------------------------------------------------------------------------- |
 * | unknown | nothing                                                                         |
 * | clean   | bytes and their revision                                                        |
 * | deleted | a tombstone: the revision that deleted it                                       |
 * | pending | local bytes (or their absence), the last opId, and beside them the *base*: the   |
 * |         | replicated state the edits were made on (revision 0 and null: never replicated)  |
 *
 * Every local write makes its entity pending, whether the change feed is on or not. Only the
 * functions below make it clean again.
 */
import type { EntityStamp } from './entity-stamp.ts'

/** A replicated state: bytes of the entity, or null for absent (revision 0) or deleted (revision > 0). */
export interface ReplicatedState {
  readonly version: number
  readonly bytes: Uint8Array | null
  readonly schemaVersion: number
}

/** An entity as replication sees it. */
export interface ReplicaState extends EntityStamp {
  /** What readers see: deterministic CBOR, or null when there is no such entity. */
  readonly bytes: Uint8Array | null
  readonly schemaVersion: number
  readonly pending: boolean
  /** The last opId of a local edit while pending, else 0. */
  readonly opId: number
  /** Known revision when clean or deleted; the base's revision when pending; 0 when unknown. */
  readonly version: number
  /** The last replicated state. When not pending it is what `bytes` and `version` say. */
  readonly base: ReplicatedState
}

/** One entity as `ReplicaTransaction.scan` meets it. */
export interface ReplicaEntry {
  readonly collection: string
  readonly entityId: string
  readonly version: number
  readonly pending: boolean
  /** No entity is visible under this id: a tombstone, or a pending delete. */
  readonly deleted: boolean
  /** What readers see: deterministic CBOR, null when `deleted`. A view of what is stored: not to be changed. */
  readonly bytes: Uint8Array | null
}

/** Which entries `scan` answers. */
export interface ReplicaScanOptions {
  /** The last entry of the scan before; absent: from the beginning. */
  readonly after?: { readonly collection: string; readonly entityId: string }
  /** At least 1. Fewer are answered only at the end. */
  readonly entriesMax: number
}

/** A replicated state, and whose it is. */
export interface RawOperation extends ReplicatedState {
  /** Need not be defined locally: entities of a newer application's collections are kept too. */
  readonly collection: string
  readonly entityId: string
}

/** The replication side of a write transaction: `tx.replica`. */
export interface ReplicaTransaction {
  state(collection: string, entityId: string): Promise<ReplicaState>
  /** In the order of `refs`: one call instead of many. */
  states(refs: readonly ReplicaRef[]): Promise<readonly ReplicaState[]>
  /**
   * Stores a replicated state exactly as received and makes the entity clean: pending local edits of
   * it are dropped, a null with a revision leaves a tombstone. Indexes and live queries follow. A
   * local unique index or schema never refuses it: a violated unique index tolerates the entity, and
   * the violation is returned. The change feed records it with the transaction's origin.
   */
  applyRaw(operation: RawOperation): Promise<{ readonly violations: readonly IndexViolation[] }>
  /**
   * `applyRaw` of each operation in turn that is newer than what is known of its entity, unless the
   * entity is pending: those are left alone and named by their index. For pages of a pull: one call
   * instead of two for each operation. `turn` is called every few milliseconds, and waited for: what it lets
   * run sees nothing of the transaction. Where no registered reader of the change feed follows
   * them, their opIds are in the order of ids; those of one entity are in turn.
   */
  applyNewer(
    operations: readonly RawOperation[],
    options?: { readonly turn?: () => Promise<void> },
  ): Promise<AppliedOperations>
  /** Keeps the local side of a pending entity and replaces the state it counts as made on. */
  rebase(collection: string, entityId: string, base: ReplicatedState): Promise<void>
  /**
   * A local edit was accepted as `committed`. With no local edit after `throughOpId` the entity
   * becomes clean (or a tombstone); otherwise it stays pending with `committed` as its base.
   */
  settle(
    collection: string,
    entityId: string,
    committed: ReplicatedState,
    throughOpId: number,
  ): Promise<void>
  /**
   * `settle` of each edit in turn that is still pending, as it was or edited since. The others (somebody
   * dropped them) are left alone and named by their index.
   */
  settleAll(edits: readonly CommittedEdit[]): Promise<readonly number[]>
  /**
   * Records the current local side as a new local edit (a new opId in the change feed) without
   * changing it, on the entity's current base. A clean entity becomes pending with its revision as base.
   */
  touch(collection: string, entityId: string): Promise<{ readonly opId: number }>
  /**
   * The server's history parts at `point` from the one known so far: revisions beyond it, of states that were read
   * until now, count as `point` in edits that are based on them (`basedOn`). Numbers beyond it may come again.
   */
  partAt(point: number): Promise<void>
  /**
   * Ends a transaction as far as the change feed tells them apart, and begins another: operations after this have a
   * `transactionId` of their own. All of them commit together.
   */
  beginTransaction(): Promise<void>
  /** Drops the tombstone of an entity that is not pending; its revision becomes 0. */
  forget(collection: string, entityId: string): Promise<void>
  /**
   * Removes a clean entity from this device, leaving nothing, not even a tombstone. Recorded in the
   * change feed as a delete with the transaction's origin.
   */
  evict(collection: string, entityId: string): Promise<void>
  /** Every entity and tombstone, ordered by collection and id, after the given one. */
  scan(options: ReplicaScanOptions): Promise<readonly ReplicaEntry[]>
}

/** Names an entity. */
export interface ReplicaRef {
  readonly collection: string
  readonly entityId: string
}

/** A local edit that was accepted. */
export interface CommittedEdit extends ReplicaRef {
  readonly committed: ReplicatedState
  /** The last opId of the edits that it was. */
  readonly throughOpId: number
}

/** What `ReplicaTransaction.applyNewer` did. */
export interface AppliedOperations {
  /** Operations that were stored. */
  readonly applied: number
  /** Indexes of the operations on pending entities: nothing was done about them. */
  readonly pending: readonly number[]
  readonly violations: readonly IndexViolation[]
}

/** A unique index that a replicated entity breaks: it is stored all the same. */
export interface IndexViolation {
  readonly collection: string
  readonly index: string
  /** The entity that was stored and the ones that already had the same key. */
  readonly ids: readonly string[]
}

/** Identity made with the database file and kept in it. */
export interface DatabaseIdentity {
  readonly databaseId: string
  readonly deviceId: string
  /** 16 random bytes. */
  readonly replicaId: Uint8Array
}
