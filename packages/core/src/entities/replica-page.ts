/**
 * `tx.replica.applyNewer`: a page of a pull. In a first sync nearly every operation is of an entity that is
 * not here yet. Those are stored here by the shortest way, everything else by `ReplicaWriter`.
 *
 * Where no reader of the feed follows them, operations are taken in the order of their ids, which a tree takes much
 * faster; those of one entity stay in theirs.
 */
import type { MaybePromise } from '../files/file-system.ts'
import type { Catalog } from './catalog.ts'
import type { CollectionState } from './collection-state.ts'
import { assertSyncedId } from './entity-id.ts'
import type { EntityWriter } from './entity-writer.ts'
import { listOf } from './entry-keys.ts'
import { IndexBatch } from './index-batch.ts'
import { type IndexPlan, indexEntryValue } from './index-plan.ts'
import { KeyList } from './key-list.ts'
import { rawEntityReader } from './raw-entity.ts'
import { encodeRecord } from './record.ts'
import {
  assertReplicatedState,
  needsMigration,
  type PageEntries,
  type ReplicaWriter,
} from './replica-writer.ts'
import type { AppliedOperations, IndexViolation, RawOperation } from './replication.ts'
import { type Steps, wait } from './steps.ts'
import type { Turns } from './turns.ts'

/** So many operations are put in order at a time: that takes some milliseconds, without a turn for others. */
const ORDERED_MAX = 8_000
/** Operations of one call of what takes them one by one: hosts are quicker to make fast what is called again. */
const RUN_MAX = 500

interface Outcome extends AppliedOperations {
  applied: number
  readonly pending: number[]
  readonly violations: IndexViolation[]
}

/** Operations that are put in order together. */
interface OrderedOperations {
  readonly all: readonly RawOperation[]
  /** Of their entities. */
  readonly keys: KeyList
  /** Positions in the order in which they are taken; undefined: as they came. */
  readonly order: Uint32Array | undefined
}

export class ReplicaPage {
  readonly #writer: EntityWriter
  readonly #replica: ReplicaWriter
  readonly #catalog: Catalog
  readonly #turns: Turns
  /** Index entries are put in order at the end. */
  readonly #entries: PageEntries
  /** The collection of the operation before, mostly that of the next one too. */
  #state: CollectionState | undefined
  /** What has to be waited for before anything else is done. */
  #waiting: Promise<unknown> | undefined
  /** The shortest way is not for the next operation, or nobody can tell without waiting. */
  #isNextLeft = false

  constructor(writer: EntityWriter, replica: ReplicaWriter, catalog: Catalog, turns: Turns) {
    this.#writer = writer
    this.#replica = replica
    this.#catalog = catalog
    this.#turns = turns
    this.#entries = { batch: new IndexBatch(), stampBefore: writer.lastKnownOpId }
  }

  /** When one is refused, others stay. */
  *apply(operations: readonly RawOperation[]): Steps<AppliedOperations> {
    const outcome = { applied: 0, pending: [], violations: [] }
    try {
      for (let from = 0; from < operations.length; from += ORDERED_MAX) {
        const some = this.#inOrder(operations.slice(from, from + ORDERED_MAX))
        yield* this.#applySome(some, from, outcome)
      }
    } finally {
      yield* this.#writer.flush(this.#entries.batch, this.#turns)
    }
    return outcome
  }

