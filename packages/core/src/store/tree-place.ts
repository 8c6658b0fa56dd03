/** Where a walk through a tree, as the file has it, is to go on. */
import type { Branch, NodeRef } from './node.ts'

/** A node to be looked at. Its keys are from `low` (undefined: the lowest) to below `high` (the highest). */
export interface TreePlace {
  readonly ref: NodeRef
  readonly low: Uint8Array | undefined
  readonly high: Uint8Array | undefined
  readonly depth: number
}

export function rootPlace(ref: NodeRef): TreePlace {
  return { ref, low: undefined, high: undefined, depth: 0 }
}

/** For a stack: the last one first, so that they are looked at in order. */
export function childPlaces(
  { separators, children }: Branch,
  { low, high, depth }: TreePlace,
): TreePlace[] {
  const below = children.map((ref, i) => ({
    ref,
    low: i === 0 ? low : separators.keyAt(i - 1),
    high: i === separators.count ? high : separators.keyAt(i),
    depth: depth + 1,
  }))
  return below.reverse()
}
