/**
 * Oplog compaction: below a horizon only the newest row of each entity is left. Every row names the row that it
 * replaces, so the log is walked once, in cursor order, and nothing is looked up. The walk's place is stored in the
 * transaction that removes: a crash leaves it before a step or after it. `docs/decisions/0010-oplog-compaction.md`.
 */
import { type MetaRow, type ServerTransaction, sortableNumber } from './collections.ts'
import { readMeta } from './meta.ts'
import type { PulledRow } from './oplog-row.ts'
import { scanOplog } from './oplog-scan.ts'

/** Of one step, which others wait for: a few milliseconds. */
const REMOVED_MAX = 300
const EXAMINED_MAX = 2_000
const EXAMINED_BYTES_MAX = 2 * 1024 * 1024

export interface CompactionStep {
  readonly removed: number
  /** Whether rows up to the horizon are left to walk. */
  readonly hasMore: boolean
}

/** Removes some of what rows up to `horizon` supersede. */
export async function compactStep(tx: ServerTransaction, horizon: number): Promise<CompactionStep> {
  const meta = await readMeta(tx)
  const from = meta.compactedThrough
  if (from === undefined || from >= horizon) return { removed: 0, hasMore: false }
  const { through, superseded } = await nextSuperseded(tx, from, horizon)
  const oplog = tx.collection('server_oplog')
  let removed = 0
  for (const cursor of superseded) {
    const { existed } = await oplog.delete(sortableNumber(cursor))
    if (existed) removed++
  }
  const next: MetaRow = {
    ...meta,
    compactedThrough: through,
    superseded: (meta.superseded ?? 0) - removed,
  }
  await tx.collection('meta').put(next)
  return { removed, hasMore: through < horizon }
}

/** What the next rows supersede, and up to which row that is; `horizon` when there is no further row. */
async function nextSuperseded(
  tx: ServerTransaction,
  after: number,
  horizon: number,
): Promise<{ readonly through: number; readonly superseded: readonly number[] }> {
  const superseded: number[] = []
  let examined = 0
  let bytes = 0
  let through = after
  for await (const rows of scanOplog(tx, after)) {
    for (const row of rows) {
      if (row.serverCursor > horizon) return { through: horizon, superseded }
      if (row.replaces !== undefined) superseded.push(row.replaces)
      through = row.serverCursor
      examined++
      bytes += bytesOf(row)
      if (
        superseded.length >= REMOVED_MAX ||
        examined >= EXAMINED_MAX ||
        bytes >= EXAMINED_BYTES_MAX
      ) {
        return { through, superseded }
      }
    }
  }
  return { through: horizon, superseded }
}

function bytesOf({ operationCbor }: PulledRow): number {
  return operationCbor.length
}
