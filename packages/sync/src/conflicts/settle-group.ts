/**
 * Carries out a decision on a whole group, in the transaction that checked that its view still holds.
 * What is pushed again is recorded as one new local transaction; the old operations are passed over.
 */
import { entityKey } from '../entity-ref.ts'
import { losersOf } from '../ledger/losers.ts'
import { type Decision, recordKept } from '../ledger/record-kept.ts'
import { writtenEntities } from '../ledger/written-entities.ts'
import { sameState } from '../same-state.ts'
import type { DecidedBy, FateRow } from '../state/rows.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'
import type { SyncedEntity } from './conflict-types.ts'
import type { GroupView, MemberView } from './group-view.ts'
import { settleNote } from './learn-remote.ts'
import { putMerged } from './put-merged.ts'

/** What happens to one member. A member without an answer is kept and pushed again. */
export type Answer =
  | { readonly type: 'takeRemote' }
  | { readonly type: 'keepLocal' }
  | { readonly type: 'merge'; readonly entity: SyncedEntity }

/** How the fates of the group's transactions read afterwards. */
export type SettledHow = 'takeRemote' | 'keepLocal' | 'merge' | 'mixed' | 'discarded' | 'released'

export async function settleGroup(
  tx: SyncTransaction,
  view: GroupView,
  answers: ReadonlyMap<string, Answer>,
  how: SettledHow,
  decidedBy: DecidedBy | null,
): Promise<void> {
  const fates = await fatesOf(tx, view)
  if (how !== 'released') await keepLosers(tx, view, answers, { how, transactions: keysOf(fates) })
  for (const ref of view.settled) settleNote(tx, ref, 0)
  const versions: Record<string, number> = {}
  for (const [key, member] of view.members) {
    if (answers.get(key)?.type !== 'takeRemote') continue
    versions[key] = await takeRemote(tx, member)
  }
  let lastOpId: number | null = null
  for (const [key, member] of view.members) {
    const answer = answers.get(key) ?? { type: 'keepLocal' }
    if (answer.type === 'takeRemote') continue
    lastOpId = await pushAgain(tx, member, answer, how !== 'released')
  }
  for (const fate of fates) await closeFate(tx, { ...fate, decidedBy }, how, lastOpId, versions)
  for (const group of view.groups) tx.closeGroup(group)
}

async function keepLosers(
  tx: SyncTransaction,
  view: GroupView,
  answers: ReadonlyMap<string, Answer>,
  decision: Decision,
): Promise<void> {
  const losers = [...view.members].flatMap(([key, member]) =>
    losersOf(member, answers.get(key) ?? { type: 'keepLocal' }),
  )
  await recordKept(tx, decision, losers)
}

/** Of every local transaction of the group; open ones for those that have none yet. */
export async function fatesOf(tx: SyncTransaction, view: GroupView): Promise<readonly FateRow[]> {
  const fates: FateRow[] = []
  for (const group of view.groups) fates.push(...(await tx.fatesOfGroup(group)))
  for (const { key, entities } of view.transactions) {
    fates.push({
      id: String(key),
      group: null,
      fate: 'open',
      how: null,
      decidedBy: null,
      successor: null,
      entityVersions: null,
      atMs: tx.nowMs,
      written: writtenEntities(entities),
    })
  }
  return fates
}

export function keysOf(fates: readonly FateRow[]): readonly number[] {
  return fates.map(({ id }) => Number(id))
}

/** Back to the server's state. Returns its revision. */
async function takeRemote(
  tx: SyncTransaction,
  { ref, state, received }: MemberView,
): Promise<number> {
  await tx.replica.applyRaw({ ...ref, ...received })
  settleNote(tx, ref, state.opId)
  return received.version
}

/** The opId of the new local edit. One that turns out to be what the server has is settled at once. */
async function pushAgain(
  tx: SyncTransaction,
  member: MemberView,
  answer: Answer,
  countsAsRound: boolean,
): Promise<number> {
  const { ref, state, conflict, note } = member
  const { ancestorThrough, rounds, sent } = note
  settleNote(tx, ref, state.opId)
  tx.changeNote(ref, {
    ancestorThrough,
    sent,
    rounds: countsAsRound && conflict !== null ? rounds + 1 : rounds,
  })
  if (answer.type !== 'merge') {
    if (conflict !== null) await tx.replica.rebase(ref.collection, ref.entityId, conflict.remote)
    return (await tx.replica.touch(ref.collection, ref.entityId)).opId
  }
  await putMerged(tx, member, answer.entity)
  const merged = await tx.replica.state(ref.collection, ref.entityId)
  const remote = conflict?.remote ?? null
  if (remote !== null && sameState(merged, remote)) {
    await tx.replica.settle(ref.collection, ref.entityId, remote, merged.opId)
    settleNote(tx, ref, merged.opId)
  }
  return merged.opId
}

async function closeFate(
  tx: SyncTransaction,
  fate: FateRow,
  how: SettledHow,
  successor: number | null,
  entityVersions: Readonly<Record<string, number>>,
): Promise<void> {
  const closed = { group: null, successor, entityVersions }
  if (fate.fate === 'rejected') {
    await tx.putFate(Number(fate.id), { ...fate, ...closed })
  } else if (how === 'released') {
    if (successor === null) await tx.deleteFate(fate)
    else await tx.putFate(Number(fate.id), { ...fate, ...closed, fate: 'released' })
  } else {
    await tx.putFate(Number(fate.id), { ...fate, ...closed, fate: 'conflict', how })
  }
}

/** The same answer for every member. */
export function answerForAll(view: GroupView, answer: Answer): ReadonlyMap<string, Answer> {
  return new Map([...view.members.values()].map(({ ref }) => [entityKey(ref), answer]))
}
