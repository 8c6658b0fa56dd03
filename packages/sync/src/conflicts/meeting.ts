/** What it means when a pending edit and a server state of the same entity meet. Pure. */
import { type Content, sameState } from '../same-state.ts'
import type { RemoteState } from '../state/rows.ts'

export interface MeetingSides {
  /** The local content; null bytes: deleted or absent. */
  readonly local: Content
  /** The server state the oldest pending edit was made on; null bytes: absent. Undefined: not kept. */
  readonly base: Content | undefined
  readonly remote: RemoteState
  /** After an epoch change: server states up to here are ancestors of the local edit; -1: none is. Else 0. */
  readonly ancestorThrough: number
  /** Deletes up to here may be forgotten by the server. */
  readonly purgedThrough: number
}

/**
 * - `converged`: both sides are the same; nothing is left to push.
 * - `unmoved`: the server is where the edit began, or at an ancestor of that; the edit stands on `remote`.
 * - `conflict`: both sides changed.
 */
export type Meeting = 'converged' | 'unmoved' | 'conflict'

export function meetingOf({ local, base, remote, ...ancestors }: MeetingSides): Meeting {
  if (sameState(local, remote)) return 'converged'
  if (base !== undefined && sameState(base, remote)) return 'unmoved'
  return isAncestor(remote, ancestors) ? 'unmoved' : 'conflict'
}

/** Nothing is one, too, unless the server may have forgotten a delete that came after the ancestors. */
function isAncestor(
  { version }: RemoteState,
  { ancestorThrough, purgedThrough }: Omit<MeetingSides, 'local' | 'base' | 'remote'>,
): boolean {
  if (version > 0) return version <= ancestorThrough
  return ancestorThrough !== 0 && purgedThrough <= Math.max(0, ancestorThrough)
}
