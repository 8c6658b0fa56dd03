/**
 * Many entities of one collection, stored by one call. Where nothing can refuse them and nobody follows the
 * order of operations, they are stored in the order of their ids, which a tree takes much faster.
 */
import type { MaybePromise } from '../files/file-system.ts'
import { compareBytes } from '../store/bytes.ts'
import type { CollectionState } from './collection-state.ts'
import type { EntityWriter } from './entity-writer.ts'
import { listOf } from './entry-keys.ts'
import { IndexBatch } from './index-batch.ts'
import { type IndexPlan, indexEntryValue } from './index-plan.ts'
import { LOCAL } from './operation.ts'
import type { PreparedBatch, PreparedEntity } from './prepared-entity.ts'
import { type Steps, wait } from './steps.ts'
import { versionOfWrite } from './version-of-write.ts'

const NO_CONDITION = {}

export class BulkPut {
  readonly #writer: EntityWriter
  readonly #state: CollectionState
  readonly #entities: PreparedBatch
  readonly #indexes: IndexBatch
  readonly #stampBefore: number
  /** No record has an id beyond this; undefined: there is none at all. */
  #lastKey: Uint8Array | undefined
  /** New entities need none of the steps of `put`. */
  #mayBePlain = false

  constructor(writer: EntityWriter, state: CollectionState, entities: PreparedBatch) {
    this.#writer = writer
    this.#state = state
    this.#entities = entities
    this.#indexes = new IndexBatch(entities.buffer)
    this.#stampBefore = writer.lastKnownOpId
  }

  /**
   * As `put` for each, in order; those before one that is refused stay. `areKeysFree`: no two entities, of these and of
   * those that are there, have one key of a unique index. Errors: as for `put`.
   */
  *run(areKeysFree = false): Steps<void> {
    const { tx } = this.#writer
    const { isSystem, replicaTable, recordTable, hasUnique } = this.#state
    const mayHaveRows = !isSystem && (yield* wait(tx.count(replicaTable))) > 0
    this.#mayBePlain = !mayHaveRows && (!hasUnique || areKeysFree)
    this.#lastKey = (yield* wait(tx.scan(recordTable, { reverse: true }).next(1))).keys[0]
    const mayBeSorted = this.#mayBePlain && !this.#writer.isRecorded(this.#state)
    const order = mayBeSorted ? this.#entities.distinctIdOrder() : undefined
    try {
      if (order === undefined) yield* this.#putInTurn()
      else yield* this.#putInOrder(order)
    } finally {
      yield* this.#writer.flush(this.#indexes)
    }
  }

  *#putInTurn(): Steps<void> {
    for (let i = 0; i < this.#entities.size; i++) {
      const waiting = this.#put(this.#entities.at(i), undefined)
      if (waiting !== undefined) yield* waiting
    }
  }

  *#putInOrder(positions: Uint32Array): Steps<void> {
    const first = this.#writer.allocateOpIds(this.#state, positions.length)
    for (let i = 0; i < positions.length; i++) {
      const position = positions[i] as number
      const waiting = this.#put(this.#entities.at(position), first + position)
      if (waiting !== undefined) yield* waiting
    }
  }

  /** Answers the steps that are left, if any. */
  #put(prepared: PreparedEntity, opId: number | undefined): Steps<void> | undefined {
    const { idKey } = prepared
    // Ids often ascend, and then need no looking for.
    const isBehindAll = this.#lastKey === undefined || compareBytes(idKey, this.#lastKey) > 0
    if (isBehindAll) this.#lastKey = idKey
    const found = isBehindAll ? undefined : this.#writer.tx.get(this.#state.recordTable, idKey)
    if (found !== undefined || !this.#mayBePlain) {
      return this.#putOver(found, idKey, prepared, opId)
    }
    const waiting = this.#putPlain(prepared, idKey, opId)
    return waiting === undefined ? undefined : wait(waiting)
  }

  *#putOver(
    found: MaybePromise<Uint8Array | undefined>,
    idKey: Uint8Array,
    prepared: PreparedEntity,
    opId: number | undefined,
  ): Steps<void> {
    const record = yield* wait(found)
    if (record === undefined && this.#mayBePlain) {
      const waiting = this.#putPlain(prepared, idKey, opId)
      if (waiting !== undefined) yield* wait(waiting)
      return
    }
    const place = { indexes: this.#indexes, stampBefore: this.#stampBefore, opId }
    yield* this.#writer.putOver(record, idKey, this.#state, prepared, NO_CONDITION, place)
  }

  /**
   * Stores a new entity that nothing can refuse, without the steps of `put`: of a bulk load they would be a
   * good part. Answers a promise where the store has to wait.
   */
  #putPlain(
    prepared: PreparedEntity,
    idKey: Uint8Array,
    opIdBegun: number | undefined,
  ): Promise<void> | undefined {
    const { id } = prepared
    const writer = this.#writer
    const state = this.#state
    const { isSystem, indexes } = state
    const schemaVersion = versionOfWrite(state, undefined, prepared)
    if (opIdBegun !== undefined) writer.beginChange(state, id)
    const opId = opIdBegun ?? writer.begin(state, id)
    const entryValue = indexEntryValue(idKey)
    for (let i = 0; i < indexes.length; i++) {
      // Within bounds.
      const plan = indexes[i] as IndexPlan
      if (plan.elementsAt >= 0) {
        for (const key of listOf(prepared.keysOf(i))) this.#indexes.defers(plan, key, entryValue)
        continue
      }
      const start = prepared.keyStart(i)
      const end = prepared.keyEnd(i)
      if (start < end) this.#indexes.defer(plan, start, end, entryValue)
    }
    const header = { pending: !isSystem, revision: 0, schemaVersion, stamp: opId, opId }
    const record = prepared.record(header)
    const stored = writer.tx.put(state.recordTable, idKey, record)
    writer.recorder.note(state, id, undefined, record)
    const recorded =
      stored instanceof Promise
        ? stored.then(() => this.#recordPlain(prepared, opId, schemaVersion))
        : this.#recordPlain(prepared, opId, schemaVersion)
    if (recorded instanceof Promise) return recorded.then(() => writer.end())
    writer.end()
    return undefined
  }

  #recordPlain(
    { id, bytes }: PreparedEntity,
    opId: number,
    schemaVersion: number,
  ): MaybePromise<void> {
    const state = this.#state
    if (!this.#writer.isRecorded(state)) return
    const made = { state, id, opId, payload: bytes, entityVersion: 0, schemaVersion }
    return this.#writer.record({ ...made, origin: LOCAL, staleBase: false })
  }
}
