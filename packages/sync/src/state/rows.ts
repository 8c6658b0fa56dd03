/**
 * What sync stores, in system collections of the same database, always in the transaction that
 * changes the entities it speaks of. `docs/sync-client.md` has the table.
 */
import type { HistoryEntry } from '@entidb/protocol'
import type { EntityRef } from '../entity-ref.ts'
import type { ResyncReason } from '../events.ts'

/** `_sync_state`: one row. */
export interface StateRow {
  readonly id: 'state'
  readonly dbId: string
  readonly deviceId: string
  /** The configured name that the application gave up; absent or null: none. */
  readonly nameGivenUp?: string | null
  /** Everything up to here was received. */
  readonly cursor: number
  /** The same, but that a re-sync does not begin it again. */
  readonly receivedThrough: number
  readonly epoch: Uint8Array | null
  readonly history: readonly HistoryEntry[]
  /** Raised by each re-sync: an answer asked for under another one is thrown away. */
  readonly generation: number
  readonly resync: ResyncRow | null
  /** Largest revision this device ever stored, lowered by an epoch change. */
  readonly revisionMax: number
  /** Wire opId = feed opId + this. */
  readonly opIdOffset: number
  /** Highest wire opId ever frozen. */
  readonly frozenOpIdMax: number
  /** Feed operations up to here are in the frozen batch, held, decided, or not ours to push. */
  readonly feedPosition: number
  /** Head that the pages of a pull were cut from which is not at its end; absent or 0: there is none. */
  readonly pullingTo?: number
  /** How far a first sync by snapshot has come; absent or null: there is none. */
  readonly snapshot?: SnapshotRow | null
  /** The server forgot deletes up to here ... */
  readonly purgedThrough: number
  /** ... and this device did. */
  readonly forgottenThrough: number
  readonly scope: string | null
  /** The first offer of what was written before sync was; null when done. */
  readonly offer: OfferRow | null
  /** Feed ranges [first, last] whose operations are no transaction of the application: each stands alone. */
  readonly looseRanges: readonly (readonly [number, number])[]
  /** The transaction that is pushed in parts: its rest begins after `feedPosition`. */
  readonly split: SplitRow | null
  readonly groupLast: number
  readonly batchLast: number
  /** Number of rows in `_sync_evicted`. */
  readonly evicted: number
  readonly ledger: LedgerCounts
}

/** What `_sync_ledger`, `_sync_kept` and `_sync_fates` hold, and the number of the last row of the first two. */
export interface LedgerCounts {
  readonly committed: number
  readonly committedLast: number
  readonly keptBytes: number
  readonly keptLast: number
  readonly decisionLast: number
  /** Fates of `_sync_fates` that are settled, at most; absent: not counted yet. */
  readonly settled?: number
  /** Fates up to that of this transaction may have been dropped; absent: none was. */
  readonly fatesDroppedThrough?: number
}

/** The place of the next page of a snapshot, and how many operations came in those before it. */
export interface SnapshotRow {
  readonly through: number
  readonly after: string
  readonly pulled: number
}

export interface ResyncRow {
  readonly reason: ResyncReason
  readonly phase: 'pulling' | 'sweeping' | 'sweepingEvicted' | 'clearing'
  /** How far the sweep has come. */
  readonly after: EntityRef | null
}

export interface OfferRow {
  /** Feed head when sync began. */
  readonly through: number
  readonly after: EntityRef | null
}

export interface SplitRow {
  readonly transactionId: number
  /** The group that holds its rest because a part was not accepted. */
  readonly group: number | null
  /** What its parts so far wrote, whether they were committed or held; absent: nothing. */
  readonly before?: CommittedPart
}

/** What a part of a transaction wrote, as the ledger names it, and what became of that. */
export interface CommittedPart {
  readonly written: WrittenEntities
  /** In the order of the keys; null where the server named none. */
  readonly versions: readonly (number | null)[]
}

/** One operation of the frozen batch; its bytes stay in the change feed until it is decided. */
export interface FrozenOp extends EntityRef {
  readonly localOpId: number
  readonly opId: number
  readonly base: number
  /** `tx` on the wire. */
  readonly group: number
  /** The application gave it up while it was under way: later edits of its entity were not made on it. */
  readonly givenUp?: boolean
}

