/** Where revisions lie on the way from one cursor to another. Pure. */
import { EPOCH_STRIDE, type HistoryEntry } from '@entidb/protocol'

/**
 * How many revisions the server has assigned after `from`, up to `to`: cursors are dense, but for what each epoch leaves
 * out at its beginning (`docs/protocol.md`, section 9). Compaction may have cleared away operations of some of them.
 */
export function revisionsBetween(
  from: number,
  to: number,
  history: readonly HistoryEntry[],
): number {
  let leftOut = 0
  for (const { firstCursor } of history) {
    const headBefore = firstCursor - 1
    const raised = (Math.floor(headBefore / EPOCH_STRIDE) + 1) * EPOCH_STRIDE
    leftOut += Math.max(0, Math.min(to, raised) - Math.max(from, headBefore))
  }
  return Math.max(0, to - from - leftOut)
}
