/**
 * Applies one pulled page: one transaction that stores its operations and moves the cursor, and that
 * does nothing when the page was asked for from another state than the present one.
 */
import type { RawOperation, ReplicaState } from '@entidb/core/replication'
import type { PullResponse, SyncOperation } from '@entidb/protocol'
import {
  type LearnContext,
  learnRemote,
  learnRemoteOver,
  meetAgain,
} from '../conflicts/learn-remote.ts'
import { entityKey } from '../entity-ref.ts'
import { bringsNews } from '../evict/evicted-rows.ts'
import { sameBytes } from '../same-bytes.ts'
import { remoteStateOf } from '../state/remote-state.ts'
import type { RemoteState, SentOp, SnapshotRow, StateRow } from '../state/rows.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'

/** The state a request was made from. */
export type PullOrigin = Pick<StateRow, 'cursor' | 'epoch' | 'generation' | 'deviceId' | 'snapshot'>

export interface PageOutcome {
  /** Operations that changed something here. */
  readonly pulled: number
  readonly conflicts: number
}

export interface PageContext extends Omit<LearnContext, 'present'> {
  /** Lets everything else on the thread have its turn. */
  readonly turn: () => Promise<void>
}

/** Operations looked at without a pause: a few milliseconds. The page is one transaction all the same. */
const SLICE_OPS = 500
/** Entities whose states are read by one call. */
const STATES_AHEAD = 100

/** Undefined when the page no longer fits: nothing was done. */
export async function applyPage(
  tx: SyncTransaction,
  page: PullResponse,
  origin: PullOrigin,
  context: PageContext,
): Promise<PageOutcome | undefined> {
  if (!isStill(tx.state, origin)) return undefined
  const { ops } = page
  if (tx.state.resync !== null) await inSlices(ops, context, (op) => tx.markSeen(entityKey(op)))
  const { applied, remaining } = await applyUntouched(
    tx,
    await newsAmong(tx, ops, context),
    context,
  )
  const outcome = { pulled: applied, conflicts: 0 }
  const statesAhead = new StatesAhead(tx, remaining)
  await inSlices(remaining, context, async (op) => {
    const learnt = await applyOperation(tx, op, await statesAhead.next(), context)
    if (learnt !== 'known') outcome.pulled += 1
    if (learnt === 'conflict') outcome.conflicts += 1
  })
  tx.setState({
    cursor: page.nextCursor,
    snapshot: snapshotAfter(page, origin),
    receivedThrough: Math.max(tx.state.receivedThrough, page.nextCursor),
    pullingTo: page.hasMore ? Math.max(tx.state.pullingTo ?? 0, page.head ?? 0) : 0,
    revisionMax: Math.max(tx.state.revisionMax, page.ops.at(-1)?.entityVersion ?? 0),
    purgedThrough: Math.max(tx.state.purgedThrough, page.purgedThrough ?? 0),
    ...(tx.state.resync !== null && !page.hasMore
      ? { resync: { ...tx.state.resync, phase: 'sweeping' as const, after: null } }
      : {}),
  })
  return outcome
}

/** Where the pages of a snapshot go on behind `page`; null: nowhere. */
export function snapshotAfter(
  { snapshot, ops }: PullResponse,
  origin: PullOrigin,
): SnapshotRow | null {
  if (snapshot?.after === undefined) return null
  const { through, after } = snapshot
  return { through, after, pulled: (origin.snapshot?.pulled ?? 0) + ops.length }
}

/** Without the operations that bring nothing newer than what was evicted. */
async function newsAmong(
  tx: SyncTransaction,
  ops: readonly SyncOperation[],
  context: PageContext,
): Promise<readonly SyncOperation[]> {
  if (tx.state.evicted === 0) return ops
  const news: SyncOperation[] = []
  await inSlices(ops, context, async (op) => {
    if (await bringsNews(tx, op)) news.push(op)
  })
  return news
}

/** One after the other, and everything else on the thread has its turn between slices. */
async function inSlices(
  ops: readonly SyncOperation[],
  { turn }: PageContext,
  apply: (op: SyncOperation) => Promise<unknown>,
): Promise<void> {
  for (const [i, op] of ops.entries()) {
    if (i > 0 && i % SLICE_OPS === 0) await turn()
    await apply(op)
  }
}

/** Compared by identity of what only transactions replace. */
export function isStill(state: StateRow, origin: PullOrigin): boolean {
  return (
    state.cursor === origin.cursor &&
    state.snapshot?.after === origin.snapshot?.after &&
    state.generation === origin.generation &&
    state.deviceId === origin.deviceId &&
    sameBytes(state.epoch, origin.epoch)
  )
}

