/**
 * Nodes of the B+tree in memory.
 *
 * A node is immutable once the transaction that made it has committed. Until then its maker may
 * change it in place: it carries the maker's edit token. A `NodeRef` is the place of a node in the
 * tree: shared by every version of the parent, it learns the node's extent when a checkpoint writes
 * it, and may exist without the node being in memory.
 */
import type { Extent } from './extent.ts'
import { PackedEntries } from './packed-entries.ts'

/** Who may change a node in place: the one holding the same token. */
export class EditToken {
  /** Nodes made with it are in no state before this one; 0 where that is not known. */
  readonly lsn: number
  readonly #transaction: object

  /** Tokens that one transaction holds in turn share `transaction`. */
  constructor(lsn = 0, transaction: object = {}) {
    this.lsn = lsn
    this.#transaction = transaction
  }

  /** A token for the same transaction, with which nothing made before may be changed in place. */
  renewed(): EditToken {
    return new EditToken(this.lsn, this.#transaction)
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

/** The tag of an entry whose value lies in an extent of its own. */
export const LARGE_TAG = 1
/** Upper bound of what the place of a large value takes in its leaf. */
const LARGE_PLACE_BYTES_MAX = 10
/** Upper bound of what the place of a child takes in its branch. */
const CHILD_PLACE_BYTES_MAX = 10
/** What a child costs in memory, and what a node costs besides its entries: rough, for the cache. */
const CHILD_MEMORY_BYTES = 120
const NODE_MEMORY_BYTES = 700

const NO_BYTES = new Uint8Array(0)

/** Entries in key order. */
export class Leaf {
  readonly kind = 'leaf'
  readonly edit: EditToken | undefined
  readonly entries: PackedEntries
  /** By position in `entries`; undefined when all values are small. */
  #large: (LargeValue | undefined)[] | undefined

  constructor(
    edit: EditToken | undefined,
    entries: PackedEntries,
    large: (LargeValue | undefined)[] | undefined,
  ) {
    this.edit = edit
    this.entries = entries
    this.#large = large
  }

  get size(): number {
    return this.entries.count
  }

  /** An upper bound of its encoded size. */
  get bytes(): number {
    const places = this.#large === undefined ? 0 : this.#large.length * LARGE_PLACE_BYTES_MAX
    return this.entries.bytes + places
  }

  get memoryBytes(): number {
    return this.entries.memoryBytes + NODE_MEMORY_BYTES
  }

  /** Undefined when all values are small. */
  get large(): readonly (LargeValue | undefined)[] | undefined {
    return this.#large
  }

  valueAt(position: number): LeafValue {
    return this.#large?.[position] ?? this.entries.valueAt(position)
  }

  insert(position: number, key: Uint8Array, value: LeafValue): void {
    const isLarge = value instanceof LargeValue
    if (isLarge) this.entries.insert(position, key, LARGE_TAG, NO_BYTES)
    else this.entries.insert(position, key, value.length * 2, value)
    if (isLarge) this.#large ??= new Array(this.size - 1).fill(undefined)
    this.#large?.splice(position, 0, isLarge ? value : undefined)
  }

  replaceValue(position: number, value: LeafValue): void {
    const isLarge = value instanceof LargeValue
    if (isLarge) this.entries.replaceValue(position, LARGE_TAG, NO_BYTES)
    else this.entries.replaceValue(position, value.length * 2, value)
    if (isLarge) this.#large ??= new Array(this.size).fill(undefined)
    if (this.#large !== undefined) this.#large[position] = isLarge ? value : undefined
  }

  remove(position: number): void {
    this.entries.remove(position)
    this.#large?.splice(position, 1)
  }

  /** Removes the entries from `position` on; the answer holds them. */
  cutAt(position: number): Leaf {
    return new Leaf(this.edit, this.entries.cutAt(position), this.#large?.splice(position))
  }

  /** Takes the entries of `next` behind its own. */
  append(next: Leaf): void {
    const { size } = this
    this.entries.append(next.entries)
    if (this.#large === undefined && next.#large === undefined) return
    this.#large ??= new Array(size).fill(undefined)
    this.#large.push(...(next.#large ?? new Array(next.size).fill(undefined)))
  }

  /** Gives back memory that only further changes would use. */
  trim(): void {
    this.entries.trim()
  }

  /** For the holder of `edit` to change. */
  copy(edit: EditToken): Leaf {
    return new Leaf(edit, this.entries.copy(), this.#large?.slice())
  }
}

/**
 * Children in key order. Separator `i` stands between `children[i]`, everything under which is below it,
 * and `children[i + 1]`, everything under which is at or above it. There is one separator less than
 * children.
 */
export class Branch {
  readonly kind = 'branch'
  readonly edit: EditToken | undefined
  /** Their keys; the values are empty. */
  readonly separators: PackedEntries
  readonly children: NodeRef[]

  constructor(edit: EditToken | undefined, separators: PackedEntries, children: NodeRef[]) {
    this.edit = edit
    this.separators = separators
    this.children = children
  }

  get size(): number {
    return this.children.length
  }

  /** An upper bound of its encoded size. */
  get bytes(): number {
    return this.separators.bytes + this.size * CHILD_PLACE_BYTES_MAX
  }

  get memoryBytes(): number {
    return this.separators.memoryBytes + this.size * CHILD_MEMORY_BYTES + NODE_MEMORY_BYTES
  }

  /** Puts `child` behind the one at `position`, with `separator` between them. */
  insertAfter(position: number, separator: Uint8Array, child: NodeRef): void {
    this.separators.insert(position, separator, 0, NO_BYTES)
    this.children.splice(position + 1, 0, child)
  }

  /** Removes a child and the separator that it no longer needs. */
  remove(position: number): void {
    this.children.splice(position, 1)
    if (this.separators.count > 0) this.separators.remove(position > 0 ? position - 1 : 0)
  }

  /** Removes the children behind `position`, and the separator before them, which is answered too. */
  cutAfter(position: number): { readonly upper: Branch; readonly separator: Uint8Array } {
    const separators = this.separators.cutAt(position + 1)
    const separator = this.separators.keyAt(position)
    this.separators.remove(position)
    const upper = new Branch(this.edit, separators, this.children.splice(position + 1))
    return { upper, separator }
  }

  /** Takes the children of `next` behind its own; `separator` stood between them. */
  append(next: Branch, separator: Uint8Array): void {
    this.separators.insert(this.separators.count, separator, 0, NO_BYTES)
    this.separators.append(next.separators)
    this.children.push(...next.children)
  }

  /** Gives back memory that only further changes would use. */
  trim(): void {
    this.separators.trim()
  }

  /** For the holder of `edit` to change. */
  copy(edit: EditToken): Branch {
    return new Branch(edit, this.separators.copy(), this.children.slice())
  }
}

export type TreeNode = Leaf | Branch

/** `cachePlace` of a node that the cache does not count. */
export const NOT_CACHED = -1
/** `cachePlace` of a node that a later commit has replaced: only old snapshots lead to it. */
export const REPLACED = -2

/** `node` or `extent` is there, or both. */
export class NodeRef implements Stored {
  node: TreeNode | undefined
  extent: Extent | undefined
  /** Since the cache looked last. */
  wasUsed = false
  /** Where the cache has it; see `NodeCache`. */
  cachePlace: number = NOT_CACHED
  /** When it was last asked for without being in memory, as `NodeCache` counts; 0: never. */
  missedAt = 0

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

/** `list[index]` where the index is known to be in range. */
export function at<T>(list: readonly T[], index: number): T {
  // In range by the caller's invariant; a check here would cost in the hottest loops.
  return list[index] as T
}

/** A root of two children. */
export function branchOver(
  edit: EditToken,
  left: NodeRef,
  separator: Uint8Array,
  right: NodeRef,
): Branch {
  const branch = new Branch(edit, PackedEntries.withRoomFor(256), [left])
  branch.insertAfter(0, separator, right)
  return branch
}

/** A leaf of one entry. */
export function leafOf(edit: EditToken, key: Uint8Array, value: LeafValue): Leaf {
  const leaf = new Leaf(edit, PackedEntries.withRoomFor(256), undefined)
  leaf.insert(0, key, value)
  return leaf
}
