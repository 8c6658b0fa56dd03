/**
 * A scan over an immutable tree, in either direction. It holds the path to its position; what other
 * transactions do does not touch it, for they copy what they change.
 */
import type { MaybePromise } from '../files/file-system.ts'
import type { Batch, KeyRange, TreeCursor } from './key-value-store.ts'
import { at, type Branch, LargeValue, type Leaf, type LeafValue, type NodeRef } from './node.ts'
import type { NodeSource } from './node-source.ts'

interface Step {
  readonly branch: Branch
  index: number
}

const END: Batch = { keys: [], values: [] }

export class RangeCursor implements TreeCursor {
  readonly #root: NodeRef | undefined
  readonly #range: KeyRange
  readonly #reverse: boolean
  readonly #source: NodeSource
  readonly #assertReadable: () => void
  readonly #steps: Step[] = []
  #leaf: Leaf | undefined
  /** The entries of `#leaf` still to come are `[#from, #to)`. */
  #from = 0
  #to = 0
  /** Whether the range ends in this leaf. */
  #isLast = false
  #state: 'unstarted' | 'within' | 'ended'

  /** `assertReadable` throws once the tree may be gone: the reader that pinned it has ended. */
  constructor(
    root: NodeRef | undefined,
    range: KeyRange,
    source: NodeSource,
    assertReadable: () => void,
  ) {
    assertRange(range)
    this.#assertReadable = assertReadable
    this.#root = root
    this.#range = range
    this.#reverse = range.reverse === true
    this.#source = source
    this.#state = root === undefined ? 'ended' : 'unstarted'
  }

  /** Nothing is left to read: what happens to the tree no longer matters. */
  get isExhausted(): boolean {
    return this.#state === 'ended'
  }

  next(entriesMax: number): MaybePromise<Batch> {
    if (!(entriesMax >= 1)) throw new TypeError('entriesMax must be at least 1')
    this.#source.makeRoom()
    return this.#next(entriesMax)
  }

  #next(entriesMax: number): MaybePromise<Batch> {
    this.#assertReadable()
    const keys: Uint8Array[] = []
    const values: LeafValue[] = []
    while (keys.length < entriesMax) {
      const waiting = this.#reachEntries()
      if (waiting !== undefined) {
        // What is at hand is an answer; the node is waited for at the next call.
        if (keys.length > 0) break
        return waiting.then(() => this.#next(entriesMax))
      }
      if (this.#state === 'ended') break
      this.#take(entriesMax - keys.length, keys, values)
    }
    if (keys.length === 0) return END
    return this.#resolved(keys, values)
  }

  /** Sees to it that the leaf has entries to come, or that the scan is over. */
  #reachEntries(): Promise<unknown> | undefined {
    while (this.#state !== 'ended' && this.#from >= this.#to) {
      const waiting = this.#state === 'unstarted' ? this.#start() : this.#advance()
      if (waiting !== undefined) return waiting
    }
    return undefined
  }

  #take(entriesMax: number, keys: Uint8Array[], values: LeafValue[]): void {
    const leaf = this.#leaf
    if (leaf === undefined) return
    const size = Math.min(entriesMax, this.#to - this.#from)
    if (this.#reverse) {
      for (let i = 0; i < size; i++) {
        const index = --this.#to
        keys.push(leaf.entries.keyAt(index))
        values.push(leaf.valueAt(index))
      }
      return
    }
    for (const end = this.#from + size; this.#from < end; this.#from++) {
      keys.push(leaf.entries.keyAt(this.#from))
      values.push(leaf.valueAt(this.#from))
    }
  }

  #start(): Promise<unknown> | undefined {
    const root = this.#root
    if (root === undefined) return undefined
    const { gt, gte, lt, lte } = this.#range
    const origin = this.#reverse ? (lt ?? lte) : (gt ?? gte)
    return this.#descend(root, (branch) => {
      if (origin === undefined) return this.#reverse ? branch.children.length - 1 : 0
      return branch.separators.upperBound(origin)
    })
  }

  /** Goes to the next leaf in scan order. */
  #advance(): Promise<unknown> | undefined {
    const step = this.#reverse ? -1 : 1
    if (this.#isLast) this.#steps.length = 0
    for (let depth = this.#steps.length - 1; depth >= 0; depth--) {
      const { branch, index } = at(this.#steps, depth)
      const child = branch.children[index + step]
      if (child === undefined) continue
      const kept = depth + 1
      const edge = (below: Branch): number => (this.#reverse ? below.children.length - 1 : 0)
      return this.#descend(child, edge, kept, index + step)
    }
    this.#state = 'ended'
    return undefined
  }

  /**
   * Descends from `ref`, which lies below the first `kept` steps, and enters a leaf. Changes nothing
   * when a node must be waited for.
   */
  #descend(
    ref: NodeRef,
    choose: (branch: Branch) => number,
    kept = 0,
    lastIndex = 0,
  ): Promise<unknown> | undefined {
    const below: Step[] = []
    let place = ref
    for (;;) {
      const node = place.node ?? this.#source.load(place)
      if (node instanceof Promise) return node
      place.wasUsed = true
      if (node.kind === 'leaf') {
        this.#steps.length = kept
        if (kept > 0) at(this.#steps, kept - 1).index = lastIndex
        this.#steps.push(...below)
        this.#enter(node)
        return undefined
      }
      const index = choose(node)
      below.push({ branch: node, index })
      place = at(node.children, index)
    }
  }

  #enter(leaf: Leaf): void {
    const { gt, gte, lt, lte } = this.#range
    const { entries, size } = leaf
    let from = 0
    let to = size
    if (gt !== undefined) from = entries.upperBound(gt)
    else if (gte !== undefined) from = entries.lowerBound(gte)
    if (lt !== undefined) to = entries.lowerBound(lt)
    else if (lte !== undefined) to = entries.upperBound(lte)
    this.#leaf = leaf
    this.#from = from
    this.#to = to
    this.#state = 'within'
    this.#isLast = this.#reverse ? from > 0 : to < size
  }

  #resolved(keys: Uint8Array[], values: readonly LeafValue[]): MaybePromise<Batch> {
    let waits = false
    const loaded = values.map((value) => {
      if (!(value instanceof LargeValue)) return value
      const bytes = this.#source.loadValue(value)
      waits ||= bytes instanceof Promise
      return bytes
    })
    if (waits) return Promise.all(loaded).then((all) => ({ keys, values: all }))
    // No element is a promise: `waits` would be set.
    return { keys, values: loaded as Uint8Array[] }
  }
}

function assertRange(range: KeyRange): void {
  const { gt, gte, lt, lte } = range
  if (gt !== undefined && gte !== undefined) throw new TypeError('a range has gt or gte, not both')
  if (lt !== undefined && lte !== undefined) throw new TypeError('a range has lt or lte, not both')
}
