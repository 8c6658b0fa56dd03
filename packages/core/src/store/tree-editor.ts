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
import { separatorBetween } from './bytes.ts'
import {
  at,
  type Branch,
  branchOver,
  type EditToken,
  LargeValue,
  type Leaf,
  type LeafValue,
  leafOf,
  NodeRef,
  type Stored,
  type TableRoot,
  type TreeNode,
} from './node.ts'
import type { NodeSource } from './node-source.ts'
import type { PackedEntries } from './packed-entries.ts'
import { readValue } from './tree.ts'

/** Most leaves that are read to be changed get an entry more, and then need no other buffer. */
const ROOM_BYTES = 512

export interface NodeSizes {
  /** A node above this size is split. */
  readonly nodeBytes: number
  /** A value above this size gets an extent of its own. */
  readonly largeValueBytes: number
}

/** What the editors of one transaction share. */
export interface EditContext extends NodeSizes {
  readonly source: NodeSource
  /** Renewed when a reader pins the present state. */
  token: EditToken
  /** What was replaced or removed and may lie in the file. */
  readonly replaced: Stored[]
  /** Nodes made, less those replaced that no checkpoint has written. */
  nodesAdded: number
}

/** A separator on the way to a leaf. */
interface Bound {
  separators: PackedEntries | undefined
  position: number
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
  /** Keys under the leaf at the end of the path are at or above the one, where there is one, and below the other. */
  readonly #low: Bound = { separators: undefined, position: 0 }
  readonly #high: Bound = { separators: undefined, position: 0 }
  /** The token with which that leaf was made editable, as long as path and bounds still hold. */
  #reached: EditToken | undefined
  /** Where in it the last change was. */
  #lastPosition = 0
  /** The key that the last read was of, and where it is, as `search` answers it, at the end of the path. */
  #readKey: Uint8Array | undefined
  #readPosition = 0

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

  get(key: Uint8Array): MaybePromise<Uint8Array | undefined> {
    const { source } = this.#context
    const found = this.#findHere(key)
    if (found !== undefined) {
      return found < 0 ? undefined : readValue(this.#leaf(), found, source)
    }
    source.makeRoom()
    return this.#getBelow(key)
  }

  put(key: Uint8Array, value: Uint8Array): MaybePromise<void> {
    if (this.#root === undefined) {
      this.#plant(key, this.#storedForm(value))
      return
    }
    const found = this.#findHere(key)
    if (found !== undefined) {
      this.#putAt(found, key, value)
      return
    }
    const readKey = this.#readKey
    if (readKey !== undefined && readKey === key && this.#isPathAtHand()) {
      this.#putAtPath(this.#readPosition, key, value)
      return
    }
    this.#context.source.makeRoom()
    return this.#putBelow(key, value)
  }

  delete(key: Uint8Array): MaybePromise<boolean> {
    this.#context.source.makeRoom()
    return this.#deleteBelow(key)
  }

  /** Forgets every entry. The caller sees to it that the space of the old tree is found again. */
  clear(): void {
    this.#forgetPath()
    this.#root = undefined
    this.#count = 0
  }

  #plant(key: Uint8Array, value: LeafValue): void {
    this.#root = this.#place(leafOf(this.#context.token, key, value))
    this.#count = 1
  }

