/**
 * Bounds the memory of nodes that lie in the file too: beyond a budget of bytes they are dropped and read
 * again when they are needed. Nodes that a checkpoint has still to write cannot be dropped; what they take is
 * taken from the budget, down to a last part of it.
 *
 * The clock algorithm: the hand goes round, and drops what was not used since it last came by. A branch
 * goes only after its children: their places are part of it. A node that a commit has replaced goes at once,
 * whatever it is: at most a snapshot will ask for it again.
 *
 * Once the cache is nearly full, a leaf that is read for one key or by a scan is kept only if it was asked for before, as
 * lately as those that are kept. Where the entries asked for lie all over a tree many times as large as the
 * budget, that saves making nodes of leaves which would be gone before they are used again.
 */
import { at, NOT_CACHED, type NodeRef, REPLACED, type TreeNode } from './node.ts'

/** This part of the budget is left to nodes in the file, however many are not. */
const LAST_PART = 1 / 4
/** Up to here everything is kept. */
const FREE_PART = 7 / 8

export class NodeCache {
  readonly #budgetBytes: number
  #bytesMax: number
  readonly #refs: NodeRef[] = []
  readonly #sizes: number[] = []
  #hand = 0
  #bytes = 0
  #misses = 0

  constructor(bytesMax: number) {
    this.#budgetBytes = bytesMax
    this.#bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  /** So much is taken by nodes that are in memory alone. */
  noteUnwritten(bytes: number): void {
    this.#bytesMax = Math.max(this.#budgetBytes - bytes, this.#budgetBytes * LAST_PART)
  }

  /** `ref` was asked for and is not in memory: is it worth keeping there? */
  admits(ref: NodeRef): boolean {
    const { missedAt } = ref
    ref.missedAt = ++this.#misses
    if (this.#bytes < this.#bytesMax * FREE_PART) return true
    return missedAt > 0 && this.#misses - missedAt <= this.#refs.length
  }

  /** `ref`, whose node was read just now. */
  add(ref: NodeRef, node: TreeNode): void {
    ref.wasUsed = true
    this.addWritten(ref, node)
  }

  /** `ref`, whose node was in memory alone and is in the file now. */
  addWritten(ref: NodeRef, node: TreeNode): void {
    ref.cachePlace = this.#refs.length
    this.#refs.push(ref)
    this.#sizes.push(node.memoryBytes)
    this.#bytes += node.memoryBytes
  }

  /** A commit that others see by now has another node in the place of `ref`. */
  noteReplaced(ref: NodeRef): void {
    if (ref.cachePlace >= 0) this.#drop(ref)
    ref.cachePlace = REPLACED
  }

  /**
   * Drops nodes as long as there are too many, for one lap at most: so what was brought in since the last
   * call is still there after this one, and whoever waits for several nodes gets them all.
   */
  makeRoom(): void {
    if (this.#bytes <= this.#bytesMax) return
    let steps = this.#refs.length
    while (this.#bytes > this.#bytesMax && steps-- > 0) this.#consider()
  }

  #consider(): void {
    if (this.#hand >= this.#refs.length) this.#hand = 0
    const ref = at(this.#refs, this.#hand)
    if (ref.wasUsed) {
      ref.wasUsed = false
      this.#hand++
    } else if (isNeeded(ref)) {
      this.#hand++
    } else {
      this.#drop(ref)
    }
  }

  /** The last one takes its place. */
  #drop(ref: NodeRef): void {
    const place = ref.cachePlace
    ref.node = undefined
    ref.cachePlace = NOT_CACHED
    this.#bytes -= at(this.#sizes, place)
    const last = this.#refs.pop()
    const size = this.#sizes.pop()
    if (last === undefined || size === undefined || last === ref) return
    last.cachePlace = place
    this.#refs[place] = last
    this.#sizes[place] = size
  }
}

function isNeeded({ node }: NodeRef): boolean {
  return node?.kind === 'branch' && node.children.some((child) => child.node !== undefined)
}
