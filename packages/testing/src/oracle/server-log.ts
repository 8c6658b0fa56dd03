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
