/**
 * Changes to one tree by one transaction. Nodes of earlier transactions are copied on the way to the
 * change (and noted as replaced); nodes of this transaction are changed in place.
 *
 * Invariants: an editable node is reached through editable nodes only. No node but the root is empty;
 * an empty tree has no root. Whatever must be read from the file is read before the first change, so
 * an operation that fails or waits for a read has changed nothing.
 */
import { assertInvariant } from '../errors/assert.ts'
import type { MaybePromise } from '../files/file-system.ts'
import {
  at,
  Branch,
  branchBytes,
  branchEntryBytes,
  type EditToken,
  LargeValue,
  Leaf,
  type LeafValue,
  leafBytes,
  leafEntryBytes,
  NodeRef,
  type Stored,
  type TableRoot,
  type TreeNode,
} from './node.ts'
import { headOf, isAt, lowerBound, separatorBetween, upperBound } from './node-search.ts'
import type { NodeSource } from './node-source.ts'

/** What the editors of one transaction share. */
export interface EditContext {
  readonly source: NodeSource
  /** A node above this size is split. */
  readonly nodeBytes: number
  /** Renewed when a reader pins the present state. */
  token: EditToken
  /** What was replaced or removed and may lie in the file. */
  readonly replaced: Stored[]
}

export class TreeEditor {
  readonly #context: EditContext
  readonly #nodeBytes: number
  #root: NodeRef | undefined
  #count: number
  /** From the root to the leaf of the last descent, and the child taken at each branch. */
  readonly #path: NodeRef[] = []
  readonly #taken: number[] = []
  #depth = 0

  constructor(table: TableRoot | undefined, context: EditContext) {
    this.#context = context
    this.#nodeBytes = context.nodeBytes
    this.#root = table?.root
    this.#count = table?.count ?? 0
  }

  get root(): NodeRef | undefined {
    return this.#root
  }

  get count(): number {
    return this.#count
  }