/**
 * Applies what meets nothing of our own, nearly all of a page, in one call of the engine. What remains is
 * of entities with a note or with pending edits; each entity is wholly among the one or the other.
 */
async function applyUntouched(
  tx: SyncTransaction,
  ops: readonly SyncOperation[],
  { onViolation, turn }: PageContext,
): Promise<{ readonly applied: number; readonly remaining: readonly SyncOperation[] }> {
  const plain = tx.hasNotes ? ops.filter((op) => tx.findNote(entityKey(op)) === undefined) : ops
  const { applied, pending, violations } = await tx.replica.applyNewer(plain.map(rawOf), { turn })
  for (const violation of violations) onViolation(violation)
  if (pending.length === 0 && plain.length === ops.length) return { applied, remaining: [] }
  const pendingOps = new Set(pending.map((index) => plain[index]))
  const done = new Set(plain.filter((op) => !pendingOps.has(op)))
  return { applied, remaining: ops.filter((op) => !done.has(op)) }
}

function rawOf(op: SyncOperation): RawOperation {
  return { collection: op.collection, entityId: op.entityId, ...remoteStateOf(op) }
}

/** States of the entities of operations that are applied in turn, read many at a time. */
class StatesAhead {
  readonly #tx: SyncTransaction
  readonly #ops: readonly SyncOperation[]
  #at = 0
  /** From `#at` on; undefined for an entity that an earlier operation of them may have changed. */
  #states: (ReplicaState | undefined)[] = []

  constructor(tx: SyncTransaction, ops: readonly SyncOperation[]) {
    this.#tx = tx
    this.#ops = ops
  }

  /** Of the entity of the next operation; undefined: it is to be read when its turn has come. */
  async next(): Promise<ReplicaState | undefined> {
    if (this.#states.length === 0) await this.#read()
    this.#at += 1
    return this.#states.shift()
  }

  async #read(): Promise<void> {
    const ops = this.#ops.slice(this.#at, this.#at + STATES_AHEAD)
    const states = await this.#tx.replica.states(ops)
    const seen = new Set<string>()
    this.#states = ops.map((op, i) => {
      const key = entityKey(op)
      const isFirst = !seen.has(key)
      seen.add(key)
      return isFirst ? states[i] : undefined
    })
  }
}

async function applyOperation(
  tx: SyncTransaction,
  op: SyncOperation,
  state: ReplicaState | undefined,
  context: Omit<LearnContext, 'present'>,
): ReturnType<typeof learnRemote> {
  const remote = remoteStateOf(op)
  const news = { ...context, present: false }
  const note = tx.findNote(entityKey(op))
  const sent = note === undefined ? null : await tx.sentOf(note)
  if (sent === null && state !== undefined) return learnRemoteOver(tx, op, state, remote, news)
  if (sent !== null) await settleSent(tx, op, remote, sent, context)
  return learnRemote(tx, op, remote, news)
}

function isEcho(op: SyncOperation, sent: SentOp): boolean {
  return (
    op.deviceId === sent.deviceId && op.opId === sent.opId && sameBytes(op.entityCbor, sent.bytes)
  )
}

/**
 * The echo of an operation names the revision that its answer did not name, or of which no answer came.
 * When a later state comes instead of the echo of an accepted operation (the log was compacted), that
 * state was made on the accepted one.
 */
async function settleSent(
  tx: SyncTransaction,
  op: SyncOperation,
  remote: RemoteState,
  sent: SentOp,
  context: Omit<LearnContext, 'present'>,
): Promise<void> {
  if (isEcho(op, sent)) {
    await settlePending(tx, op, remote, sent.localOpId)
    await meetAgain(tx, op, remote, context)
  } else {
    const { base, version } = await tx.replica.state(op.collection, op.entityId)
    if (!sent.accepted || remote.version <= version) return
    const { bytes, schemaVersion = base.schemaVersion, localOpId } = sent
    await settlePending(tx, op, { version: base.version, bytes, schemaVersion }, localOpId)
  }
  tx.changeNote(op, { sent: null, rejection: null })
}

async function settlePending(
  tx: SyncTransaction,
  { collection, entityId }: SyncOperation,
  committed: RemoteState,
  throughOpId: number,
): Promise<void> {
  const state = await tx.replica.state(collection, entityId)
  if (state.pending) await tx.replica.settle(collection, entityId, committed, throughOpId)
}
