/**
 * Carries out a decision on a whole group, in the transaction that checked that its view still holds.
 * What is pushed again is recorded as one new local transaction, whatever else commits with it; the old operations are
 * passed over.
 */
import { type EntityRef, entityKey } from '../entity-ref.ts'
import {
  type EntityVersions,
  type LearntVersion,
  versionsByName,
} from '../fates/learnt-versions.ts'
import { makeRoomForFates } from '../fates/prune-fates.ts'
import { joinParts } from '../ledger/committed-part.ts'
import { losersOf } from '../ledger/losers.ts'
import { recordCommitted } from '../ledger/record-committed.ts'
import { type Decision, recordKept } from '../ledger/record-kept.ts'
import { writtenEntities } from '../ledger/written-entities.ts'
import type { DecidedBy, FateRow, FrozenOp } from '../state/rows.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'
import type { SyncedEntity } from './conflict-types.ts'
import type { GroupView, MemberView } from './group-view.ts'
import { isBaseLost, settleNote } from './learn-remote.ts'
import { type Merge, putMerged, rebaseOnRemote } from './put-merged.ts'

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
  await tx.replica.beginTransaction()
  const fates = await fatesOf(tx, view)
  await makeRoomForFates(tx, fates.length)
  if (how !== 'released') await keepLosers(tx, view, answers, { how, transactions: keysOf(fates) })
  for (const ref of view.settled) settleNote(tx, ref, 0)
  const learnt: LearntVersion[] = []
  for (const [key, member] of view.members) {
    if (answers.get(key)?.type !== 'takeRemote') continue
    learnt.push({ ref: member.ref, version: await takeRemote(tx, member) })
  }
  const versions = versionsByName(learnt)
  const lastOpId = await pushAgain(tx, view, answers, how !== 'released')
  if (how === 'released' && lastOpId === null) await commitFates(tx, view, fates)
  else
    for (const fate of fates) await closeFate(tx, { ...fate, decidedBy }, how, lastOpId, versions)
  tx.learnVersions(keysOf(fates), learnt)
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
  const { split } = tx.state
  for (const { transactionId, key, entities } of view.transactions) {
    const before = split?.transactionId === transactionId ? split.before : undefined
    const written = writtenEntities(entities)
    fates.push({
      id: String(key),
      group: null,
      fate: 'open',
      how: null,
      decidedBy: null,
      successor: null,
      entityVersions: null,
      atMs: tx.nowMs,
      written: joinParts(before, { written, versions: [] }).written,
    })
  }
  return fates
}

export function keysOf(fates: readonly FateRow[]): readonly number[] {
  return fates.map(({ id }) => Number(id))
}

/** Back to the server's state. Returns its revision. */
async function takeRemote(tx: SyncTransaction, member: MemberView): Promise<number> {
  const { ref, state, conflict, note, received } = member
  await tx.replica.applyRaw({ ...ref, ...received })
  // A server that was restored may have it as it was once, which no pull from here on would bring.
  if (conflict === null && isBaseLost(note, state)) tx.setState({ cursor: 0 })
  giveUpFrozen(tx, ref)
  settleNote(tx, ref, state.opId)
  return received.version
}

/** The edit of the entity that is under way, if one is. */
function giveUpFrozen(tx: SyncTransaction, { collection, entityId }: EntityRef): void {
  const { frozen } = tx
  const isOfEntity = (op: FrozenOp): boolean =>
    op.entityId === entityId && op.collection === collection
  if (frozen === null || !frozen.ops.some(isOfEntity)) return
  const ops = frozen.ops.map((op) => (isOfEntity(op) ? { ...op, givenUp: true } : op))
  tx.setFrozen({ ...frozen, ops })
}

/** Everything that is not given up, as new local edits. The opId of the last one; null when there is none. */
async function pushAgain(
  tx: SyncTransaction,
  { members }: GroupView,
  answers: ReadonlyMap<string, Answer>,
  countsAsRound: boolean,
): Promise<number | null> {
  const kept: MemberView[] = []
  const merged: Merge[] = []
  for (const [key, member] of members) {
    const answer = answers.get(key) ?? { type: 'keepLocal' }
    if (answer.type === 'takeRemote') continue
    if (answer.type === 'merge') merged.push({ member, entity: answer.entity })
    else kept.push(member)
    noteRound(tx, member, countsAsRound)
  }
  const touched = await touchAll(tx, kept)
  const opIds = [...touched, ...(await putMerged(tx, merged)).map(({ opId }) => opId)]
  return opIds.length === 0 ? null : opIds.reduce((a, b) => Math.max(a, b))
}

/** What was noted is settled, but for what the next conflict of the entity has to know. */
function noteRound(tx: SyncTransaction, member: MemberView, counts: boolean): void {
  const { ref, state, conflict, note } = member
  const { ancestorThrough, rounds, sent } = note
  settleNote(tx, ref, state.opId)
  tx.changeNote(ref, {
    ancestorThrough,
    sent,
    rounds: counts && conflict !== null ? rounds + 1 : rounds,
  })
}

/** The local sides as they are, on the remote ones. */
async function touchAll(
  tx: SyncTransaction,
  members: readonly MemberView[],
): Promise<readonly number[]> {
  const opIds: number[] = []
  for (const member of members) {
    const { collection, entityId } = member.ref
    await rebaseOnRemote(tx, member)
    opIds.push((await tx.replica.touch(collection, entityId)).opId)
  }
  return opIds
}

/** Nothing is left to push: the server has what they wrote, as it said itself, also of what was called rejected. */
async function commitFates(
  tx: SyncTransaction,
  { settled }: GroupView,
  fates: readonly FateRow[],
): Promise<void> {
  const states = await tx.replica.states(settled)
  const versions = new Map(settled.map((ref, i) => [entityKey(ref), states[i]?.version ?? null]))
  // The others are still to be taken.
  const taken = fates.filter(({ group }) => group !== null)
  for (const fate of taken) await tx.deleteFate(fate)
  await recordCommitted(
    tx,
    taken.map(({ id, written }) => ({
      key: Number(id),
      written,
      versions: written.keys.map((key) => versions.get(key) ?? null),
    })),
  )
}

async function closeFate(
  tx: SyncTransaction,
  fate: FateRow,
  how: SettledHow,
  successor: number | null,
  versions: EntityVersions,
): Promise<void> {
  const closed = { group: null, successor, entityVersions: ofNamed(fate, versions) }
  if (fate.fate === 'rejected') {
    await tx.putFate(Number(fate.id), { ...fate, ...closed })
  } else if (how === 'released') {
    await tx.putFate(Number(fate.id), { ...fate, ...closed, fate: 'released' })
  } else {
    await tx.putFate(Number(fate.id), { ...fate, ...closed, fate: 'conflict', how })
  }
}

/** A group may have very many members and transactions: of each is stored what the ledger names of it. */
function ofNamed({ written }: FateRow, versions: EntityVersions): EntityVersions {
  const named = written.keys.flatMap((key) => {
    const version = versions[key]
    return version === undefined ? [] : [[key, version] as const]
  })
  return Object.fromEntries(named)
}

/** The same answer for every member. */
export function answerForAll(view: GroupView, answer: Answer): ReadonlyMap<string, Answer> {
  return new Map([...view.members.values()].map(({ ref }) => [entityKey(ref), answer]))
}
