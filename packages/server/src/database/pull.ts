/** One pull by cursor, from one snapshot of the store. */
import type { PullPage, PullRequest } from '@entidb/protocol'
import type { ServerLimits } from '../limits.ts'
import { cursorExpired } from '../wire-error.ts'
import type { ServerReader } from './collections.ts'
import type { PulledRow } from './oplog-row.ts'
import type { Permissions } from './permissions.ts'
import { assertMayPull } from './pull-checks.ts'
import { readPage } from './pull-page.ts'
import type { PullerName, Resyncs } from './resyncs.ts'

export interface PullContext {
  readonly limits: ServerLimits
  readonly permissions: Permissions
  readonly resyncs: Resyncs
  /** As in `assertOwnedBy`. */
  readonly subject: string | undefined
  readonly nowMs: number
}

/** A pull looks at no more rows than this for each operation it may send. */
const ROWS_PER_PULLED_OP = 4

/** Errors: `device_conflict`, `epoch_mismatch`, `cursor_ahead`, `cursor_expired`. */
export async function runPull(
  reader: ServerReader,
  request: PullRequest,
  { limits, permissions, resyncs, subject, nowMs }: PullContext,
): Promise<PullPage> {
  const { sinceCursor, deviceId } = request
  const { head, purgedThrough } = await assertMayPull(reader, request, subject)
  const puller: PullerName =
    deviceId === undefined
      ? { name: `subject ${permissions.identity.subject}`, isShared: true }
      : { name: `device ${deviceId}`, isShared: false }
  const isBehind = sinceCursor > 0 && sinceCursor < purgedThrough
  if (isBehind && !resyncs.isUnderWay(puller, sinceCursor, purgedThrough)) throw cursorExpired()
  const { maxPullOps, maxPullBytes } = limits
  const opsMax = Math.min(request.limit ?? maxPullOps, maxPullOps)
  const { ops, nextCursor } = await readPage(reader, {
    sinceCursor,
    head,
    bounds: { opsMax, bytesMax: maxPullBytes, rowsMax: maxPullOps * ROWS_PER_PULLED_OP },
    isVisible: visibility(permissions, request.collections),
  })
  const hasMore = nextCursor < head
  if (!hasMore) resyncs.end(puller, sinceCursor)
  else resyncs.note(puller, { since: sinceCursor, next: nextCursor, purgedThrough }, nowMs)
  return { ops, nextCursor, hasMore, head, purgedThrough }
}

function visibility(
  permissions: Permissions,
  collections: readonly string[] | undefined,
): ((row: PulledRow) => boolean) | undefined {
  if (permissions.readsAll && collections === undefined) return undefined
  const asked = collections === undefined ? undefined : new Set(collections)
  return ({ collection, entityId }) =>
    (asked?.has(collection) ?? true) && permissions.mayRead(collection, entityId)
}
