/**
 * The one place where a server's state of an entity is taken in, whichever way it came: pulled, in a
 * push's conflict, or found missing at the end of a re-sync. A local edit is never overwritten here.
 */
import { EntiDBError } from '@entidb/core'
import { decodeEntity, readEntityId } from '@entidb/core/cbor'
import type { IndexViolation, ReplicaState } from '@entidb/core/replication'
import { type EntityRef, entityKey } from '../entity-ref.ts'
import type { NoteRow, RemoteState } from '../state/rows.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'
import { meetingOf } from './meeting.ts'

export type Learnt = 'known' | 'stored' | 'converged' | 'unmoved' | 'conflict'

export interface LearnContext {
  readonly nowMs: number
  /** The server's present state, whatever its revision; otherwise only newer ones count. */
  readonly present: boolean
  readonly onViolation: (violation: IndexViolation) => void
}

/** The newest revision that was seen of an entity whose stored state is of revision `version`. */
export function knownRevision(tx: SyncTransaction, ref: EntityRef, version: number): number {
  return Math.max(version, tx.findNote(entityKey(ref))?.conflict?.remote.version ?? 0)
}

export async function learnRemote(
  tx: SyncTransaction,
  ref: EntityRef,
  remote: RemoteState,
  context: LearnContext,
): Promise<Learnt> {
  const state = await tx.replica.state(ref.collection, ref.entityId)
  return learnRemoteOver(tx, ref, state, remote, context)
}

/** As `learnRemote`, where the present state of the entity is known already. */
export async function learnRemoteOver(
  tx: SyncTransaction,
  ref: EntityRef,
  state: ReplicaState,
  remote: RemoteState,
  context: LearnContext,
): Promise<Learnt> {
  if (!context.present && remote.version <= knownRevision(tx, ref, state.version)) return 'known'
  return state.pending
    ? meetPending(tx, ref, state, remote, context)
    : storeClean(tx, ref, state, remote, context)
}

/**
 * An own edit was accepted, as `committed`: later ones, such as a form saved late over it, meet that, unless what they
 * were in conflict with is newer.
 */
export async function meetAgain(
  tx: SyncTransaction,
  ref: EntityRef,
  committed: RemoteState,
  context: Omit<LearnContext, 'present'>,
): Promise<void> {
  const note = tx.findNote(entityKey(ref))
  const remote = note === undefined ? null : await tx.remoteOf(note)
  if (remote === null) return
  const newest = committed.version > remote.version ? committed : remote
  await learnRemote(tx, ref, newest, { ...context, present: true })
}

async function storeClean(
  tx: SyncTransaction,
  ref: EntityRef,
  state: ReplicaState,
  remote: RemoteState,
  { onViolation }: LearnContext,
): Promise<Learnt> {
  if (tx.findNote(entityKey(ref)) !== undefined) settleNote(tx, ref, 0)
  if (remote.version === 0) {
    await removeClean(tx, ref, state)
    return 'stored'
  }
  if (remote.version <= state.version) return 'known'
  const { violations } = await tx.replica.applyRaw({ ...ref, ...remote })
  for (const violation of violations) onViolation(violation)
  return 'stored'
}

/** After an epoch change the edit stands on nothing that both sides have: it was not made where nothing was. */
export function isBaseLost(
  { ancestorThrough }: Pick<NoteRow, 'ancestorThrough'>,
  { base }: Pick<ReplicaState, 'base'>,
): boolean {
  return ancestorThrough !== 0 && base.version === 0
}

/** Forgets an entity or tombstone that the server does not have. */
export async function removeClean(
  tx: SyncTransaction,
  { collection, entityId }: EntityRef,
  state: Pick<ReplicaState, 'bytes' | 'version'>,
): Promise<void> {
  if (state.bytes !== null) await tx.replica.evict(collection, entityId)
  else if (state.version > 0) await tx.replica.forget(collection, entityId)
}

async function meetPending(
  tx: SyncTransaction,
  ref: EntityRef,
  state: ReplicaState,
  remote: RemoteState,
  { nowMs }: LearnContext,
): Promise<Learnt> {
  const note = tx.note(ref)
  const stale = note.conflict?.stale ?? false
  const meeting = meetingOf({
    local: state,
    base: stale || isBaseLost(note, state) ? undefined : state.base,
    remote,
    ancestorThrough: note.ancestorThrough,
    purgedThrough: tx.state.purgedThrough,
  })
  if (meeting === 'converged') {
    await tx.replica.settle(ref.collection, ref.entityId, remote, state.opId)
    settleNote(tx, ref, state.opId)
  } else if (meeting === 'unmoved') {
    await tx.replica.rebase(ref.collection, ref.entityId, remote)
    if (note.conflict !== null) tx.changeNote(ref, { conflict: null })
  } else {
    assertEntity(ref, remote)
    tx.changeNote(ref, {
      group: note.group ?? tx.newGroup(),
      conflict: {
        remote,
        sinceMs: note.conflict?.sinceMs ?? nowMs,
        stale,
        deferred: note.conflict?.deferred ?? null,
      },
    })
  }
  return meeting
}

/** What is kept beside a local edit is shown to people and resolvers, so it has to be what it claims. */
function assertEntity({ collection, entityId }: EntityRef, { bytes }: RemoteState): void {
  if (bytes === null) return
  try {
    decodeEntity(bytes)
    if (readEntityId(bytes) === entityId) return
  } catch {
    // As bad as another entity's bytes.
  }
  throw new EntiDBError(
    'invalid_response',
    `The server sent bytes that are not ${entityId} of ${collection}`,
    { details: { collection, id: entityId }, retry: 'later' },
  )
}

/**
 * The entity's edit is settled: nothing holds it any more. Its feed operations up to `throughOpId` are
 * passed over; 0 when there are none.
 */
export function settleNote(tx: SyncTransaction, ref: EntityRef, throughOpId: number): void {
  const unread = throughOpId > tx.state.feedPosition ? throughOpId : 0
  const { skipThrough } = tx.note(ref)
  tx.changeNote(ref, {
    group: null,
    conflict: null,
    rejection: null,
    sent: null,
    ancestorThrough: 0,
    rounds: 0,
    skipThrough: Math.max(skipThrough, unread),
  })
}
