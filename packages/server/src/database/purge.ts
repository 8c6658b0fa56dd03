/**
 * Tombstones that nobody needs any more are removed, oldest cursor first, and `purgedThrough` says up to where. What a
 * device may conclude from it does not depend on the clock: one that has not seen a purged delete is told
 * `cursor_expired` and syncs anew. `docs/decisions/0011-tombstone-retention.md`.
 */
import {
  type MetaRow,
  type ServerTransaction,
  sortableNumber,
  type TombstoneRow,
} from './collections.ts'
import { readMeta } from './meta.ts'

/** Of one step, which others wait for: a few milliseconds. */
const TOMBSTONES_MAX = 200
/** Of rows that a step takes out of the log because compaction has not come to them. */
const REPLACED_MAX = 300

export interface PurgeBounds {
  readonly nowMs: number
  readonly retentionMs: number
  /** Every active device, and every pull from 0 under way, has seen everything up to here. */
  readonly seenThrough: number
}

export interface PurgeStep {
  readonly purged: number
  readonly hasMore: boolean
}

/**
 * Removes some of the tombstones that are old enough. What they replaced must be gone from the log before them, or a first
 * sync would bring it back to life: where compaction still waits for someone, who is to sync anew now, it goes with them.
 */
export async function purgeStep(tx: ServerTransaction, bounds: PurgeBounds): Promise<PurgeStep> {
  const meta = await readMeta(tx)
  const { compactedThrough } = meta
  // Of a log that does not say what its rows replace.
  if (compactedThrough === undefined) return { purged: 0, hasMore: false }
  const due = await dueTombstones(tx, bounds)
  let { purgedThrough } = meta
  let purged = 0
  let removed = 0
  let hasMore = due.length === TOMBSTONES_MAX
  for (const tombstone of due) {
    const cursor = cursorOf(tombstone)
    const replaced = cursor > compactedThrough ? await replacedBy(tx, cursor) : []
    if (removed + replaced.length > REPLACED_MAX) {
      // More than a whole step takes is left to compaction.
      hasMore = removed > 0
      break
    }
    await tx.collection('tombstones').delete(tombstone.id)
    if (!(await purge(tx, tombstone))) continue
    for (const each of replaced) await tx.collection('server_oplog').delete(sortableNumber(each))
    removed += replaced.length
    purged++
    purgedThrough = Math.max(purgedThrough, cursor)
  }
  const superseded = (meta.superseded ?? 0) - removed
  const next: MetaRow = { ...meta, purgedThrough, superseded }
  if (purged > 0) await tx.collection('meta').put(next)
  return { purged, hasMore }
}

/** The operations of the same entity before the one at `cursor` that are still in the log; one more than a step takes, at most. */
async function replacedBy(tx: ServerTransaction, cursor: number): Promise<readonly number[]> {
  const oplog = tx.collection('server_oplog')
  const replaced: number[] = []
  let row = await oplog.get(sortableNumber(cursor))
  while (row?.replaces !== undefined && replaced.length <= REPLACED_MAX) {
    const before = row.replaces
    row = await oplog.get(sortableNumber(before))
    if (row !== undefined) replaced.push(before)
  }
  return replaced
}

/** Whether the oldest tombstone is old enough. */
export function isDue({ deletedAt }: TombstoneRow, nowMs: number, retentionMs: number): boolean {
  return nowMs - deletedAt >= retentionMs
}

async function dueTombstones(
  tx: ServerTransaction,
  { nowMs, retentionMs, seenThrough }: PurgeBounds,
): Promise<readonly TombstoneRow[]> {
  const tombstones = tx.collection('tombstones')
  const rows = await tombstones.find({ limit: TOMBSTONES_MAX })
  // Written while the clock was ahead: they wait their time from now on, instead of for ever.
  const ahead = rows.filter(({ deletedAt }) => deletedAt > nowMs)
  await tombstones.putMany(ahead.map((row) => ({ ...row, deletedAt: nowMs })))
  const end = rows.findIndex(
    (row) => cursorOf(row) > seenThrough || !isDue(row, nowMs, retentionMs),
  )
  return end === -1 ? rows : rows.slice(0, end)
}

/** False when the entity has been written again since. */
async function purge(tx: ServerTransaction, tombstone: TombstoneRow): Promise<boolean> {
  const entity = await tx.collection('entities').get(tombstone.entity)
  if (entity?.entityVersion !== cursorOf(tombstone)) return false
  await tx.collection('entities').delete(tombstone.entity)
  await tx.collection('server_oplog').delete(tombstone.id)
  return true
}

/** Its id, and that of its oplog row. */
function cursorOf({ id }: TombstoneRow): number {
  return Number(id)
}
