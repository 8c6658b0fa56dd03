/** Which operations of the change feed are on entities that are still pending, and on which state they were made. */
import type { FeedRow } from '../state/engine.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'

/** By opId: the revision that the pending entity was edited on; null when it is not pending any more. */
export type PendingStates = ReadonlyMap<number, number | null>

export const NOTHING_KNOWN: PendingStates = new Map()

export async function readPendingStates(
  tx: SyncTransaction,
  rows: readonly FeedRow[],
): Promise<PendingStates> {
  if (rows.length === 0) return NOTHING_KNOWN
  const states = await tx.replica.states(rows)
  const bases = new Map<number, number | null>()
  for (const [index, { opId }] of rows.entries()) {
    const state = states[index]
    bases.set(opId, state?.pending === true ? state.base.version : null)
  }
  return bases
}
