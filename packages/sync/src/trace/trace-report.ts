/** `sync.trace()`: the trace with the state it led to, ready to be written as JSON. */
import type { SyncStore } from '../state/sync-store.ts'
import type { SyncStatus } from '../status.ts'
import type { TraceCounts, TraceEntry } from './sync-trace.ts'

/** For a bug report; everything in it is a number, a code or a time. */
export interface TraceReport {
  readonly format: 1
  readonly phase: string
  readonly online: boolean
  /** The code of why the last cycle failed; null after one that did not. */
  readonly lastError: string | null
  /** Undefined before the first `start` or `sync`. */
  readonly state: TraceState | undefined
  /** Oldest first, at most 500. */
  readonly entries: readonly TraceEntry[]
}

/** Of what sync has stored. */
export interface TraceState {
  readonly counts: TraceCounts
  /** First cursors of the epochs that the client knows. */
  readonly epochs: readonly number[]
  readonly resync: string | null
  readonly isScoped: boolean
}

export function traceReport(
  status: SyncStatus,
  store: SyncStore | undefined,
  entries: readonly TraceEntry[],
): TraceReport {
  return {
    format: 1,
    phase: status.phase,
    online: status.online,
    lastError: status.lastError?.code ?? null,
    state: store && stateOf(store, status),
    entries,
  }
}

function stateOf({ state, frozen, notes }: SyncStore, status: SyncStatus): TraceState {
  const all = [...notes.values()]
  return {
    counts: {
      cursor: state.cursor,
      revisionMax: state.revisionMax,
      generation: state.generation,
      feedPosition: state.feedPosition,
      frozenOpIdMax: state.frozenOpIdMax,
      opIdOffset: state.opIdOffset,
      purgedThrough: state.purgedThrough,
      pending: status.pending,
      held: status.held,
      conflicts: all.filter(({ conflict }) => conflict !== null).length,
      rejections: all.filter(({ rejection }) => rejection !== null).length,
      frozenOps: frozen?.ops.length ?? 0,
      frozenTransactions: frozen?.transactions.length ?? 0,
      batchLast: state.batchLast,
    },
    epochs: state.history.map(({ firstCursor }) => firstCursor),
    resync: state.resync === null ? null : `${state.resync.reason} ${state.resync.phase}`,
    isScoped: state.scope !== null,
  }
}
