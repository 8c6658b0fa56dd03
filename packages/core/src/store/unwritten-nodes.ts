/** How many nodes of a tree are in memory alone. What such a node lies under is in memory alone too. */
import type { NodeRef } from './node.ts'

export function countUnwritten(root: NodeRef | undefined): number {
  if (root?.node === undefined || root.extent !== undefined) return 0
  let count = 1
  if (root.node.kind === 'branch') {
    for (const child of root.node.children) count += countUnwritten(child)
  }
  return count
}
