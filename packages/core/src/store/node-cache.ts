/**
 * Bounds the memory of nodes that lie in the file too: beyond a budget of bytes they are dropped and read
 * again when they are needed. Nodes that a checkpoint has still to write are not its business.
 *
 * The clock algorithm: the hand goes round, and drops what was not used since it last came by. A branch
 * goes only after its children: their places are part of it.
 */
import { at, type NodeRef, type TreeNode } from './node.ts'

export class NodeCache {
  readonly #bytesMax: number
  readonly #refs: NodeRef[] = []
  readonly #sizes: number[] = []
  #hand = 0
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  /** `ref`, whose node is in memory and in the file; once for each time that holds. */
  add(ref: NodeRef, node: TreeNode): void {
    ref.wasUsed = true
    this.#refs.push(ref)
    this.#sizes.push(node.memoryBytes)
    this.#bytes += node.memoryBytes
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
      ref.node = undefined
      this.#bytes -= at(this.#sizes, this.#hand)
      this.#forget(this.#hand)
    }
  }

  /** The last one takes the place. */
  #forget(position: number): void {
    const ref = this.#refs.pop()
    const size = this.#sizes.pop()
    if (ref === undefined || size === undefined || position === this.#refs.length) return
    this.#refs[position] = ref
    this.#sizes[position] = size
  }
}

function isNeeded({ node }: NodeRef): boolean {
  return node?.kind === 'branch' && node.children.some((child) => child.node !== undefined)
}