export interface FrozenTransaction {
  /** Last opId of the local transaction. */
  readonly key: number
  readonly group: number
  /** `localOpId` of the operations that its edits are part of: the first of them. */
  readonly localOpIds: readonly number[]
  /** How many entities it wrote. */
  readonly size: number
  /** It is the last part of a transaction: what the others wrote. */
  readonly before?: CommittedPart
}

/** `_sync_frozen`: at most one row, the batch whose outcome is open. In opId order. */
export interface FrozenRow {
  readonly id: 'batch'
  readonly batch: number
  readonly deviceId: string
  /** The feed is kept from here on. */
  readonly feedAfter: number
  readonly ops: readonly FrozenOp[]
  readonly transactions: readonly FrozenTransaction[]
  /** Most groups per request; null: all at once. Lowered by `too_large` and repeated `internal`. */
  readonly groupsMax: number | null
  /** The transaction whose part this batch is, if any. */
  readonly splitTransactionId: number | null
}

export interface RemoteState {
  readonly version: number
  readonly bytes: Uint8Array | null
  readonly schemaVersion: number
}

/** Never seen, or gone without a trace. */
export const ABSENT: RemoteState = { version: 0, bytes: null, schemaVersion: 1 }

/** Bytes that stay where they are stored, beside their note, until somebody needs them. */
export interface StoredPieces {
  /** Their number, at least 1. */
  readonly pieces: number
}

/** A state in a note: however many conflicts are open, memory has the bytes of small ones only. */
export interface NotedState extends Omit<RemoteState, 'bytes'> {
  readonly bytes: Uint8Array | StoredPieces | null
}

export interface ConflictNote {
  readonly remote: NotedState
  readonly sinceMs: number
  /** Edited on a state that this device no longer has: there is no common base. */
  readonly stale: boolean
  /** The pair that was asked about and deferred; null: not asked yet. */
  readonly deferred: string | null
}

export interface RejectionNote {
  readonly code: string
  readonly message: string
  readonly sinceMs: number
  /** No answer named this operation: it may have been committed, and its echo would say so. */
  readonly unknown: boolean
}

/** What was sent without learning its revision, to recognise its echo. */
export interface SentOp {
  /** Accepted by a server that names no revisions; otherwise no answer came. */
  readonly accepted: boolean
  readonly deviceId: string
  readonly opId: number
  readonly localOpId: number
  readonly bytes: Uint8Array | null
  /** Of the bytes. Not in rows of earlier releases. */
  readonly schemaVersion?: number
}

/** As `NotedState`. */
export interface NotedSentOp extends Omit<SentOp, 'bytes'> {
  readonly bytes: NotedState['bytes']
}

/**
 * `_sync_entities`: only for entities of which there is something to note. The bytes of states in it are rows of
 * `_sync_pieces` (`note-rows.ts`).
 */
export interface NoteRow extends EntityRef {
  /** `entityKey`. */
  readonly id: string
  /** Held, together with every other member of this group. */
  readonly group: number | null
  readonly conflict: ConflictNote | null
  readonly rejection: RejectionNote | null
  /** Feed operations of this entity up to here are accounted for: superseded, dropped or held. */
  readonly skipThrough: number
  /** After an epoch change: server states up to here are ancestors of the local edit; -1: none is. Else 0. */
  readonly ancestorThrough: number
  /** Conflicts asked about since the last accepted edit. */
  readonly rounds: number
  readonly sent: NotedSentOp | null
}

/** `_sync_fates`: transactions that were not simply committed. */
export interface FateRow {
  /** Last opId of the local transaction, as text. */
  readonly id: string
  /** The group it is held in; null once settled. */
  readonly group: number | null
  readonly fate: 'open' | 'conflict' | 'rejected' | 'released'
  /** How a conflict was settled, or the code of a rejection. */
  readonly how: string | null
  /** Who settled it; null while nobody has, and where nobody had to. */
  readonly decidedBy: DecidedBy | null
  /** The transaction that carries its edits on. */
  readonly successor: number | null
  /** Of the keys in `written`. Rows of older releases have those of the whole group, however many. */
  readonly entityVersions: Readonly<Record<string, number>> | null
  /** When it came to be what it is, in milliseconds since 1970: for people. */
  readonly atMs: number
  readonly written: WrittenEntities
}