  #storedForm(value: Uint8Array): LeafValue {
    const isLarge = value.length > this.#context.largeValueBytes
    return isLarge ? new LargeValue(value.length, value, undefined) : value
  }

  /** Keeps the path: what was read is often written next. */
  #getBelow(key: Uint8Array): MaybePromise<Uint8Array | undefined> {
    if (this.#root === undefined) return undefined
    const waiting = this.#descend(key, false)
    if (waiting !== undefined) return waiting.then(() => this.#getBelow(key))
    const leaf = this.#leaf()
    const found = leaf.entries.search(key)
    this.#readKey = key
    this.#readPosition = found
    return found < 0 ? undefined : readValue(leaf, found, this.#context.source)
  }

  #putBelow(key: Uint8Array, value: Uint8Array): MaybePromise<void> {
    const waiting = this.#descend(key, false)
    if (waiting !== undefined) return waiting.then(() => this.#putBelow(key, value))
    this.#putAtPath(this.#leaf().entries.search(key), key, value)
  }

  /** Into the leaf at the end of the path; `found` as `search` answers it. */
  #putAtPath(found: number, key: Uint8Array, value: Uint8Array): void {
    this.#makeEditable()
    this.#reached = this.#context.token
    // Where it is may change from here on.
    this.#readKey = undefined
    this.#putAt(found, key, value)
  }

  /** Into the leaf at the end of the path, which is editable; `found` as `search` answers it. */
  #putAt(found: number, key: Uint8Array, value: Uint8Array): void {
    const leaf = this.#leaf()
    const position = found < 0 ? ~found : found
    if (found < 0) {
      leaf.insert(position, key, this.#storedForm(value))
      this.#count++
    } else {
      this.#noteReplacedValue(leaf, position)
      leaf.replaceValue(position, this.#storedForm(value))
    }
    this.#lastPosition = position
    if (leaf.bytes > this.#nodeBytes) this.#splitFrom(this.#depth, position)
  }

  #deleteBelow(key: Uint8Array): MaybePromise<boolean> {
    if (this.#root === undefined) return false
    const waiting = this.#descend(key, true)
    if (waiting !== undefined) return waiting.then(() => this.#deleteBelow(key))
    const position = this.#leaf().entries.search(key)
    if (position < 0) return false
    this.#makeEditable()
    const leaf = this.#leaf()
    this.#noteReplacedValue(leaf, position)
    leaf.remove(position)
    this.#count--
    this.#shrinkFrom(this.#depth)
    return true
  }

  /**
   * As `search` answers it, in the leaf that the last change has left at hand; undefined where that may not
   * be the leaf of `key`. Keys in order are found next to the last one.
   */
  #findHere(key: Uint8Array): number | undefined {
    if (this.#reached !== this.#context.token) return undefined
    const { entries } = this.#leaf()
    const next = this.#lastPosition + 1
    const isBehindLast = next <= entries.count && entries.compareAt(next - 1, key) < 0
    if (isBehindLast && next < entries.count && entries.compareAt(next, key) > 0) return ~next
    if (!isBelow(key, this.#high)) return undefined
    if (isBehindLast && next === entries.count) return ~next
    const hasLow = this.#low.separators !== undefined
    return hasLow && isBelow(key, this.#low) ? undefined : entries.search(key)
  }

  /**
   * Walks from the root to the leaf of `key`. Answers a promise, and has to be called again, when a
   * node must be waited for. `forDelete`: also has a neighbour of every node at hand that may become small.
   */
  #descend(key: Uint8Array, forDelete: boolean): Promise<unknown> | undefined {
    assertInvariant(this.#root !== undefined, 'descent into an empty tree')
    const { source } = this.#context
    this.#forgetPath()
    this.#low.separators = undefined
    this.#high.separators = undefined
    let ref: NodeRef = this.#root
    for (let depth = 0; ; depth++) {
      const node: MaybePromise<TreeNode> = ref.node ?? source.load(ref, ROOM_BYTES)
      if (node instanceof Promise) return node
      ref.wasUsed = true
      this.#path[depth] = ref
      if (forDelete && depth > 0 && this.#maySoonBeSmall(node)) {
        const waiting = this.#loadNeighbour(depth)
        if (waiting !== undefined) return waiting
      }
      if (node.kind === 'leaf') {
        this.#depth = depth
        return undefined
      }
      const { separators, children } = node
      const index = separators.upperBound(key)
      if (index > 0) setBound(this.#low, separators, index - 1)
      if (index < separators.count) setBound(this.#high, separators, index)
      this.#taken[depth] = index
      ref = at(children, index)
    }
  }

  #forgetPath(): void {
    this.#reached = undefined
    this.#readKey = undefined
  }

  /** Nodes that were only read may have been dropped since. */
  #isPathAtHand(): boolean {
    for (let depth = 0; depth <= this.#depth; depth++) {
      if (at(this.#path, depth).node === undefined) return false
    }
    return true
  }

  #maySoonBeSmall(node: TreeNode): boolean {
    return node.bytes < this.#nodeBytes / 2
  }

  #loadNeighbour(depth: number): Promise<unknown> | undefined {
    const parent = this.#branch(depth - 1)
    const index = at(this.#taken, depth - 1)
    const neighbour = parent.children[index > 0 ? index - 1 : index + 1]
    if (neighbour === undefined || neighbour.node !== undefined) return undefined
    const loaded = this.#context.source.load(neighbour)
    return loaded instanceof Promise ? loaded : undefined
  }

  /** Makes every node of the path editable. */
  #makeEditable(): void {
    if (this.#leaf().edit === this.#context.token) return
    for (let depth = 0; depth <= this.#depth; depth++) {
      const ref = at(this.#path, depth)
      const editable = this.#editable(ref)
      if (editable === ref) continue
      this.#path[depth] = editable
      if (depth === 0) this.#root = editable
      else this.#branch(depth - 1).children[at(this.#taken, depth - 1)] = editable
    }
  }

  /** `ref` itself when its node may be changed in place, else a place for a copy. */
  #editable(ref: NodeRef): NodeRef {
    const node = ref.node
    assertInvariant(node !== undefined, 'a node on the path is in memory')
    const token = this.#context.token
    if (node.edit === token) return ref
    this.#noteReplaced(ref, node)
    return this.#place(node.copy(token))
  }

  /** A node that this very transaction made cannot lie in the file. */
  #noteReplaced(ref: NodeRef, node: TreeNode): void {
    const { token, replaced } = this.#context
    if (ref.extent === undefined) this.#context.nodesAdded--
    if (node.edit?.isOfTransaction(token) !== true) replaced.push(ref)
  }

  #noteReplacedValue(leaf: Leaf, position: number): void {
    const old = leaf.large?.[position]
    if (old !== undefined) this.#context.replaced.push(old)
  }

  /** Splits the node at `depth`, and its parents as far as they become too big. */
  #splitFrom(depth: number, editedPosition: number): void {
    let edited = editedPosition
    for (let level = depth; level >= 0; level--) {
      const node = this.#node(level)
      if (node.bytes <= this.#nodeBytes) return
      const split = node.kind === 'leaf' ? splitLeaf(node, edited) : splitBranch(node, edited)
      if (split === undefined) return
      this.#forgetPath()
      const right = this.#place(split.right)
      if (level === 0) {
        const left = at(this.#path, 0)
        this.#root = this.#place(branchOver(this.#context.token, left, split.separator, right))
        return
      }
      edited = at(this.#taken, level - 1)
      this.#branch(level - 1).insertAfter(edited, split.separator, right)
    }
  }

  /** Drops or merges the node at `depth` if it became small, and its parents likewise. */
  #shrinkFrom(depth: number): void {
    for (let level = depth; level > 0; level--) {
      const node = this.#node(level)
      if (node.bytes >= this.#nodeBytes / 4 && node.size > 0) return
      const parent = this.#branch(level - 1)
      const index = at(this.#taken, level - 1)
      if (node.size === 0) {
        parent.remove(index)
        this.#noteReplaced(at(this.#path, level), node)
      } else if (!this.#mergeWithNeighbour(parent, index)) return
    }
    this.#shrinkRoot()
  }

  #shrinkRoot(): void {
    for (;;) {
      const root = this.#root
      const node = root?.node
      if (root === undefined || node === undefined) return
      if (node.size === 0) this.#root = undefined
      else if (node.kind === 'branch' && node.size === 1) this.#root = node.children[0]
      else return
      this.#noteReplaced(root, node)
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
    this.#noteReplaced(rightRef, rightRef.node)
    joinNodes(merged.node, rightRef.node, parent.separators.keyAt(leftIndex))
    parent.children[leftIndex] = merged
    parent.remove(leftIndex + 1)
    return true
  }

  #place(node: TreeNode): NodeRef {
    this.#context.nodesAdded++
    return new NodeRef(node, undefined)
  }

  #leaf(): Leaf {
    const node = this.#node(this.#depth)
    assertInvariant(node.kind === 'leaf', 'the path ends in a leaf')
    return node
  }

  #branch(depth: number): Branch {
    const node = this.#node(depth)
    assertInvariant(node.kind === 'branch', 'the path leads through branches')
    return node
  }

  #node(depth: number): TreeNode {
    const { node } = at(this.#path, depth)
    assertInvariant(node !== undefined, 'the path is in memory')
    return node
  }
}

/** Everything is below no bound. */
function isBelow(key: Uint8Array, { separators, position }: Bound): boolean {
  return separators === undefined || separators.compareAt(position, key) > 0
}

function setBound(bound: Bound, separators: PackedEntries, position: number): void {
  bound.separators = separators
  bound.position = position
}

/** Adds what `right` holds at the end of `left`, which is editable; `separator` stood between them. */
function joinNodes(left: TreeNode | undefined, right: TreeNode, separator: Uint8Array): void {
  if (left?.kind === 'leaf' && right.kind === 'leaf') {
    left.append(right)
    return
  }
  assertInvariant(left?.kind === 'branch' && right.kind === 'branch', 'neighbours are of one kind')
  left.append(right, separator)
}

interface Split {
  /** Takes the upper part; the split node keeps the lower part. */
  readonly right: TreeNode
  readonly separator: Uint8Array
}

function splitLeaf(leaf: Leaf, edited: number): Split | undefined {
  if (leaf.size < 2) return undefined
  const { entries, size, bytes } = leaf
  const cut = splitPoint(size, edited, bytes, (i) => entries.entryBytesAt(i))
  const separator = separatorBetween(entries.keyAt(cut - 1), entries.keyAt(cut))
  return { right: leaf.cutAt(cut), separator }
}

function splitBranch(branch: Branch, edited: number): Split | undefined {
  if (branch.size < 4) return undefined
  const { separators } = branch
  const { count, bytes } = separators
  const point = splitPoint(count, edited, bytes, (i) => separators.entryBytesAt(i))
  const { upper, separator } = branch.cutAfter(Math.min(Math.max(point, 1), count - 2))
  return { right: upper, separator }
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
