/** What a server answers to who asks for everything: the operations that compaction and purge left, in order. */
import type { SyncOperation } from '@entidb/protocol'

export interface ServerLog {
  readonly ops: readonly SyncOperation[]
  readonly head: number
  /** Deletes up to here may be forgotten. */
  readonly purgedThrough: number
}

/** A part of it, which some device asked for. */
export interface ServedPage {
  readonly sinceCursor: number
  readonly nextCursor: number
  readonly ops: readonly SyncOperation[]
  readonly purgedThrough: number
}

/** A page of a snapshot: the entities whose keys lie between two places. */
export interface ServedSnapshot {
  /** Undefined: from the first one on. */
  readonly after: string | undefined
  /** Undefined: to the last one. */
  readonly through: string | undefined
  readonly head: number
  readonly ops: readonly SyncOperation[]
  readonly purgedThrough: number
}