/** The resolver that the application configured, or the application itself, by hand. */
export type DecidedBy = 'resolver' | 'application'

/** What a local transaction wrote, as far as the ledger names it. */
export interface WrittenEntities {
  /** Keys of the first of them. */
  readonly keys: readonly string[]
  /** How many there are. */
  readonly size: number
}

/** Most entities of one transaction that the ledger names. */
export const WRITTEN_NAMED_MAX = 100

/** `_sync_ledger`: transactions that were committed, a row or more for each answer of the server. */
export interface CommittedRow {
  /** A number, padded: rows sort by age. */
  readonly id: string
  readonly atMs: number
  readonly transactions: readonly CommittedTransaction[]
}

export interface CommittedTransaction extends CommittedPart {
  readonly key: number
}

/** `_sync_kept`: values that lost a conflict or were discarded. */
export interface KeptRow {
  /** As in `_sync_ledger`. */
  readonly id: string
  readonly atMs: number
  /** The number of its first row: a decision on many values takes several. */
  readonly decision: number
  /** How the conflict was settled. */
  readonly how: string
  /** The local transactions that were settled so. */
  readonly transactions: readonly number[]
  readonly values: readonly KeptValue[]
  /** Of the values. */
  readonly bytes: number
}

export interface KeptValue extends EntityRef {
  /** Whose value it was. */
  readonly side: 'local' | 'remote'
  readonly state: RemoteState
  /** The rest of its bytes comes next. */
  readonly more: boolean
}

/** `_sync_seen`: entities the server named in a re-sync. */
export interface SeenRow {
  readonly id: string
  readonly generation: number
}

/**
 * `_sync_evicted`: entities that were dropped from this device. Each still counts as known at its revision,
 * until the server names a newer one, or its state in the answer to a local edit.
 */
export interface EvictedRow extends EntityRef {
  /** `entityKey`. */
  readonly id: string
  readonly version: number
  /** What the entity adds to the digest of its collection, 32 bytes. */
  readonly digest: Uint8Array
}

/** In `_sync_state`, while a sign-out removes everything: nothing is synced before it has finished. */
export interface SignOutRow {
  readonly id: 'signOut'
  /** Local edits up to here are removed, later ones are kept. */
  readonly throughOpId: number
}

/** In `_sync_state`, after a sign-out: where the next user begins. */
export interface FreshStartRow {
  readonly id: 'freshStart'
  readonly deviceId: string
  /** Feed operations up to here were the last user's. */
  readonly feedPosition: number
}

export const STATE_COLLECTION = '_sync_state'
export const FROZEN_COLLECTION = '_sync_frozen'
export const NOTES_COLLECTION = '_sync_entities'
export const PIECES_COLLECTION = '_sync_pieces'
export const FATES_COLLECTION = '_sync_fates'
export const SEEN_COLLECTION = '_sync_seen'
export const EVICTED_COLLECTION = '_sync_evicted'
export const COMMITTED_COLLECTION = '_sync_ledger'
export const KEPT_COLLECTION = '_sync_kept'

export function emptyNote(ref: EntityRef, id: string): NoteRow {
  return {
    id,
    collection: ref.collection,
    entityId: ref.entityId,
    group: null,
    conflict: null,
    rejection: null,
    skipThrough: 0,
    ancestorThrough: 0,
    rounds: 0,
    sent: null,
  }
}

/** Nothing to note: the row need not be there. */
export function isEmptyNote(note: NoteRow): boolean {
  return (
    note.group === null &&
    note.conflict === null &&
    note.rejection === null &&
    note.skipThrough === 0 &&
    note.ancestorThrough === 0 &&
    note.rounds === 0 &&
    note.sent === null
  )
}
