/**
 * Applies the answer to a push: one transaction that settles exactly the operations it was asked for,
 * and that does nothing when they are not the frozen ones any more.
 */
import type { ReplicaState } from '@entidb/core/replication'
import type { Conflict, PushResponse, RejectedOp } from '@entidb/protocol'
import { joinGroup } from '../conflicts/groups.ts'
import {
  knownRevision,
  type LearnContext,
  learnRemote,
  learnRemoteOver,
  meetAgain,
} from '../conflicts/learn-remote.ts'
import { entityKey, entityRef } from '../entity-ref.ts'
import { forgetEvicted } from '../evict/evicted-rows.ts'
import type { LearntVersion } from '../fates/learnt-versions.ts'
import { type CommittedOperation, committedPart, joinParts } from '../ledger/committed-part.ts'
import { recordCommitted } from '../ledger/record-committed.ts'
import { sameState } from '../same-state.ts'
import { remoteStateOf } from '../state/remote-state.ts'
import {
  ABSENT,
  type CommittedPart,
  type CommittedTransaction,
  type FrozenOp,
  type FrozenRow,
  type FrozenTransaction,
  type RemoteState,
  type SentOp,
} from '../state/rows.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'
import { type Answer, answersOf, isAccepted, type SentRequest, wrongAnswer } from './answers.ts'
import { contentOf, type FrozenContents } from './frozen-request.ts'
import { holdTransactions, noteDropped } from './hold-transactions.ts'

export interface PushOutcome {
  readonly committed: readonly CommittedOperation[]
  readonly conflicts: number
  readonly rejected: number
  readonly heldGroups: ReadonlySet<number>
}

/** Undefined when the answer comes too late. Error: `invalid_response` when it answers something else. */
export async function applyPushResponse(
  tx: SyncTransaction,
  request: SentRequest,
  response: PushResponse,
  context: Omit<LearnContext, 'present'>,
): Promise<PushOutcome | undefined> {
  const frozen = tx.frozen
  if (frozen === null || !isStillFrozen(frozen, request)) return undefined
  const answers = answersOf(request, response)
  const heldByWireGroup = new Map<number, number>()
  const droppedWireGroups = new Set<number>()
  const givenUp = new Set(frozen.ops.filter((op) => op.givenUp === true).map(({ opId }) => opId))
  const accepted = acceptedOps(request, answers)
  const forgotten = await forgottenAmong(tx, accepted, response.purgedThrough ?? 0)
  await settleAccepted(tx, request, accepted, givenUp, context)
  for (const op of forgotten) await learnRemote(tx, op, ABSENT, { ...context, present: true })
  const committed: PushOutcome['committed'][number][] = [...accepted]
  const others = request.ops.filter((op) => !isAccepted(answers.get(op.opId)))
  // Of different entities: what is done about one changes no other.
  const states = await tx.replica.states(others)
  for (const [index, op] of others.entries()) {
    const answer = answers.get(op.opId)
    // As many states as operations.
    const state = states[index] as ReplicaState
    if (answer === undefined) {
      // Of one that was given up the echo is news like any other.
      if (!givenUp.has(op.opId)) {
        await acceptWithoutRevision(tx, request, frozen.deviceId, op, state, context)
      }
      committed.push({ op, revision: null })
    } else if (!isAccepted(answer)) {
      if (!state.pending || givenUp.has(op.opId)) {
        // No edit is left to hold. The server's state comes with the next pull, together with what was written with it.
        droppedWireGroups.add(op.group)
        continue
      }
      const group = await joinGroup(tx, [op], heldByWireGroup.get(op.group) ?? null)
      heldByWireGroup.set(op.group, group)
      if ('conflict' in answer) await takeConflict(tx, op, state, answer.conflict, context)
      else noteRejection(tx, op, answer.rejection, context.nowMs)
    }
  }
  const rejectedByWireGroup = rejectionsByGroup(request, response)
  await holdTransactions(tx, frozen, heldByWireGroup, rejectedByWireGroup)
  for (const group of heldByWireGroup.keys()) droppedWireGroups.delete(group)
  await noteDropped(tx, frozen, droppedWireGroups, rejectedByWireGroup)
  const answeredGroups = new Set(request.ops.map(({ group }) => group))
  const settledTransactions = frozen.transactions.filter(
    ({ group }) =>
      !heldByWireGroup.has(group) && !droppedWireGroups.has(group) && answeredGroups.has(group),
  )
  await recordCommitted(tx, committedTransactions(settledTransactions, committed))
  learnVersions(tx, settledTransactions, committed)
  noteCommittedPart(tx, frozen, committed)
  moveOn(tx, frozen, request, response)
  return {
    committed,
    conflicts: response.conflicts.length,
    rejected: response.rejected?.length ?? 0,
    heldGroups: new Set(heldByWireGroup.values()),
  }
}

