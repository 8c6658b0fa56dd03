/** What an application can show of sync at any moment. */
import type { EntiDBError } from '@entidb/core'
import type { CycleState } from './machine/cycle-machine.ts'

/**
 * How far a long step is. `done` and `total` never fall while it lasts; `total` grows with what comes in addition. A step
 * that failed goes on where it was, unless the process is another one.
 */
export interface SyncProgress {
  /** `pull`: from the server; `push`: to it. */
  readonly direction: 'pull' | 'push'
  /**
   * What is counted.
   *
   * - `entities`: a first sync or re-sync, of those that lived on the server when it began.
   * - `revisions`: any other pull, up to the server's head: an upper bound, because what was superseded meanwhile may not
   *   be sent any more. Then `done` jumps.
   * - `edits`: a push, as counted by `SyncStatus.pending`; several of one entity are one once they are sent.
   */
  readonly unit: 'entities' | 'revisions' | 'edits'
  readonly done: number
  readonly total: number
}

/** Where sync stands. */
export interface SyncStatus {
  readonly phase: CycleState
  /** The last request reached the server; what only something in between answered did not. */
  readonly online: boolean
  /** Everything up to here was received. */
  readonly cursor: number
  /** Local operations that the server has not decided yet. */
  readonly pending: number
  /** Entities set aside by a conflict or a rejection. */
  readonly held: number
  /**
   * A first sync or re-sync, a pull of more than one page, a push of more than one batch, while it moves; null
   * otherwise.
   */
  readonly progress: SyncProgress | null
  /** When the last whole cycle ended, in milliseconds since 1970; null: never. */
  readonly lastSyncAt: number | null
  /** Why the last cycle failed, or `start()` could not set sync up yet; null after a cycle that did not. */
  readonly lastError: EntiDBError | null
}

/** Holds the status and tells of changes, once for each. */
export class StatusBoard {
  #status: SyncStatus
  readonly #changed: (status: SyncStatus) => void

  constructor(changed: (status: SyncStatus) => void) {
    this.#changed = changed
    this.#status = {
      phase: 'idle',
      online: false,
      cursor: 0,
      pending: 0,
      held: 0,
      progress: null,
      lastSyncAt: null,
      lastError: null,
    }
  }

  get status(): SyncStatus {
    return this.#status
  }

  set(change: Partial<SyncStatus>): void {
    const next = { ...this.#status, ...change }
    if (!differs(this.#status, next)) return
    this.#status = next
    this.#changed(next)
  }
}

function differs(a: SyncStatus, b: SyncStatus): boolean {
  return (
    a.phase !== b.phase ||
    a.online !== b.online ||
    a.cursor !== b.cursor ||
    a.pending !== b.pending ||
    a.held !== b.held ||
    a.progress?.direction !== b.progress?.direction ||
    a.progress?.unit !== b.progress?.unit ||
    a.progress?.done !== b.progress?.done ||
    a.progress?.total !== b.progress?.total ||
    a.lastSyncAt !== b.lastSyncAt ||
    a.lastError !== b.lastError
  )
}