  put(key: Uint8Array, value: Uint8Array): MaybePromise<void> {
    const stored =
      value.length > this.#nodeBytes / 4 ? new LargeValue(value.length, value, undefined) : value
    if (this.#root === undefined) {
      this.#plant(key, stored)
      return
    }
    const waiting = this.#descend(key, false)
    if (waiting !== undefined) return waiting.then(() => this.put(key, value))
    const leaf = this.#editableLeaf()
    const index = lowerBound(leaf, key)
    if (isAt(leaf, index, key)) {
      this.#replaceValue(leaf, index, stored)
    } else {
      insertEntry(leaf, index, key, stored)
      this.#count++
    }
    if (leaf.bytes > this.#nodeBytes) this.#splitFrom(this.#depth, index)
  }

  delete(key: Uint8Array): MaybePromise<boolean> {
    if (this.#root === undefined) return false
    const waiting = this.#descend(key, true)
    if (waiting !== undefined) return waiting.then(() => this.delete(key))
    const present = leafOf(this.#path, this.#depth)
    const index = lowerBound(present, key)
    if (!isAt(present, index, key)) return false
    const leaf = this.#editableLeaf()
    const value = at(leaf.values, index)
    if (value instanceof LargeValue) this.#context.replaced.push(value)
    leaf.bytes -= leafEntryBytes(key, value)
    leaf.keys.splice(index, 1)
    leaf.heads.splice(index, 1)
    leaf.values.splice(index, 1)
    this.#count--
    this.#shrinkFrom(this.#depth)
    return true
  }

  /** Forgets every entry. The caller sees to it that the space of the old tree is found again. */
  clear(): void {
    this.#root = undefined
    this.#count = 0
  }

  #plant(key: Uint8Array, value: LeafValue): void {
    const bytes = leafEntryBytes(key, value)
    const leaf = new Leaf(this.#context.token, [key], [headOf(key)], [value], bytes)
    this.#root = new NodeRef(leaf, undefined)
    this.#count = 1
  }

  /**
   * Walks from the root to the leaf of `key`. Answers a promise, and has to be called again, when a
   * node must be waited for. `forDelete`: also has a neighbour of every node at hand that may become small.
   */
  #descend(key: Uint8Array, forDelete: boolean): Promise<unknown> | undefined {
    assertInvariant(this.#root !== undefined, 'descent into an empty tree')
    let ref: NodeRef = this.#root
    for (let depth = 0; ; depth++) {
      const node: MaybePromise<TreeNode> = ref.node ?? this.#context.source.load(ref)
      if (node instanceof Promise) return node
      this.#path[depth] = ref
      if (forDelete && depth > 0 && this.#maySoonBeSmall(node)) {
        const waiting = this.#loadNeighbour(depth)
        if (waiting !== undefined) return waiting
      }
      if (node.kind === 'leaf') {
        this.#depth = depth
        return undefined
      }
      const index = upperBound(node, key)
      this.#taken[depth] = index
      ref = at(node.children, index)
    }
  }

  #maySoonBeSmall(node: TreeNode): boolean {
    return node.bytes < this.#nodeBytes / 2
  }

  #loadNeighbour(depth: number): Promise<unknown> | undefined {
    const parent = branchOf(this.#path, depth - 1)
    const index = at(this.#taken, depth - 1)
    const neighbour = parent.children[index > 0 ? index - 1 : index + 1]
    if (neighbour === undefined || neighbour.node !== undefined) return undefined
    const loaded = this.#context.source.load(neighbour)
    return loaded instanceof Promise ? loaded : undefined
  }

  /** The leaf of the path, with every node from the root to it made editable. */
  #editableLeaf(): Leaf {
    const leaf = leafOf(this.#path, this.#depth)
    if (leaf.edit === this.#context.token) return leaf
    for (let depth = 0; depth <= this.#depth; depth++) {
      const ref = at(this.#path, depth)
      const editable = this.#editable(ref)
      if (editable === ref) continue
      this.#path[depth] = editable
      if (depth === 0) this.#root = editable
      else branchOf(this.#path, depth - 1).children[at(this.#taken, depth - 1)] = editable
    }
    return leafOf(this.#path, this.#depth)
  }

  /** `ref` itself when its node may be changed in place, else a place for a copy. */
  #editable(ref: NodeRef): NodeRef {
    const node = ref.node
    assertInvariant(node !== undefined, 'a node on the path is in memory')
    const token = this.#context.token
    if (node.edit === token) return ref
    this.#noteReplaced(ref, node)
    return new NodeRef(copyOf(node, token), undefined)
  }

  /** A node that this very transaction made cannot lie in the file. */
  #noteReplaced(ref: NodeRef, node: TreeNode): void {
    const { token, replaced } = this.#context
    if (node.edit?.isOfTransaction(token) !== true) replaced.push(ref)
  }

  #replaceValue(leaf: Leaf, index: number, value: LeafValue): void {
    const key = at(leaf.keys, index)
    const old = at(leaf.values, index)
    if (old instanceof LargeValue) this.#context.replaced.push(old)
    leaf.bytes += leafEntryBytes(key, value) - leafEntryBytes(key, old)
    leaf.values[index] = value
  }

  /** Splits the node at `depth`, and its parents as far as they become too big. */
  #splitFrom(depth: number, editedIndex: number): void {
    let edited = editedIndex
    for (let level = depth; level >= 0; level--) {
      const node = at(this.#path, level).node
      assertInvariant(node !== undefined, 'an edited node is in memory')
      if (node.bytes <= this.#nodeBytes) return
      const split = node.kind === 'leaf' ? splitLeaf(node, edited) : splitBranch(node, edited)
      if (split === undefined) return
      if (level === 0) {
        this.#growRoot(split)
        return
      }
      const parent = branchOf(this.#path, level - 1)
      edited = at(this.#taken, level - 1)
      parent.keys.splice(edited, 0, split.separator)
      parent.heads.splice(edited, 0, headOf(split.separator))
      parent.children.splice(edited + 1, 0, split.right)
      parent.bytes += branchEntryBytes(split.separator)
    }
  }

  #growRoot(split: Split): void {
    assertInvariant(this.#root !== undefined, 'a tree that splits has a root')
    const keys = [split.separator]
    const children = [this.#root, split.right]
    const heads = keys.map(headOf)
    const branch = new Branch(this.#context.token, keys, heads, children, branchBytes(keys))
    this.#root = new NodeRef(branch, undefined)
  }

  /** Drops or merges the node at `depth` if it became small, and its parents likewise. */
  #shrinkFrom(depth: number): void {
    for (let level = depth; level > 0; level--) {
      const node = at(this.#path, level).node
      assertInvariant(node !== undefined, 'an edited node is in memory')
      if (node.bytes >= this.#nodeBytes / 4 && sizeOf(node) > 0) return
      const parent = branchOf(this.#path, level - 1)
      const index = at(this.#taken, level - 1)
      if (sizeOf(node) === 0) removeChild(parent, index)
      else if (!this.#mergeWithNeighbour(parent, index)) return
    }
    this.#shrinkRoot()
  }

  #shrinkRoot(): void {
    for (;;) {
      const node = this.#root?.node
      if (node === undefined) return
      if (sizeOf(node) === 0) this.#root = undefined
      else if (node.kind === 'branch' && node.children.length === 1) this.#root = node.children[0]
      else return
    }
  }

  /** Whether the child at `index` was joined with the one beside it. */
  #mergeWithNeighbour(parent: Branch, index: number): boolean {
    const leftIndex = index > 0 ? index - 1 : 0
    const leftRef = parent.children[leftIndex]
    const rightRef = parent.children[leftIndex + 1]
    if (leftRef?.node === undefined || rightRef?.node === undefined) return false
    if (leftRef.node.bytes + rightRef.node.bytes > (this.#nodeBytes * 3) / 4) return false
    const merged = this.#editable(leftRef)
    const right = rightRef.node
    this.#noteReplaced(rightRef, right)
    appendNode(merged, right, at(parent.keys, leftIndex))
    parent.children[leftIndex] = merged
    removeChild(parent, leftIndex + 1)
    return true
  }
}

function leafOf(path: readonly NodeRef[], depth: number): Leaf {
  const node = at(path, depth).node
  assertInvariant(node !== undefined && node.kind === 'leaf', 'the path ends in a leaf')
  return node
}

function branchOf(path: readonly NodeRef[], depth: number): Branch {
  const node = at(path, depth).node
  assertInvariant(node !== undefined && node.kind === 'branch', 'the path leads through branches')
  return node
}

function copyOf(node: TreeNode, token: EditToken): TreeNode {
  const keys = node.keys.slice()
  const heads = node.heads.slice()
  return node.kind === 'leaf'
    ? new Leaf(token, keys, heads, node.values.slice(), node.bytes)
    : new Branch(token, keys, heads, node.children.slice(), node.bytes)
}

function sizeOf(node: TreeNode): number {
  return node.kind === 'leaf' ? node.keys.length : node.children.length
}

function insertEntry(leaf: Leaf, index: number, key: Uint8Array, value: LeafValue): void {
  leaf.bytes += leafEntryBytes(key, value)
  if (index === leaf.keys.length) {
    leaf.keys.push(key)
    leaf.heads.push(headOf(key))
    leaf.values.push(value)
    return
  }
  leaf.keys.splice(index, 0, key)
  leaf.heads.splice(index, 0, headOf(key))
  leaf.values.splice(index, 0, value)
}

/** Removes a child and the separator that it no longer needs. */
function removeChild(parent: Branch, index: number): void {
  parent.children.splice(index, 1)
  const separatorIndex = index > 0 ? index - 1 : 0
  const separator = parent.keys.splice(separatorIndex, 1)[0]
  parent.heads.splice(separatorIndex, 1)
  if (separator !== undefined) parent.bytes -= branchEntryBytes(separator)
}

/** Adds what `right` holds at the end of `left`, which is editable; `separator` stood between them. */
function appendNode(left: NodeRef, right: TreeNode, separator: Uint8Array): void {
  const target = left.node
  if (target?.kind === 'leaf' && right.kind === 'leaf') {
    target.keys.push(...right.keys)
    target.heads.push(...right.heads)
    target.values.push(...right.values)
    target.bytes += right.bytes
    return
  }
  assertInvariant(
    target?.kind === 'branch' && right.kind === 'branch',
    'neighbours are of one kind',
  )
  target.keys.push(separator, ...right.keys)
  target.heads.push(headOf(separator), ...right.heads)
  target.children.push(...right.children)
  target.bytes = branchBytes(target.keys)
}

interface Split {
  /** Takes the upper part; the split node keeps the lower part. */
  readonly right: NodeRef
  readonly separator: Uint8Array
}

function splitLeaf(leaf: Leaf, edited: number): Split | undefined {
  if (leaf.keys.length < 2) return undefined
  const cut = splitPoint(leaf.keys.length, edited, leaf.bytes, (i) =>
    leafEntryBytes(at(leaf.keys, i), at(leaf.values, i)),
  )
  const keys = leaf.keys.splice(cut)
  const heads = leaf.heads.splice(cut)
  const values = leaf.values.splice(cut)
  const bytes = leafBytes(keys, values)
  leaf.bytes -= bytes
  const separator = separatorBetween(at(leaf.keys, cut - 1), at(keys, 0))
  const right = new Leaf(leaf.edit, keys, heads, values, bytes)
  return { right: new NodeRef(right, undefined), separator }
}

function splitBranch(branch: Branch, edited: number): Split | undefined {
  if (branch.children.length < 4) return undefined
  const size = branch.keys.length
  const point = splitPoint(size, edited, branch.bytes, (i) => branchEntryBytes(at(branch.keys, i)))
  const cut = Math.min(Math.max(point, 1), size - 2)
  const keys = branch.keys.splice(cut + 1)
  const heads = branch.heads.splice(cut + 1)
  const separator = at(branch.keys.splice(cut), 0)
  branch.heads.length = cut
  const children = branch.children.splice(cut + 1)
  branch.bytes = branchBytes(branch.keys)
  const right = new Branch(branch.edit, keys, heads, children, branchBytes(keys))
  return { right: new NodeRef(right, undefined), separator }
}

/**
 * Where to cut: in the middle by bytes, but near the edge that is being written to when entries
 * arrive in order, so that nodes filled in order stay full.
 */
function splitPoint(
  size: number,
  edited: number,
  bytes: number,
  bytesOf: (index: number) => number,
): number {
  if (edited >= size - 1) return size - 1
  let lower = 0
  let cut = 0
  while (cut < size - 1 && (cut === 0 || lower < bytes / 2)) lower += bytesOf(cut++)
  return cut
}
