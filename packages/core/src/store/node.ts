/**
 * Nodes of the B+tree in memory: plain arrays of keys and values.
 *
 * A node is immutable once the transaction that made it has committed. Until then its maker may
 * change it in place: it carries the maker's edit token. A `NodeRef` is the place of a node in the
 * tree: shared by every version of the parent, it learns the node's extent when a checkpoint writes
 * it, and may exist without the node being in memory.
 */
import type { Extent } from './extent.ts'

/** Who may change a node in place: the one holding the same token. */
export class EditToken {
  readonly #transaction: object

  /** Tokens that one transaction holds in turn share `transaction`. */
  constructor(transaction: object = {}) {
    this.#transaction = transaction
  }

  /** A token for the same transaction, with which nothing made before may be changed in place. */
  renewed(): EditToken {
    return new EditToken(this.#transaction)
  }

  /** Whether the transaction that holds `other` held this one too. */
  isOfTransaction(other: EditToken): boolean {
    return this.#transaction === other.#transaction
  }
}

/** Something that has, or will get, a place in the data file. */
export interface Stored {
  extent: Extent | undefined
}

/** A value too big for a leaf. `bytes` or `extent` is there, or both. */
export class LargeValue implements Stored {
  readonly length: number
  bytes: Uint8Array | undefined
  extent: Extent | undefined

  constructor(length: number, bytes: Uint8Array | undefined, extent: Extent | undefined) {
    this.length = length
    this.bytes = bytes
    this.extent = extent
  }
}

export type LeafValue = Uint8Array | LargeValue

/**
 * Entries in key order, with the head of each key. `bytes` is their encoded size, kept up to date by
 * every edit.
 */
export class Leaf {
  readonly kind = 'leaf'
  readonly edit: EditToken | undefined
  readonly keys: Uint8Array[]
  readonly heads: number[]
  readonly values: LeafValue[]
  bytes: number

  constructor(
    edit: EditToken | undefined,
    keys: Uint8Array[],
    heads: number[],
    values: LeafValue[],
    bytes: number,
  ) {
    this.edit = edit
    this.keys = keys
    this.heads = heads
    this.values = values
    this.bytes = bytes
  }
}

/**
 * Children in key order. `keys[i]` separates them: everything under `children[i]` is below it,
 * everything under `children[i + 1]` is at or above it. There is one key less than children. Keys
 * have their heads beside them as in a leaf.
 */
export class Branch {
  readonly kind = 'branch'
  readonly edit: EditToken | undefined
  readonly keys: Uint8Array[]
  readonly heads: number[]
  readonly children: NodeRef[]
  bytes: number

  constructor(
    edit: EditToken | undefined,
    keys: Uint8Array[],
    heads: number[],
    children: NodeRef[],
    bytes: number,
  ) {
    this.edit = edit
    this.keys = keys
    this.heads = heads
    this.children = children
    this.bytes = bytes
  }
}

export type TreeNode = Leaf | Branch

/** `node` or `extent` is there, or both. */
export class NodeRef implements Stored {
  node: TreeNode | undefined
  extent: Extent | undefined

  constructor(node: TreeNode | undefined, extent: Extent | undefined) {
    this.node = node
    this.extent = extent
  }
}

/** One table: where its tree starts, and how many entries it holds. No root means empty. */
export interface TableRoot {
  readonly root: NodeRef | undefined
  readonly count: number
}

/** Upper bounds of what an entry adds to its encoded node besides its bytes. */
const LEAF_ENTRY_OVERHEAD_BYTES = 8
const LARGE_VALUE_BYTES = 8
const BRANCH_ENTRY_BYTES = 15

export function leafEntryBytes(key: Uint8Array, value: LeafValue): number {
  const valueBytes = value instanceof LargeValue ? LARGE_VALUE_BYTES : value.length
  return LEAF_ENTRY_OVERHEAD_BYTES + key.length + valueBytes
}

/** What a child and the separator before it add. */
export function branchEntryBytes(separator: Uint8Array): number {
  return BRANCH_ENTRY_BYTES + separator.length
}

export function leafBytes(keys: readonly Uint8Array[], values: readonly LeafValue[]): number {
  let bytes = 0
  for (let i = 0; i < keys.length; i++) bytes += leafEntryBytes(at(keys, i), at(values, i))
  return bytes
}

export function branchBytes(keys: readonly Uint8Array[]): number {
  let bytes = BRANCH_ENTRY_BYTES
  for (const key of keys) bytes += branchEntryBytes(key)
  return bytes
}

/** `list[index]` where the index is known to be in range. */
export function at<T>(list: readonly T[], index: number): T {
  // In range by the caller's invariant; a check here would cost in the hottest loops.
  return list[index] as T
}
