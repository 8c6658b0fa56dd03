/** The ledger as an application sees it. */
import type { SyncedEntity } from '../conflicts/conflict-types.ts'
import type { EntityRef } from '../entity-ref.ts'

export const LEDGER_FATES = [
  'pending',
  'inFlight',
  'committed',
  'conflict',
  'rejected',
  'superseded',
] as const

/**
 * What became of a local transaction so far:
 *
 * - `pending`: not sent yet. `inFlight`: sent, no answer yet.
 * - `committed`: the server has it as it was.
 * - `conflict`: another device's edit met it. `how` says how that was settled, null while it is open.
 * - `rejected` by the server: `how` is the code. Held until it is edited or discarded.
 * - `superseded`: held with a conflict or rejection of another one, and sent again in `successor`.
 */
export type LedgerFate = (typeof LEDGER_FATES)[number]

/** An entity that a local transaction wrote. */
export interface LedgerEntity extends EntityRef {
  /** The revision that the server gave it; null where there is none, or it was not named. */
  readonly entityVersion: number | null
}

/** One local transaction. */
export interface LedgerEntry {
  /** Its last opId, as text. */
  readonly id: string
  readonly fate: LedgerFate
  readonly how: string | null
  /** Who settled its conflict, or discarded it; null where nobody has or had to. */
  readonly decidedBy: 'resolver' | 'application' | null
  /** Nothing more will become of it. */
  readonly isSettled: boolean
  /** The transaction that carries its edits on; null: none. */
  readonly successor: string | null
  /** When it got this fate, in milliseconds since 1970; null while it waits. For people. */
  readonly at: number | null
  /** The first 100 of those that it wrote. */
  readonly entities: readonly LedgerEntity[]
  /** How many it wrote. */
  readonly entityCount: number
  /** Values that its conflict left behind are kept: `ledger.kept(id)`. */
  readonly hasKept: boolean
}

/** A value that lost: a local one that was given up or merged, or a remote one that was written over. */
export interface KeptEntity extends EntityRef {
  readonly side: 'local' | 'remote'
  /** Null when that side had deleted it. */
  readonly entity: SyncedEntity | null
  /** Of a remote value its revision, of a local one the revision it was made on. */
  readonly entityVersion: number
  /** How the conflict was settled. */
  readonly how: string
  /** Milliseconds since 1970, for people. */
  readonly at: number
}

/** Which entries are wanted. */
export interface LedgerQuery {
  readonly fate?: LedgerFate | readonly LedgerFate[]
  /** Of transactions that wrote this entity, among the first 100 of theirs. */
  readonly entity?: EntityRef
  /** Most entries, at least 1. Default 100. */
  readonly limit?: number
}
