/** One page of a snapshot, from one snapshot of the store. */
import { PACKED_OPS_MAX, type PullRequest, readsPacked, type SnapshotPage } from '@entidb/protocol'
import type { ServerLimits } from '../limits.ts'
import { cursorExpired } from '../wire-error.ts'
import type { ServerReader } from './collections.ts'
import type { Permissions } from './permissions.ts'
import { assertMayPull } from './pull-checks.ts'
import { readSnapshotPage } from './snapshot-page.ts'

/**
 * Whether a pull is answered with a page of a snapshot; else it is the pull by cursor that it also is. The place of a
 * page is a key: whoever may not see everything must not see that one. Pages of snapshots are always packed.
 */
export function isForSnapshot(request: PullRequest, { readsAll }: Permissions): boolean {
  const { snapshot, collections } = request
  return snapshot !== undefined && readsPacked(request) && collections === undefined && readsAll
}

/** `subject`: as in `assertOwnedBy`. Errors: `device_conflict`, `epoch_mismatch`, `cursor_ahead`, `cursor_expired`. */
export async function pullSnapshot(
  reader: ServerReader,
  request: PullRequest,
  { maxPullOps, maxPullBytes }: ServerLimits,
  subject: string | undefined,
): Promise<SnapshotPage> {
  const { dbId, head, purgedThrough } = await assertMayPull(reader, request, subject)
  const { through = head, after } = request.snapshot ?? {}
  // Deletes of entities that earlier pages had could not be told any more.
  if (through < purgedThrough) throw cursorExpired()
  const page = await readSnapshotPage(reader, after, {
    opsMax: Math.min(request.limit ?? maxPullOps, maxPullOps, PACKED_OPS_MAX),
    bytesMax: maxPullBytes,
  })
  const isLast = page.after === undefined
  return {
    dbId,
    states: page.states,
    nextCursor: isLast ? through : 0,
    hasMore: !isLast || through < head,
    head,
    purgedThrough,
    snapshot: page.after === undefined ? { through } : { through, after: page.after },
  }
}
