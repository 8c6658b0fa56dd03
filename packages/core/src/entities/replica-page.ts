/**
 * `tx.replica.applyNewer`: a page of a pull. In a first sync nearly every operation is of an entity that is
 * not here yet. Those are stored here by the shortest way, everything else by `ReplicaWriter`.
 *
 * Where no reader of the feed follows them, operations are taken in the order of their ids, which a tree takes much
 * faster; those of one entity stay in theirs.
 */
import type { MaybePromise } from '../files/file-system.ts'
import { compareBytes } from '../store/bytes.ts'
import type { CollectionState } from './collection-state.ts'
import { assertId, idKeyOf } from './entity-id.ts'
import type { EntityWriter } from './entity-writer.ts'
import { listOf } from './entry-keys.ts'
import { IndexBatch } from './index-batch.ts'
import { type IndexPlan, indexEntryValue } from './index-plan.ts'
import { KeyList } from './key-list.ts'
import { type RawEntityReader, rawEntityReader } from './raw-entity.ts'
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

/** One collection of a page. */
interface Place {
  readonly state: CollectionState
  readonly reader: RawEntityReader
  /**
   * No record has an id beyond this; undefined: there is none at all. Ids often ascend with time, and then
   * need no looking for.
   */
  last: Uint8Array | undefined
}

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
  /** Index entries, to be put in order at the end. */
  readonly #batch = new IndexBatch()
  readonly #entries: PageEntries
  readonly #places = new Map<string, Place>()

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
    this.#entries = { batch: this.#batch, stampBefore: writer.lastKnownOpId }
  }

  /** Those before one that is refused stay. */
  *apply(operations: readonly RawOperation[]): Steps<AppliedOperations> {
    const outcome: Outcome = { applied: 0, pending: [], violations: [] }
    try {
      for (let from = 0; from < operations.length; from += ORDERED_MAX) {
        yield* this.#applySome(operations, from, outcome)
      }
    } finally {
      yield* this.#batch.flush(this.#writer.tx, this.#turns)
    }
    outcome.pending.sort((a, b) => a - b)
    return outcome
  }

  /** Those from `from` on that are put in order together. */
  *#applySome(operations: readonly RawOperation[], from: number, outcome: Outcome): Steps<void> {
    const keys = new KeyList()
    let mayBeOrdered = this.#writer.ignoresApplied
    let place: Place | undefined
    for (let i = from; i < Math.min(from + ORDERED_MAX, operations.length); i++) {
      // Within bounds, as below.
      const operation = operations[i] as RawOperation
      if (place?.state.name !== operation.collection) place = yield* this.#place(operation)
      // Of two entities with one unique value, the one that came later is reported.
      if (place.state.hasUnique) mayBeOrdered = false
      assertReplicatedState(operation)
      assertId(operation.entityId, place.state.maxIdBytes)
      keys.add(idKeyOf(operation.entityId))
    }
    const order = mayBeOrdered ? keys.sortedPositions() : undefined
    for (let i = 0; i < keys.size; i++) {
      const turn = this.#turns.next()
      if (turn !== undefined) yield* wait(turn)
      const position = order === undefined ? i : (order[i] as number)
      const operation = operations[from + position] as RawOperation
      if (place?.state.name !== operation.collection) place = yield* this.#place(operation)
      const idKey = keys.at(position)
      const isBehindAll = place.last === undefined || compareBytes(idKey, place.last) > 0
      if (isBehindAll) place.last = idKey
      const { state } = place
      const { bytes } = operation
      // Generators called for each operation would cost as much as what they do.
      const mayBePlain = !state.hasUnique && !needsMigration(state, operation.schemaVersion)
      if (bytes !== null && operation.version > 0 && mayBePlain) {
        const { tx } = this.#writer
        const record = isBehindAll ? undefined : tx.get(state.recordTable, idKey)
        if ((record instanceof Promise ? yield* wait(record) : record) === undefined) {
          const row = tx.get(state.replicaTable, idKey)
          if ((row instanceof Promise ? yield* wait(row) : row) === undefined) {
            const stored = this.#storeNew(place, idKey, operation, bytes)
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

  *#place({ collection }: RawOperation): Steps<Place> {
    const known = this.#places.get(collection)
    if (known !== undefined) return known
    const state = this.#collectionOf(collection)
    const cursor = this.#writer.tx.scan(state.recordTable, { reverse: true })
    const [last] = (yield* wait(cursor.next(1))).keys
    const place = { state, reader: rawEntityReader(state), last }
    this.#places.set(collection, place)
    return place
  }

  /** Of an entity that is not here, in a collection without unique indexes. */
  #storeNew(
    { state, reader }: Place,
    idKey: Uint8Array,
    operation: RawOperation,
    bytes: Uint8Array,
  ): MaybePromise<void> {
    const { indexes } = state
    // Refuses bytes that are no entity, or another one: before the first change.
    reader.read(state.name, idKey, bytes)
    const value = indexEntryValue(idKey)
    for (let i = 0; i < indexes.length; i++) {
      for (const key of listOf(reader.keysOf(i, idKey, bytes))) {
        // Within bounds, and not unique: it is deferred.
        this.#batch.defers(indexes[i] as IndexPlan, key, value)
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
