/** Why an entity is what it is on this device. */
import type { OpenConflict } from '../conflicts/conflict-types.ts'
import type { Rejection } from '../conflicts/rejection.ts'
import type { EntityRef } from '../entity-ref.ts'
import type { LedgerEntry } from '../ledger/ledger-types.ts'

/** What sync knows of one entity. */
export type EntitySyncState = 'synced' | 'pending' | 'inFlight' | 'held' | 'rejected'

/** Who made a revision, and how that is known. */
export interface RevisionAuthor {
  readonly deviceId: string
  readonly isThisDevice: boolean
  /** The author's operation; null where only the server would know, and was not asked or did not say. */
  readonly opId: number | null
  /** The author's clock, in milliseconds since 1970; null where it is not known. */
  readonly timestampMs: number | null
  /** This device's ledger, or the server's oplog. */
  readonly source: 'ledger' | 'server'
}

/** What `sync.explain` answers. */
export interface SyncExplanation extends EntityRef {
  readonly state: EntitySyncState
  /** What readers see: the server's state, this device's edit upon it, or no such entity, perhaps because of `evict`. */
  readonly shows: 'remote' | 'local' | 'nothing' | 'evicted'
  /** The server's revision that is stored or that the local edit was made on; it is also its cursor. 0: none. */
  readonly revision: number
  /** Null for revision 0, and where neither ledger nor server say it. */
  readonly author: RevisionAuthor | null
  /**
   * Why `author` is null, as the code of an error: `cursor_expired` where the revision is older than the deletes that the
   * server has forgotten, `not_found` where it has a newer one, or why it could not be asked. Null where it is not, or
   * there is none to know.
   */
  readonly authorUnknown: string | null
  readonly conflict: OpenConflict | null
  readonly rejection: Rejection | null
  /** This device's transactions that wrote the entity, the newest first, at most 20: their fates and decisions. */
  readonly transactions: readonly LedgerEntry[]
  /** The same in words, a line each. */
  readonly lines: readonly string[]
}
