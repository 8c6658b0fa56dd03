/**
 * One conflict of a group that has others: its answer must not answer those too. The entity stands on
 * the remote state from now on and stays held until the last conflict of its group is settled.
 */
import type { SyncTransaction } from '../state/sync-transaction.ts'
import type { MemberView } from './group-view.ts'
import type { Answer } from './settle-group.ts'

export async function settleOneConflict(
  tx: SyncTransaction,
  { ref, conflict, note }: MemberView,
  answer: Exclude<Answer, { readonly type: 'takeRemote' }>,
): Promise<void> {
  if (conflict === null) return
  await tx.replica.rebase(ref.collection, ref.entityId, conflict.remote)
  if (answer.type === 'merge') await tx.put(ref.collection, answer.entity)
  tx.changeNote(ref, { group: note.group, conflict: null, rounds: note.rounds + 1 })
}
