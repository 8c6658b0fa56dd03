import type { MaybePromise } from '../files/file-system.ts'
import type { LargeValue, NodeRef, TreeNode } from './node.ts'

/** Brings nodes and large values into memory. Errors: `corrupt`, `io_failed`. */
export interface NodeSource {
  /** The node of `ref`, which has it in memory until the next `makeRoom`. */
  load(ref: NodeRef): MaybePromise<TreeNode>
  loadValue(value: LargeValue): MaybePromise<Uint8Array>
  /**
   * To be called before an operation on a tree, and not when it is taken up again after waiting for a node:
   * nodes that lie in the file may leave the memory.
   */
  makeRoom(): void
}
