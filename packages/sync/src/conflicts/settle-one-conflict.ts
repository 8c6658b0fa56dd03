/**
 * One conflict of a group that has others: its answer must not answer those too. The entity stands on
 * the remote state from now on and, unless it is just that, stays held until the last conflict of its group is settled.
 */
import { losersOf } from '../ledger/losers.ts'
import { recordKept } from '../ledger/record-kept.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'
import type { GroupView, MemberView } from './group-view.ts'
import { putMerged, rebaseOnRemote } from './put-merged.ts'
import { type Answer, fatesOf, keysOf } from './settle-group.ts'

export async function settleOneConflict(
  tx: SyncTransaction,
  view: GroupView,
  member: MemberView,
  answer: Exclude<Answer, { readonly type: 'takeRemote' }>,
): Promise<void> {
  const { ref, conflict, note } = member
  if (conflict === null) return
  const transactions = keysOf(await fatesOf(tx, view))
  await recordKept(tx, { how: answer.type, transactions }, losersOf(member, answer))
  tx.changeNote(ref, { group: note.group, conflict: null, rounds: note.rounds + 1 })
  if (answer.type === 'merge') await putMerged(tx, [{ member, entity: answer.entity }])
  else await rebaseOnRemote(tx, member)
}
