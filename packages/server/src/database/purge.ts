/**
 * Tombstones that nobody needs any more are removed, oldest cursor first, and `purgedThrough` says up to where. What a
 * device may conclude from it does not depend on the clock: one that has not seen a purged delete is told
 * `cursor_expired` and syncs anew. `docs/decisions/0011-tombstone-retention.md`.
 */
import type { MetaRow, ServerReader, ServerTransaction, TombstoneRow } from './collections.ts'
import { readMeta } from './meta.ts'

/** Of one step, which others wait for: a few milliseconds. */
const TOMBSTONES_MAX = 200

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

/** Removes some of the tombstones that are old enough. */
export async function purgeStep(tx: ServerTransaction, bounds: PurgeBounds): Promise<PurgeStep> {
  const meta = await readMeta(tx)
  // What a tombstone replaced must be gone from the log before it, or a first sync would bring it back to life.
  const through = Math.min(bounds.seenThrough, meta.compactedThrough ?? 0)
  const due = await dueTombstones(tx, through, bounds)
  let purgedThrough = meta.purgedThrough
  let purged = 0
  for (const tombstone of due) {
    await tx.collection('tombstones').delete(tombstone.id)
    if (await purge(tx, tombstone)) {
      purged++
      purgedThrough = Math.max(purgedThrough, cursorOf(tombstone))
    }
  }
  if (purged > 0) await tx.collection('meta').put({ ...meta, purgedThrough } satisfies MetaRow)
  return { purged, hasMore: due.length === TOMBSTONES_MAX }
}

/**
 * Up to where the next step would purge if compaction had come so far. Who has not seen that is to sync anew: compaction need
 * not wait for it.
 */
export async function purgeableThrough(reader: ServerReader, bounds: PurgeBounds): Promise<number> {
  const rows = await reader.collection('tombstones').find({ limit: TOMBSTONES_MAX })
  const last = dueOf(rows, bounds.seenThrough, bounds).at(-1)
  return last === undefined ? 0 : cursorOf(last)
}

/** Whether the oldest tombstone is old enough. */
export function isDue({ deletedAt }: TombstoneRow, nowMs: number, retentionMs: number): boolean {
  return nowMs - deletedAt >= retentionMs
}

async function dueTombstones(
  tx: ServerTransaction,
  through: number,
  bounds: PurgeBounds,
): Promise<readonly TombstoneRow[]> {
  const tombstones = tx.collection('tombstones')
  const rows = await tombstones.find({ limit: TOMBSTONES_MAX })
  // Written while the clock was ahead: they wait their time from now on, instead of for ever.
  const { nowMs } = bounds
  const ahead = rows.filter(({ deletedAt }) => deletedAt > nowMs)
  await tombstones.putMany(ahead.map((row) => ({ ...row, deletedAt: nowMs })))
  return dueOf(rows, through, bounds)
}

/** Those before the first that has to stay. */
function dueOf(
  rows: readonly TombstoneRow[],
  through: number,
  { nowMs, retentionMs }: PurgeBounds,
): readonly TombstoneRow[] {
  const end = rows.findIndex((row) => cursorOf(row) > through || !isDue(row, nowMs, retentionMs))
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
