/** What the steps of a cycle share. */
import type { Capabilities, Limits } from '@entidb/protocol'
import type { LearnContext } from '../conflicts/learn-remote.ts'
import { type EntityRef, entityKey } from '../entity-ref.ts'
import type { SyncEmitter } from '../events.ts'
import type { FateWatch } from '../fates/fate-watch.ts'
import type { ProgressMeter } from '../progress/progress-meter.ts'
import type { SyncStore } from '../state/sync-store.ts'
import type { StatusBoard } from '../status.ts'
import type { HttpTransport } from '../transport/http-transport.ts'

export interface SyncContext {
  readonly store: SyncStore
  readonly transport: HttpTransport
  readonly emitter: SyncEmitter
  readonly board: StatusBoard
  readonly fates: FateWatch
  readonly progress: ProgressMeter
  readonly replicaId: Uint8Array
  readonly clientInfo: { readonly platform?: string; readonly appVersion?: string } | undefined
  readonly now: () => number
  readonly turn: () => Promise<void>
  /**
   * Hands were shaken and nothing since says that it has to be done again. A cycle that failed later need
   * not begin with it: with a lossy network every request that got through is progress.
   */
  greeted: boolean
  /** As of the last handshake. */
  limits: Limits
  /** As of the last handshake; undefined before the first. */
  capabilities: Capabilities | undefined
  /** Live entities on the server as of the last handshake; undefined when it does not say. */
  serverEntities: number | undefined
  /** Keys of the entities that answers named since somebody wants to know; undefined: nobody does. */
  touched: Set<string> | undefined
  /** The largest head any answer named in this cycle. */
  head: number
  /** The server's stream while it is open. */
  following: Following | null
}

/** One connection to the server's stream. */
export interface Following {
  /** What it named last; undefined before the first event. */
  head: number | undefined
}

/** What one cycle did so far. */
export interface CycleTotals {
  pulled: number
  pushed: number
  conflicts: number
  rejected: number
}

/** An answer named `refs`: what is stored of them may be another state now. */
export function noteTouched({ touched }: SyncContext, refs: readonly EntityRef[]): void {
  if (touched !== undefined) for (const ref of refs) touched.add(entityKey(ref))
}

export function learnContext({ now, emitter }: SyncContext): Omit<LearnContext, 'present'> {
  return {
    nowMs: now(),
    onViolation: ({ collection, index, ids }) =>
      emitter.emit('violation', { collection, index, ids }),
  }
}