  #inOrder(all: readonly RawOperation[]): OrderedOperations {
    const keys = new KeyList()
    for (let from = 0; from < all.length; from += RUN_MAX) {
      this.#addKeys(keys, all, from, Math.min(from + RUN_MAX, all.length))
    }
    const order = this.#writer.ignoresApplied ? keys.sortedPositions() : undefined
    return { all, keys, order }
  }

  #addKeys(keys: KeyList, all: readonly RawOperation[], from: number, to: number): void {
    for (let i = from; i < to; i++) {
      // Within bounds.
      const operation = all[i] as RawOperation
      assertReplicatedState(operation)
      assertSyncedId(operation.entityId, this.#stateOf(operation).maxIdBytes)
      keys.addText(operation.entityId)
    }
  }

  /** `from`: where in the page they begin. */
  *#applySome(some: OrderedOperations, from: number, outcome: Outcome): Steps<void> {
    const { size } = some.keys
    // What the first write of a transaction does besides, it does in the long way: code that the host has made fast for
    // all others would have to be made again.
    if (size > 0) yield* this.#applyAt(some, 0, from, outcome)
    for (let next = 1; next < size; ) {
      const end = this.#storeNewFrom(some, next)
      outcome.applied += end - next
      next = end
      const waiting = this.#waiting
      this.#waiting = undefined
      if (waiting !== undefined) yield* wait(waiting)
      if (this.#isNextLeft) yield* this.#applyAt(some, next++, from, outcome)
    }
  }

  /** One that the shortest way is not for. */
  *#applyAt(
    { all, order }: OrderedOperations,
    index: number,
    from: number,
    outcome: Outcome,
  ): Steps<void> {
    const position = order?.[index] ?? index
    // Within bounds.
    const operation = all[position] as RawOperation
    const state = this.#stateOf(operation)
    const { violations, pending } = outcome
    const done = yield* this.#replica.applyIfNewer(state, operation, violations, this.#entries)
    if (done === 'applied') outcome.applied++
    else if (done === 'pending') pending.push(from + position)
    const turn = this.#turns.next()
    if (turn !== undefined) yield* wait(turn)
  }

  /**
   * Takes operations from `index` on as long as each is of an entity that is not here yet. Answers where it ended, which
   * is also where something has to be waited for. Apart from the generators: this is what a first sync is made of.
   */
  #storeNewFrom({ all, keys, order }: OrderedOperations, index: number): number {
    const end = Math.min(index + RUN_MAX, keys.size)
    let next = index
    while (next < end && this.#waiting === undefined) {
      const position = order === undefined ? next : (order[next] as number)
      // Within bounds.
      this.#isNextLeft = !this.#storeIfNew(all[position] as RawOperation, keys.at(position))
      if (this.#isNextLeft) break
      next++
      this.#waiting ??= this.#turns.next()
    }
    return next
  }

  /** False: nothing was stored. The entity is not new, or not plain, or that takes waiting to tell. */
  #storeIfNew(operation: RawOperation, idKey: Uint8Array): boolean {
    const { bytes, version, schemaVersion } = operation
    const state = this.#stateOf(operation)
    if (bytes === null || version === 0) return false
    if (state.hasUnique || needsMigration(state, schemaVersion)) return false
    if (!this.#isAbsent(state.recordTable, idKey)) return false
    if (!this.#isAbsent(state.replicaTable, idKey)) return false
    const stored = this.#storeNew(state, idKey, operation, bytes)
    if (stored !== undefined) this.#waiting = stored
    return true
  }

  /** False also where the store has to be waited for. */
  #isAbsent(table: string, idKey: Uint8Array): boolean {
    const found = this.#writer.tx.get(table, idKey)
    if (found === undefined) return true
    if (found instanceof Promise) this.#waiting = found
    return false
  }

  #stateOf({ collection }: RawOperation): CollectionState {
    const last = this.#state
    if (last !== undefined && last.name === collection) return last
    const state = this.#catalog.findReplicated(collection)
    this.#state = state
    return state
  }

  /** Of an entity that is not here, in a collection without unique indexes. */
  #storeNew(
    state: CollectionState,
    idKey: Uint8Array,
    operation: RawOperation,
    bytes: Uint8Array,
  ): MaybePromise<void> {
    const { indexes } = state
    const reader = rawEntityReader(state)
    // Refuses bytes that are no entity, or another one: before the first change.
    reader.read(state.name, idKey, bytes)
    const value = indexEntryValue(idKey)
    for (let i = 0; i < indexes.length; i++) {
      for (const key of listOf(reader.keysOf(i, idKey, bytes))) {
        // Within bounds, and not unique: it is deferred.
        this.#entries.batch.defers(indexes[i] as IndexPlan, key, value)
      }
    }
    const { version, schemaVersion } = operation
    const opId = this.#writer.begin(state, operation.entityId)
    const header = { pending: false, revision: version, schemaVersion, stamp: opId, opId: 0 }
    const record = encodeRecord(header, bytes)
    const done = this.#writer.tx.put(state.recordTable, idKey, record)
    this.#writer.recorder.note(state, operation.entityId, undefined, record)
    return done instanceof Promise
      ? done.then(() => this.#writer.endApplied(state, operation, opId))
      : this.#writer.endApplied(state, operation, opId)
  }
}
