/** Which page a pull asks for, and whether an answer is that page. */
import { EntiDBError } from '@entidb/core'
import type { PullResponse, SnapshotRequest } from '@entidb/protocol'
import type { StateRow } from '../state/rows.ts'
import type { PullOrigin } from './apply-page.ts'

/** A device that knows nothing yet asks for a snapshot, and goes on with it; undefined: for a page by cursor. */
export function snapshotToAskFor(
  { cursor, snapshot = null }: PullOrigin,
  { resync, revisionMax }: StateRow,
): SnapshotRequest | undefined {
  if (snapshot !== null) return { through: snapshot.through, after: snapshot.after }
  return cursor === 0 && revisionMax === 0 && resync === null ? {} : undefined
}

export interface AskedPage {
  readonly dbId: string
  readonly snapshot: SnapshotRequest | undefined
}

/** A page must be of our database, lie behind the cursor and lead on. Error: `invalid_response`. */
export function assertFits(page: PullResponse, cursor: number, asked: AskedPage): void {
  const fits =
    page.snapshot === undefined ? followsCursor(page, cursor) : followsSnapshot(page, asked)
  if (fits && page.ops.every((op) => op.dbId === asked.dbId)) return
  throw new EntiDBError('invalid_response', 'The pulled page does not follow the cursor', {
    details: { cursor, nextCursor: page.nextCursor },
    retry: 'later',
  })
}

function followsCursor(page: PullResponse, cursor: number): boolean {
  const { ops, nextCursor, hasMore, head = nextCursor } = page
  const first = ops[0]?.entityVersion ?? cursor + 1
  if (nextCursor < cursor || nextCursor > head || first <= cursor) return false
  return !hasMore || nextCursor > cursor
}

function followsSnapshot(
  { ops, snapshot, nextCursor, hasMore, head }: PullResponse,
  asked: AskedPage,
): boolean {
  if (snapshot === undefined || asked.snapshot === undefined) return false
  const { through, after } = snapshot
  if (through !== (asked.snapshot.through ?? through) || through > (head ?? through)) return false
  // A revision that the server has not given yet would be believed for ever.
  if (head !== undefined && (ops.at(-1)?.entityVersion ?? 0) > head) return false
  if (after === undefined) return nextCursor === through
  return nextCursor === 0 && hasMore && after !== asked.snapshot.after
}