function committedTransactions(
  transactions: readonly FrozenTransaction[],
  committed: PushOutcome['committed'],
): readonly CommittedTransaction[] {
  const byOpId = new Map(committed.map((each) => [each.op.localOpId, each]))
  return transactions.map(({ key, localOpIds, size, before }) => {
    const ops = localOpIds.flatMap((opId) => byOpId.get(opId) ?? [])
    return { key, ...joinParts(before, committedPart(ops, size)) }
  })
}

/** Of a transaction that is sent in parts this is not the last: the ledger names it with that one. */
function noteCommittedPart(
  tx: SyncTransaction,
  { splitTransactionId }: FrozenRow,
  committed: PushOutcome['committed'],
): void {
  const { split } = tx.state
  if (split === null || split.transactionId !== splitTransactionId) return
  if (committed.length === 0) return
  tx.setState({ split: { ...split, before: joinParts(split.before, committedPart(committed)) } })
}

/** For those who wait: a group is decided together, so each of its transactions comes to the revisions of all. */
function learnVersions(
  tx: SyncTransaction,
  transactions: readonly FrozenTransaction[],
  committed: PushOutcome['committed'],
): void {
  const keysByGroup = new Map<number, number[]>()
  for (const { key, group } of transactions) {
    const keys = keysByGroup.get(group)
    if (keys === undefined) keysByGroup.set(group, [key])
    else keys.push(key)
  }
  const versionsByGroup = new Map<number, LearntVersion[]>()
  for (const { group, before } of transactions) {
    if (before !== undefined) versionsByGroup.set(group, versionsOf(before))
  }
  for (const { op, revision } of committed) {
    if (revision === null || !keysByGroup.has(op.group)) continue
    const learnt = { ref: op, version: revision }
    const versions = versionsByGroup.get(op.group)
    if (versions === undefined) versionsByGroup.set(op.group, [learnt])
    else versions.push(learnt)
  }
  for (const [group, versions] of versionsByGroup) {
    tx.learnVersions(keysByGroup.get(group) ?? [], versions)
  }
}

function versionsOf({ written, versions }: CommittedPart): LearntVersion[] {
  return written.keys.flatMap((key, index) => {
    const version = versions[index] ?? null
    return version === null ? [] : [{ ref: entityRef(key), version }]
  })
}

function isStillFrozen(frozen: FrozenRow, { batch, ops }: SentRequest): boolean {
  if (frozen.batch !== batch) return false
  const opIds = new Set(frozen.ops.map(({ opId }) => opId))
  return ops.every(({ opId }) => opIds.has(opId))
}

interface AcceptedOp {
  readonly op: FrozenOp
  readonly revision: number
}

function acceptedOps(
  { ops }: SentRequest,
  answers: ReadonlyMap<number, Answer>,
): readonly AcceptedOp[] {
  return ops.flatMap((op) => {
    const answer = answers.get(op.opId)
    return isAccepted(answer) ? [{ op, revision: answer.revision }] : []
  })
}

/**
 * Accepted long ago: sent before by a copy of this database, or before this one was put back from a copy. The pulls
 * have passed the revision without naming it or a later one, so the entity was deleted since, and that is forgotten.
 */
async function forgottenAmong(
  tx: SyncTransaction,
  accepted: readonly AcceptedOp[],
  purgedThrough: number,
): Promise<readonly FrozenOp[]> {
  const { cursor } = tx.state
  const through = Math.min(cursor, Math.max(tx.state.purgedThrough, purgedThrough))
  const passed = accepted.filter(({ revision }) => revision > 0 && revision <= through)
  if (passed.length === 0) return []
  const states = await tx.replica.states(passed.map(({ op }) => op))
  return passed.flatMap(({ op, revision }, i) => {
    // As many states as operations.
    const { version } = states[i] as ReplicaState
    return knownRevision(tx, op, version) < revision ? [op] : []
  })
}

async function settleAccepted(
  tx: SyncTransaction,
  { contents }: SentRequest,
  accepted: readonly AcceptedOp[],
  givenUp: ReadonlySet<number>,
  context: Omit<LearnContext, 'present'>,
): Promise<void> {
  const wanted = accepted.filter(({ op }) => !givenUp.has(op.opId))
  const edits = wanted.map(({ op, revision }) => ({
    collection: op.collection,
    entityId: op.entityId,
    committed: committedState(contents, op, revision),
    throughOpId: op.localOpId,
  }))
  const unsettled = await tx.replica.settleAll(edits)
  const dropped = new Set(unsettled.map((index) => wanted[index]?.op.opId))
  for (const { op, revision } of accepted) {
    await forgetEvicted(tx, op)
    if (dropped.has(op.opId) || givenUp.has(op.opId)) {
      // Dropped while the request was under way; what the server has now counts like anything it sends.
      const committed = committedState(contents, op, revision)
      await learnRemote(tx, op, committed, { ...context, present: false })
    } else if (tx.hasNotes) {
      await settleNoted(tx, op, committedState(contents, op, revision), context)
    }
  }
}

