/**
 * A batch in the making: whole local transactions, one operation per entity (last state, base of the
 * first, opId of the last), transactions that share an entity joined into one group. Pure.
 */
import { type EntityRef, entityKey } from '../entity-ref.ts'
import type { FeedRow } from '../state/engine.ts'
import {
  type CommittedPart,
  type FrozenOp,
  type FrozenTransaction,
  WRITTEN_NAMED_MAX,
} from '../state/rows.ts'

export interface BatchLimits {
  readonly opsMax: number
  /** Of an encoded request. */
  readonly bytesMax: number
}

/** An operation with the revision its entity was edited on. */
export interface DraftRow {
  readonly row: FeedRow
  readonly base: number
}

/** Most bytes of several transactions, whatever the server allows: a batch is held in memory. One alone may be larger. */
const SHARED_BYTES_MAX = 8 * 1024 * 1024
/** Everything of an encoded operation but its names and its entity, at most. */
const OP_OVERHEAD_BYTES = 192
const REQUEST_OVERHEAD_BYTES = 512
/** Most bytes of entity names in one batch: its record is one entity of the database. */
const NAME_BYTES_MAX = 200_000

interface Entry {
  row: FeedRow
  readonly base: number
  readonly member: number
}

export class BatchDraft {
  readonly #limits: BatchLimits
  readonly #opBytes: number
  readonly #entries = new Map<string, Entry>()
  readonly #transactions: {
    readonly key: number
    readonly member: number
    /** What it wrote, each once: the first of them, and how many there are. */
    readonly named: readonly Entry[]
    readonly size: number
    readonly before: CommittedPart | undefined
  }[] = []
  /** Union-find over transactions, by the order they came in. */
  readonly #parents: number[] = []
  /** The transaction that was added last, if its end was not. */
  #open: { readonly member: number; readonly written: Set<Entry> } | undefined
  #bytes = REQUEST_OVERHEAD_BYTES
  #nameBytes = 0

  /** `identityBytes`: length of dbId and deviceId, which every operation repeats. */
  constructor(limits: BatchLimits, identityBytes: number) {
    this.#limits = limits
    this.#opBytes = OP_OVERHEAD_BYTES + identityBytes
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0
  }

  /** How many of `rows`, from the first, fit in beside what is there. */
  fitting(rows: readonly FeedRow[]): number {
    const fresh = new Map<string, FeedRow>()
    const { opsMax } = this.#limits
    const bytesMax = this.isEmpty
      ? this.#limits.bytesMax
      : Math.min(this.#limits.bytesMax, SHARED_BYTES_MAX)
    let bytes = this.#bytes
    let nameBytes = this.#nameBytes
    let ops = this.#entries.size
    for (const [index, row] of rows.entries()) {
      const key = entityKey(row)
      const before = fresh.get(key) ?? this.#entries.get(key)?.row
      if (before === undefined) {
        nameBytes += utf8BytesMax(row)
        ops += 1
      }
      bytes += this.#cost(row) - (before === undefined ? 0 : this.#cost(before))
      fresh.set(key, row)
      if (ops > opsMax || bytes > bytesMax || nameBytes > NAME_BYTES_MAX) return index
    }
    return rows.length
  }

  /**
   * Adds operations of one transaction; `key` names it, undefined while it goes on: what is added next is of it, too.
   * `before` is what parts of it that were sent before wrote.
   */
  add(rows: readonly DraftRow[], key: number | undefined, before?: CommittedPart): void {
    const { member, written } = this.#open ?? this.#begin()
    for (const { row, base } of rows) written.add(this.#put(row, base, member))
    this.#open = key === undefined ? { member, written } : undefined
    if (key === undefined) return
    const named = [...written].slice(0, WRITTEN_NAMED_MAX)
    this.#transactions.push({ key, member, named, size: written.size, before })
  }

  #begin(): { readonly member: number; readonly written: Set<Entry> } {
    const member = this.#parents.length
    this.#parents.push(member)
    return { member, written: new Set() }
  }

  finish(opIdOffset: number): {
    readonly ops: readonly FrozenOp[]
    readonly transactions: readonly FrozenTransaction[]
  } {
    const ops = [...this.#entries.values()]
      .sort((a, b) => a.row.opId - b.row.opId)
      .map(({ row, base, member }) => ({
        collection: row.collection,
        entityId: row.entityId,
        localOpId: row.opId,
        opId: row.opId + opIdOffset,
        base,
        group: this.#rootOf(member),
      }))
    const transactions = this.#transactions.map(({ key, member, named, size, before }) => ({
      key,
      group: this.#rootOf(member),
      localOpIds: named.map(({ row }) => row.opId),
      size,
      ...(before === undefined ? {} : { before }),
    }))
    return { ops, transactions }
  }

  /** The rows whose contents are sent, by opId. */
  contents(): ReadonlyMap<number, FeedRow> {
    return new Map([...this.#entries.values()].map(({ row }) => [row.opId, row]))
  }

  #put(row: FeedRow, base: number, member: number): Entry {
    const key = entityKey(row)
    const known = this.#entries.get(key)
    this.#bytes += this.#cost(row)
    if (known !== undefined) {
      this.#bytes -= this.#cost(known.row)
      known.row = row
      this.#parents[this.#rootOf(member)] = this.#rootOf(known.member)
      return known
    }
    const entry = { row, base, member }
    this.#entries.set(key, entry)
    this.#nameBytes += utf8BytesMax(row)
    return entry
  }

  #cost(row: FeedRow): number {
    return this.#opBytes + utf8BytesMax(row) + (row.payloadCbor?.length ?? 0)
  }

  #rootOf(member: number): number {
    let root = member
    for (let up = this.#parents[root]; up !== undefined && up !== root; up = this.#parents[root]) {
      root = up
    }
    this.#parents[member] = root
    return root
  }
}

function utf8BytesMax({ collection, entityId }: EntityRef): number {
  return collection.length + entityId.length * 3
}
