/**
 * Re-sync: everything is pulled again from the beginning, local edits stay, and in the end what the
 * server did not name is removed. Durable at every step, so a crash resumes it.
 */
import {
  knownRevision,
  type LearnContext,
  learnRemote,
  removeClean,
} from '../conflicts/learn-remote.ts'
import { type EntityRef, entityKey } from '../entity-ref.ts'
import type { ResyncReason } from '../events.ts'
import { evictedAfter, forgetEvicted } from '../evict/evicted-rows.ts'
import { ABSENT, type ResyncRow } from '../state/rows.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'

const SWEEP_ENTRIES = 500

/** Answers asked for before count no more. */
export function beginResync(tx: SyncTransaction, reason: ResyncReason): void {
  const { generation } = tx.state
  tx.setState({
    cursor: 0,
    generation: generation + 1,
    snapshot: null,
    resync: { reason, phase: 'pulling', after: null },
  })
}

/** One bounded step after the last page. True when nothing is left to sweep. */
export async function sweepStep(
  tx: SyncTransaction,
  context: Omit<LearnContext, 'present'>,
): Promise<boolean> {
  const { resync } = tx.state
  if (resync === null || resync.phase === 'pulling') return true
  if (resync.phase === 'sweepingEvicted') return sweepEvicted(tx, resync)
  if (resync.phase === 'clearing') return clearSeen(tx)
  const entries = await tx.replica.scan({
    ...(resync.after === null ? {} : { after: resync.after }),
    entriesMax: SWEEP_ENTRIES,
  })
  for (const { collection, entityId, version, pending } of entries) {
    const ref = { collection, entityId }
    const key = entityKey(ref)
    if (await tx.wasSeen(key)) continue
    if (pending) {
      // What is known of it may be the other side of a conflict alone, or that its base was lost.
      const isLost = (tx.findNote(key)?.ancestorThrough ?? 0) !== 0
      if (isLost || knownRevision(tx, ref, version) > 0) {
        await learnRemote(tx, ref, ABSENT, { ...context, present: true })
      }
    } else if (version > 0) {
      await removeClean(tx, ref, await tx.replica.state(collection, entityId))
    }
  }
  const last = entries.at(-1)
  const after = last === undefined ? null : refOf(last)
  const phase = after === null ? 'sweepingEvicted' : 'sweeping'
  tx.setState({ resync: { ...resync, phase, after } })
  return false
}

/** What the server did not name is not known any more; also of what was evicted since it was swept. */
async function sweepEvicted(tx: SyncTransaction, resync: ResyncRow): Promise<false> {
  const rows = await evictedAfter(tx, resync.after, SWEEP_ENTRIES)
  for (const row of rows) if (!(await tx.wasSeen(row.id))) await forgetEvicted(tx, row)
  const last = rows.at(-1)
  const next =
    last === undefined ? { phase: 'clearing' as const, after: null } : { after: refOf(last) }
  tx.setState({ resync: { ...resync, ...next } })
  return false
}

/** The marks go when nothing asks for them any more. */
async function clearSeen(tx: SyncTransaction): Promise<boolean> {
  if (await tx.forgetSeen(SWEEP_ENTRIES)) return false
  tx.setState({ resync: null })
  return true
}

function refOf({ collection, entityId }: EntityRef): EntityRef {
  return { collection, entityId }
}

/** One bounded step of forgetting deletes that the server has purged. True when done. */
export async function forgetStep(
  tx: SyncTransaction,
  progress: { after: { collection: string; entityId: string } | undefined },
): Promise<boolean> {
  const through = tx.state.purgedThrough
  const entries = await tx.replica.scan({
    ...(progress.after === undefined ? {} : { after: progress.after }),
    entriesMax: SWEEP_ENTRIES,
  })
  for (const { collection, entityId, version, pending, deleted } of entries) {
    if (deleted && !pending && version > 0 && version <= through) {
      await tx.replica.forget(collection, entityId)
    }
  }
  progress.after = entries.at(-1)
  if (progress.after !== undefined) return false
  tx.setState({ forgottenThrough: through })
  return true
}
