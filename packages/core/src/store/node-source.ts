import type { MaybePromise } from '../files/file-system.ts'
import type { LargeValue, LeafValue, NodeRef, TreeNode } from './node.ts'
import type { ReadAhead, Upcoming } from './read-ahead.ts'

/** What a leaf has under a key. */
export class FoundInLeaf {
  readonly value: LeafValue | undefined

  constructor(value: LeafValue | undefined) {
    this.value = value
  }
}

/** Brings nodes and large values into memory. Errors: `corrupt`, `io_failed`. */
export interface NodeSource {
  /**
   * The node of `ref`, which has it in memory until the next `makeRoom`. A leaf that has to be read gets `room` more
   * bytes, for entries to come.
   */
  load(ref: NodeRef, room?: number): MaybePromise<TreeNode>
  /**
   * As `load`, for whoever looks for `key` alone: of a leaf that is not worth keeping in memory, the answer
   * is what it has there.
   */
  loadOrFind(ref: NodeRef, key: Uint8Array): MaybePromise<TreeNode | FoundInLeaf>
  /**
   * As `load`, for whoever goes on to the `upcoming` nodes, reading with `ahead`. A leaf that is not worth keeping in
   * memory is known to nobody else, and must not be changed.
   */
  loadForScan(ref: NodeRef, ahead: ReadAhead, upcoming: () => Upcoming): MaybePromise<TreeNode>
  loadValue(value: LargeValue): MaybePromise<Uint8Array>
  /**
   * To be called before an operation on a tree, and not when it is taken up again after waiting for a node:
   * nodes that lie in the file may leave the memory.
   */
  makeRoom(): void
}
