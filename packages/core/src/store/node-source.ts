import type { MaybePromise } from '../files/file-system.ts'
import type { LargeValue, NodeRef, TreeNode } from './node.ts'

/** Brings nodes and large values into memory. Errors: `corrupt`, `io_failed`. */
export interface NodeSource {
  /** The node of `ref`, which from then on has it in memory. */
  load(ref: NodeRef): MaybePromise<TreeNode>
  loadValue(value: LargeValue): MaybePromise<Uint8Array>
}
