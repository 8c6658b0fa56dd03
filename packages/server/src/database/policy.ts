/**
 * What an identity may do inside one database. Rules look at names only (identity, collection,
 * entityId), never at content: what a token may see changes only when its scope does, and then the
 * device syncs anew.
 */
import type { SyncOperation } from '@entidb/protocol'
import type { Identity } from '../auth/identity.ts'

/** Everything, nothing, or a pure function of who asks and which entity. It answers at once: a promise fails the request. */
export type EntityRule = boolean | ((identity: Identity, entityId: string) => boolean)

/** Who may read and write the entities of a collection. */
export interface CollectionPolicy {
  /** Default true. */
  readonly read?: EntityRule
  /** Default true. Writing needs reading too: a conflict shows the server's state. */
  readonly write?: EntityRule
}

/** The state that an operation meets. */
export interface CurrentState {
  /** The revision, also of a tombstone; 0 for none. */
  readonly entityVersion: number
  /** Null for none and for deleted ones. */
  readonly entityCbor: Uint8Array | null
  /** `entityCbor` decoded, when first asked for. */
  entity(): unknown
}

/** A pushed operation as a policy sees it. */
export interface ProposedOperation {
  readonly operation: SyncOperation
  /** The decoded entity, null for a delete. */
  entity(): unknown
}

/** Why an operation is refused. Both go to the client: no secrets. */
export interface Refusal {
  /** A short word of the application's own, such as `order_closed`. */
  readonly code: string
  readonly message: string
}

/** What the application allows, beyond what tokens say. */
export interface Policy {
  /** By collection name. */
  readonly collections?: Readonly<Record<string, CollectionPolicy>>
  /** Rules of the collections that are not named; default: everything. */
  readonly otherCollections?: CollectionPolicy
  /**
   * Asked for every operation that is new to the server, inside the push's transaction: be quick. A
   * refusal rejects the operation with its group. Throwing fails the whole push with `internal`.
   */
  readonly validate?: (
    proposed: ProposedOperation,
    current: CurrentState,
    identity: Identity,
    // biome-ignore lint/suspicious/noConfusingVoidType: a policy that has nothing against it returns nothing
  ) => Refusal | undefined | void
  /**
   * Names what the identity may see, when rules are functions of more than its subject: whenever the
   * answer differs, devices sync anew. Opaque to clients.
   */
  readonly scope?: (identity: Identity) => string
}
