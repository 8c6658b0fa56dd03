/** Stores states of the server as they are, whatever revision is stored: for entities that are known to be wrong. */
import type { SyncOperation } from '@entidb/protocol'
import type { LearnContext } from '../conflicts/learn-remote.ts'
import { forgetEvicted } from '../evict/evicted-rows.ts'
import { remoteStateOf } from '../state/remote-state.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'

/** Never over a local edit. Returns the operations that were stored. */
export async function storeOperations(
  tx: SyncTransaction,
  ops: readonly SyncOperation[],
  { onViolation }: Pick<LearnContext, 'onViolation'>,
): Promise<readonly SyncOperation[]> {
  const states = await tx.replica.states(ops)
  const stored: SyncOperation[] = []
  for (const [index, op] of ops.entries()) {
    if (states[index]?.pending !== false) continue
    const { violations } = await tx.replica.applyRaw({
      collection: op.collection,
      entityId: op.entityId,
      ...remoteStateOf(op),
    })
    for (const violation of violations) onViolation(violation)
    await forgetEvicted(tx, op)
    stored.push(op)
  }
  return stored
}