function committedState(contents: FrozenContents, op: FrozenOp, revision: number): RemoteState {
  const { payloadCbor, schemaVersion } = contentOf(contents, op)
  return { version: revision, bytes: payloadCbor, schemaVersion }
}

async function settleNoted(
  tx: SyncTransaction,
  op: FrozenOp,
  committed: RemoteState,
  context: Omit<LearnContext, 'present'>,
): Promise<void> {
  const note = tx.findNote(entityKey(op))
  if (note === undefined) return
  tx.changeNote(op, { ancestorThrough: 0, rounds: 0, sent: null })
  await meetAgain(tx, op, committed, context)
}

/** Accepted, but as which revision only its echo will say. None comes of what changed nothing. */
async function acceptWithoutRevision(
  tx: SyncTransaction,
  { contents }: SentRequest,
  deviceId: string,
  op: FrozenOp,
  { pending, base }: ReplicaState,
  context: Omit<LearnContext, 'present'>,
): Promise<void> {
  if (!pending) return
  const committed = committedState(contents, op, base.version)
  if (sameState(base, committed)) {
    await tx.replica.settle(op.collection, op.entityId, base, op.localOpId)
    return settleNoted(tx, op, base, context)
  }
  const sent: SentOp = {
    accepted: true,
    deviceId,
    opId: op.opId,
    localOpId: op.localOpId,
    bytes: committed.bytes,
    schemaVersion: committed.schemaVersion,
  }
  tx.changeNote(op, { sent })
}

/** Taken for the server's state it would count as pushed. A revision names one state for ever. */
function isOwnEditOnItsBase(
  tx: SyncTransaction,
  op: FrozenOp,
  state: ReplicaState,
  remote: RemoteState,
): boolean {
  const { base } = state
  if (op.base === 0 || remote.version !== op.base || base.version !== op.base) return false
  const isKept = (tx.findNote(entityKey(op))?.ancestorThrough ?? 0) === 0
  return isKept && sameState(state, remote) && !sameState(base, remote)
}

async function takeConflict(
  tx: SyncTransaction,
  op: FrozenOp,
  state: ReplicaState,
  { serverState }: Conflict,
  context: Omit<LearnContext, 'present'>,
): Promise<void> {
  await forgetEvicted(tx, op)
  const remote = remoteStateOf(serverState)
  if (isOwnEditOnItsBase(tx, op, state, remote)) {
    throw wrongAnswer('it gives a revision another state for', op.opId)
  }
  await learnRemoteOver(tx, op, state, remote, { ...context, present: true })
}

function noteRejection(
  tx: SyncTransaction,
  op: FrozenOp,
  { code, message }: RejectedOp,
  sinceMs: number,
): void {
  tx.changeNote(op, { rejection: { code, message, sinceMs, unknown: false } })
}

/** The code that explains a rejected group: the first that is not `group`. */
function rejectionsByGroup(
  { ops }: SentRequest,
  response: PushResponse,
): ReadonlyMap<number, string> {
  const groups = new Map(ops.map(({ opId, group }) => [opId, group]))
  const codes = new Map<number, string>()
  for (const { opId, code } of response.rejected ?? []) {
    const group = groups.get(opId)
    if (group !== undefined && (codes.get(group) ?? 'group') === 'group') codes.set(group, code)
  }
  return codes
}

function moveOn(
  tx: SyncTransaction,
  frozen: FrozenRow,
  request: SentRequest,
  response: PushResponse,
): void {
  const { state } = tx
  const decided = new Set(request.ops.map(({ opId }) => opId))
  const ops = frozen.ops.filter(({ opId }) => !decided.has(opId))
  const groups = new Set(ops.map(({ group }) => group))
  const transactions = frozen.transactions.filter(({ group }) => groups.has(group))
  tx.setFrozen(ops.length === 0 ? null : { ...frozen, ops, transactions })
  const { committed = [] } = response
  const revisions = [...committed, ...response.conflicts.map(({ serverState }) => serverState)].map(
    ({ entityVersion }) => entityVersion,
  )
  const head = response.head ?? 0
  // Without `committed` the revisions of our own come with the pull.
  const sawEverything =
    response.committed !== undefined &&
    state.resync === null &&
    state.cursor === request.cursor &&
    response.headBefore === state.cursor &&
    head >= state.cursor &&
    // What lies between would be somebody else's.
    (head === state.cursor || committed.some(({ entityVersion }) => entityVersion === head))
  tx.setState({
    revisionMax: revisions.reduce((a, b) => Math.max(a, b), state.revisionMax),
    purgedThrough: Math.max(state.purgedThrough, response.purgedThrough ?? 0),
    ...(sawEverything ? { cursor: head, receivedThrough: head } : {}),
  })
}
