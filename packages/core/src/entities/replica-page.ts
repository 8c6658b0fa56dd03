/**
 * `tx.replica.applyNewer`: a page of a pull. In a first sync nearly every operation is of an entity that is
 * not here yet. Those are stored here by the shortest way, everything else by `ReplicaWriter`.
 *
 * Where no reader of the feed follows them, operations are taken in the order of their ids, which a tree takes much
 * faster; those of one entity stay in theirs.
 */
import type { MaybePromise } from '../files/file-system.ts'
import type { CollectionState } from './collection-state.ts'
import { assertId, idKeyOf } from './entity-id.ts'
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

interface Outcome extends AppliedOperations {
  applied: number
  readonly pending: number[]
  readonly violations: IndexViolation[]
}

export class ReplicaPage {
  readonly #writer: EntityWriter
  readonly #replica: ReplicaWriter
  readonly #collectionOf: (name: string) => CollectionState
  readonly #turns: Turns
  /** Index entries are put in order at the end. */
  readonly #entries: PageEntries

  constructor(
    writer: EntityWriter,
    replica: ReplicaWriter,
    collectionOf: (name: string) => CollectionState,
    turns: Turns,
  ) {
    this.#writer = writer
    this.#replica = replica
    this.#collectionOf = collectionOf
    this.#turns = turns
    this.#entries = { batch: new IndexBatch(), stampBefore: writer.lastKnownOpId }
  }

  /** When one is refused, others stay. */
  *apply(operations: readonly RawOperation[]): Steps<AppliedOperations> {
    const outcome = { applied: 0, pending: [], violations: [] }
    try {
      for (let from = 0; from < operations.length; from += ORDERED_MAX) {
        const some = operations.slice(from, from + ORDERED_MAX)
        yield* this.#applySome(some, from, outcome)
      }
    } finally {
      yield* this.#entries.batch.flush(this.#writer.tx, this.#turns)
    }
    return outcome
  }

  /** The `operations` of a page from `from` on that are put in order together. */
  *#applySome(operations: readonly RawOperation[], from: number, outcome: Outcome): Steps<void> {
    const keys = new KeyList()
    let state: CollectionState | undefined
    for (const operation of operations) {
      if (state?.name !== operation.collection) state = this.#collectionOf(operation.collection)
      assertReplicatedState(operation)
      assertId(operation.entityId, state.maxIdBytes)
      keys.add(idKeyOf(operation.entityId))
    }
    const order = this.#writer.ignoresApplied ? keys.sortedPositions() : undefined
    for (let i = 0; i < keys.size; i++) {
      const turn = this.#turns.next()
      if (turn !== undefined) yield* wait(turn)
      const position = order?.[i] ?? i
      // Within bounds.
      const operation = operations[position] as RawOperation
      if (state?.name !== operation.collection) state = this.#collectionOf(operation.collection)
      const idKey = keys.at(position)
      const { bytes } = operation
      // Generators called for each operation would cost as much as what they do.
      const mayBePlain = !state.hasUnique && !needsMigration(state, operation.schemaVersion)
      if (bytes !== null && operation.version > 0 && mayBePlain) {
        const { tx } = this.#writer
        const record = tx.get(state.recordTable, idKey)
        if ((record instanceof Promise ? yield* wait(record) : record) === undefined) {
          const row = tx.get(state.replicaTable, idKey)
          if ((row instanceof Promise ? yield* wait(row) : row) === undefined) {
            const stored = this.#storeNew(state, idKey, operation, bytes)
            if (stored instanceof Promise) yield* wait(stored)
            outcome.applied++
            continue
          }
        }
      }
      const { violations } = outcome
      const done = yield* this.#replica.applyIfNewer(state, operation, violations, this.#entries)
      if (done === 'applied') outcome.applied++
      else if (done === 'pending') outcome.pending.push(from + position)
    }
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
