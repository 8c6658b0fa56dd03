/**
 * A scan over an immutable tree, in either direction. It holds the path to its position; what other
 * transactions do does not touch it, for they copy what they change.
 */
import type { MaybePromise } from '../files/file-system.ts'
import type { Batch, KeyRange, TreeCursor } from './key-value-store.ts'
import {
  at,
  type Branch,
  LargeValue,
  type Leaf,
  type LeafValue,
  type NodeRef,
  type TreeNode,
} from './node.ts'
import type { NodeSource } from './node-source.ts'
import { ReadAhead, type Upcoming } from './read-ahead.ts'

interface Step {
  readonly branch: Branch
  readonly index: number
}

/** A node that is waited for, or has come and was not used yet. */
interface Fetched {
  readonly ref: NodeRef
  node: MaybePromise<TreeNode>
}

/** A batch ends with the large value that makes them more than so many bytes: they lie elsewhere, and are read all at once. */
const LARGE_BYTES_MAX = 1024 * 1024

const END: Batch = { keys: [], values: [] }
const NOTHING_UPCOMING: Upcoming = { children: [], index: 0, step: 1, count: 0 }

export class RangeCursor implements TreeCursor {
  readonly #root: NodeRef | undefined
  readonly #range: KeyRange
  readonly #reverse: boolean
  readonly #source: NodeSource
  readonly #assertReadable: () => void
  readonly #steps: Step[] = []
  readonly #ahead = new ReadAhead()
  #fetched: Fetched | undefined
  #leaf: Leaf | undefined
  /** So many more entries are asked for at present. */
  #wanted = 0
  /** The entries of `#leaf` still to come are `[#from, #to)`. */
  #from = 0
  #to = 0
  /** Whether the range ends in this leaf. */
  #isLast = false
  /** Room for large values in the batch under way. */
  #largeBytesLeft = 0
  /** Of a batch whose large values could not be read: the next one begins with them. */
  #owedKeys: Uint8Array[] = []
  #owedValues: LeafValue[] = []
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
    const keys = this.#owedKeys.splice(0, entriesMax)
    const values = this.#owedValues.splice(0, entriesMax)
    this.#largeBytesLeft = LARGE_BYTES_MAX
    for (const value of values) this.#counted(value)
    while (keys.length < entriesMax && this.#largeBytesLeft >= 0) {
      this.#wanted = entriesMax - keys.length
      let waiting: Promise<unknown> | undefined
      try {
        waiting = this.#reachEntries()
      } catch (error) {
        // As below: the next call meets the error, if it is still there.
        if (keys.length > 0) break
        throw error
      }
      if (waiting !== undefined) {
        // What is at hand is an answer; the node is waited for at the next call.
        if (keys.length > 0) break
        return waiting.then(() => this.#next(entriesMax))
      }
      if (this.#state === 'ended') break
      this.#take(keys, values)
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

  #take(keys: Uint8Array[], values: LeafValue[]): void {
    const leaf = this.#leaf
    if (leaf === undefined) return
    const size = Math.min(this.#wanted, this.#to - this.#from)
    if (this.#reverse) {
      for (let i = 0; i < size && this.#largeBytesLeft >= 0; i++) {
        const index = --this.#to
        keys.push(leaf.entries.keyAt(index))
        values.push(this.#counted(leaf.valueAt(index)))
      }
      return
    }
    for (const end = this.#from + size; this.#from < end && this.#largeBytesLeft >= 0; ) {
      const index = this.#from++
      keys.push(leaf.entries.keyAt(index))
      values.push(this.#counted(leaf.valueAt(index)))
    }
  }

  #counted(value: LeafValue): LeafValue {
    if (value instanceof LargeValue) this.#largeBytesLeft -= value.length
    return value
  }

  #start(): Promise<unknown> | undefined {
    const root = this.#root
    if (root === undefined) return undefined
    const { gt, gte, lt, lte } = this.#range
    const origin = this.#reverse ? (lt ?? lte) : (gt ?? gte)
    const choose = (branch: Branch): number => {
      if (origin === undefined) return this.#reverse ? branch.children.length - 1 : 0
      return branch.separators.upperBound(origin)
    }
    return this.#descend(root, choose, 0, [])
  }

  /** Goes to the next leaf in scan order. */
  #advance(): Promise<unknown> | undefined {
    const step = this.#reverse ? -1 : 1
    if (this.#isLast) this.#steps.length = 0
    for (let depth = this.#steps.length - 1; depth >= 0; depth--) {
      const { branch, index } = at(this.#steps, depth)
      const child = branch.children[index + step]
      if (child === undefined) continue
      const edge = (below: Branch): number => (this.#reverse ? below.children.length - 1 : 0)
      return this.#descend(child, edge, depth, [{ branch, index: index + step }])
    }
    this.#state = 'ended'
    return undefined
  }

  /**
   * Descends from `ref`, to which the first `kept` steps and then `path` lead, and enters a leaf. Changes
   * nothing when a node must be waited for.
   */
  #descend(
    ref: NodeRef,
    choose: (branch: Branch) => number,
    kept: number,
    path: Step[],
  ): Promise<unknown> | undefined {
    let place = ref
    for (;;) {
      const node = place.node ?? this.#load(place, kept, path)
      if (node instanceof Promise) return node
      place.wasUsed = true
      if (node.kind === 'leaf') {
        this.#steps.length = kept
        this.#steps.push(...path)
        this.#enter(node)
        return undefined
      }
      const index = choose(node)
      path.push({ branch: node, index })
      place = at(node.children, index)
    }
  }

  /** The node of `ref`, to which the first `kept` steps and then `path` lead. */
  #load(ref: NodeRef, kept: number, path: readonly Step[]): MaybePromise<TreeNode> {
    if (this.#fetched?.ref === ref) return this.#fetched.node
    const upcoming = (): Upcoming => this.#upcoming(kept, path)
    const node = this.#source.loadForScan(ref, this.#ahead, upcoming)
    if (node instanceof Promise) this.#await(ref, node)
    return node
  }

  /** Whoever asks again is answered with what has come, and after a failure with another try. */
  #await(ref: NodeRef, node: Promise<TreeNode>): void {
    const fetched: Fetched = { ref, node }
    this.#fetched = fetched
    node.then(
      (later) => {
        fetched.node = later
      },
      () => {
        this.#fetched = undefined
      },
    )
  }

  /** The leaves that the present call will come to behind the one that the path leads to, as far as can be told. */
  #upcoming(kept: number, path: readonly Step[]): Upcoming {
    const step = this.#reverse ? -1 : 1
    const above = path.at(-1)
    const isLeaf = kept + path.length === this.#steps.length
    if (!isLeaf || above === undefined || this.#leaf === undefined) return NOTHING_UPCOMING
    const { branch, index } = above
    const { gt, gte, lt, lte } = this.#range
    const end = this.#reverse ? (gt ?? gte) : (lt ?? lte)
    const last = end === undefined ? undefined : branch.separators.upperBound(end)
    // They hold about as many as the last one.
    const wanted = Math.ceil(this.#wanted / this.#leaf.size) - 1
    const count = last === undefined ? wanted : Math.min(wanted, Math.abs(last - index))
    return { children: branch.children, index, step, count }
  }

  #enter(leaf: Leaf): void {
    const { gt, gte, lt, lte } = this.#range
    const { entries, size } = leaf
    const low = gt ?? gte
    const high = lt ?? lte
    let from = 0
    let to = size
    // Most leaves lie within, which their ends tell.
    if (low !== undefined && size > 0 && entries.compareAt(0, low) <= 0) {
      from = gt !== undefined ? entries.upperBound(low) : entries.lowerBound(low)
    }
    if (high !== undefined && size > 0 && entries.compareAt(size - 1, high) >= 0) {
      to = lt !== undefined ? entries.lowerBound(high) : entries.upperBound(high)
    }
    this.#fetched = undefined
    this.#leaf = leaf
    this.#from = from
    this.#to = to
    this.#state = 'within'
    this.#isLast = this.#reverse ? from > 0 : to < size
  }

  #resolved(keys: Uint8Array[], values: readonly LeafValue[]): MaybePromise<Batch> {
    const fail = (error: unknown): never => {
      this.#owedKeys = [...keys, ...this.#owedKeys]
      this.#owedValues = [...values, ...this.#owedValues]
      throw error
    }
    let waits = false
    try {
      const loaded = values.map((value) => {
        if (!(value instanceof LargeValue)) return value
        const bytes = this.#source.loadValue(value)
        waits ||= bytes instanceof Promise
        return bytes
      })
      if (waits) return Promise.all(loaded).then((all) => ({ keys, values: all }), fail)
      // No element is a promise: `waits` would be set.
      return { keys, values: loaded as Uint8Array[] }
    } catch (error) {
      return fail(error)
    }
  }
}

function assertRange(range: KeyRange): void {
  const { gt, gte, lt, lte } = range
  if (gt !== undefined && gte !== undefined) throw new TypeError('a range has gt or gte, not both')
  if (lt !== undefined && lte !== undefined) throw new TypeError('a range has lt or lte, not both')
}
