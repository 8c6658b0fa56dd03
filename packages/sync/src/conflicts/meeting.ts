/** What it means when a pending edit and a server state of the same entity meet. Pure. */
import { type Content, sameState } from '../same-state.ts'
import type { RemoteState } from '../state/rows.ts'

export interface MeetingSides {
  /** The local content; null bytes: deleted or absent. */
  readonly local: Content
  /** The server state the oldest pending edit was made on; null bytes: absent. Undefined: not kept. */
  readonly base: Content | undefined
  readonly remote: RemoteState
  /** Server states up to here are ancestors of the local edit; 0: none is. */
  readonly ancestorThrough: number
}

/**
 * - `converged`: both sides are the same; nothing is left to push.
 * - `unmoved`: the server is where the edit began, or at an ancestor of that; the edit stands on `remote`.
 * - `conflict`: both sides changed.
 */
export type Meeting = 'converged' | 'unmoved' | 'conflict'

export function meetingOf({ local, base, remote, ancestorThrough }: MeetingSides): Meeting {
  if (sameState(local, remote)) return 'converged'
  if (base !== undefined && sameState(base, remote)) return 'unmoved'
  // 0: there are none. What the server forgot after a delete has revision 0, and is no ancestor.
  if (ancestorThrough > 0 && remote.version <= ancestorThrough) return 'unmoved'
  return 'conflict'
}
