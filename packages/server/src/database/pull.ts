/** One pull, from one snapshot. */
import type { PullPage, PullRequest } from '@entidb/protocol'
import type { ServerLimits } from '../limits.ts'
import { cursorAhead, cursorExpired, invalidRequest } from '../wire-error.ts'
import type { MetaRow, ServerReader } from './collections.ts'
import { assertNotSuperseded, readDevice } from './devices.ts'
import { assertEpoch } from './epoch-check.ts'
import { readMeta } from './meta.ts'
import type { PulledRow } from './oplog-row.ts'
import type { Permissions } from './permissions.ts'
import { readPage } from './pull-page.ts'
import type { Resyncs } from './resyncs.ts'
import { readSnapshotPage } from './snapshot-page.ts'

export interface PullContext {
  readonly limits: ServerLimits
  readonly permissions: Permissions
  readonly resyncs: Resyncs
  readonly nowMs: number
}

/** A pull looks at no more rows than this for each operation it may send. */
const ROWS_PER_PULLED_OP = 4

/** Errors: `invalid_request`, `device_conflict`, `epoch_mismatch`, `cursor_ahead`, `cursor_expired`. */
export async function runPull(
  reader: ServerReader,
  request: PullRequest,
  context: PullContext,
): Promise<PullPage> {
  assertSnapshotPlace(request)
  const { deviceId } = request
  const meta = await readMeta(reader)
  if (deviceId !== undefined) {
    const device = await readDevice(reader, deviceId)
    await assertNotSuperseded(reader, deviceId, device, request.replicaId)
  }
  await assertEpoch(reader, meta, request.epoch)
  if (reachedCursor(request) > meta.head) throw cursorAhead()
  const isVisible = visibility(context.permissions, request.collections)
  // The place of a page is a key: whoever may not see everything must not see that one.
  const isSnapshot = request.snapshot !== undefined && isVisible === undefined
  return isSnapshot
    ? pullSnapshot(reader, request, meta, context)
    : pullByCursor(reader, request, meta, isVisible, context)
}

/** What the puller says that it has everything up to, or will have: the cursor, or where its snapshot leads. */
export function reachedCursor({ sinceCursor, snapshot }: PullRequest): number {
  return snapshot?.through ?? sinceCursor
}

function assertSnapshotPlace({ sinceCursor, snapshot }: PullRequest): void {
  if (snapshot === undefined) return
  const { through, after } = snapshot
  if (sinceCursor !== 0) throw invalidRequest('A snapshot begins with cursor 0')
  if ((through === undefined) !== (after === undefined)) {
    throw invalidRequest('A page of a snapshot needs both `through` and `after` of the page before')
  }
}

async function pullSnapshot(
  reader: ServerReader,
  request: PullRequest,
  { dbId, head, purgedThrough }: MetaRow,
  { limits }: PullContext,
): Promise<PullPage> {
  const { through = head, after } = request.snapshot ?? {}
  // Deletes of entities that earlier pages had could not be told any more.
  if (through < purgedThrough) throw cursorExpired()
  const { maxPullOps, maxPullBytes } = limits
  const page = await readSnapshotPage(reader, {
    dbId,
    after,
    opsMax: Math.min(request.limit ?? maxPullOps, maxPullOps),
    bytesMax: maxPullBytes,
  })
  const isLast = page.after === undefined
  return {
    ops: page.ops,
    nextCursor: isLast ? through : 0,
    hasMore: !isLast || through < head,
    head,
    purgedThrough,
    snapshot: page.after === undefined ? { through } : { through, after: page.after },
  }
}

async function pullByCursor(
  reader: ServerReader,
  request: PullRequest,
  { head, purgedThrough }: MetaRow,
  isVisible: ((row: PulledRow) => boolean) | undefined,
  { limits, permissions, resyncs, nowMs }: PullContext,
): Promise<PullPage> {
  const { sinceCursor, deviceId } = request
  const puller =
    deviceId === undefined ? `subject ${permissions.identity.subject}` : `device ${deviceId}`
  const isBehind = sinceCursor > 0 && sinceCursor < purgedThrough
  if (isBehind && !resyncs.isUnderWay(puller, sinceCursor, purgedThrough)) throw cursorExpired()
  const { maxPullOps, maxPullBytes } = limits
  const opsMax = Math.min(request.limit ?? maxPullOps, maxPullOps)
  const { ops, nextCursor } = await readPage(reader, {
    sinceCursor,
    head,
    bounds: { opsMax, bytesMax: maxPullBytes, rowsMax: maxPullOps * ROWS_PER_PULLED_OP },
    isVisible,
  })
  const hasMore = nextCursor < head
  if (!hasMore) resyncs.end(puller)
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
