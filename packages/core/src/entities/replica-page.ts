/**
 * `tx.replica.applyNewer`: a page of a pull. In a first sync nearly every operation is of an entity that is
 * not here yet. Those are stored here by the shortest way, everything else by `ReplicaWriter`.
 */
import { decodeEntity } from '../cbor/entity-decoder.ts'
import type { MaybePromise } from '../files/file-system.ts'
import type { CollectionState } from './collection-state.ts'
import { assertId, idKeyOf } from './entity-id.ts'
import type { EntityWriter } from './entity-writer.ts'
import { IndexBatch } from './index-batch.ts'
import { indexEntryValue } from './index-plan.ts'
import { indexKeysOf } from './prepared-entity.ts'
import { encodeRecord } from './record.ts'
import { assertRaw, type ReplicaWriter } from './replica-writer.ts'
import type { AppliedOperations, IndexViolation, RawOperation } from './replication.ts'
import { type Steps, wait } from './steps.ts'

export class ReplicaPage {
  readonly #writer: EntityWriter
  readonly #replica: ReplicaWriter
  readonly #collectionOf: (name: string) => CollectionState
  /** Index entries, to be put in order at the end. */
  readonly #batch = new IndexBatch()
  readonly #stampBefore: number

  constructor(
    writer: EntityWriter,
    replica: ReplicaWriter,
    collectionOf: (name: string) => CollectionState,
  ) {
    this.#writer = writer
    this.#replica = replica
    this.#collectionOf = collectionOf
    this.#stampBefore = writer.lastKnownOpId
  }

  /** Those before one that is refused stay. */
  *apply(operations: readonly RawOperation[]): Steps<AppliedOperations> {
    try {
      return yield* this.#applyAll(operations)
    } finally {
      yield* this.#batch.flush(this.#writer.tx)
    }
  }

  *#applyAll(operations: readonly RawOperation[]): Steps<AppliedOperations> {
    const pending: number[] = []
    const violations: IndexViolation[] = []
    const page = { batch: this.#batch, stampBefore: this.#stampBefore }
    let applied = 0
    let state: CollectionState | undefined
    for (let i = 0; i < operations.length; i++) {
      // Within bounds.
      const operation = operations[i] as RawOperation
      if (state?.name !== operation.collection) state = this.#collectionOf(operation.collection)
      assertRaw(state, operation)
      assertId(operation.entityId, state.maxIdBytes)
      const idKey = idKeyOf(operation.entityId)
      const { tx } = this.#writer
      const { bytes } = operation
      if (bytes !== null && operation.version > 0 && !state.hasUnique) {
        // Generators called for each operation would cost as much as what they do.
        const record = tx.get(state.recordTable, idKey)
        if ((record instanceof Promise ? yield* wait(record) : record) === undefined) {
          const row = tx.get(state.replicaTable, idKey)
          if ((row instanceof Promise ? yield* wait(row) : row) === undefined) {
            const stored = this.#storeNew(state, idKey, operation, bytes)
            if (stored instanceof Promise) yield* wait(stored)
            applied++
            continue
          }
        }
      }
      const outcome = yield* this.#replica.applyIfNewer(state, operation, violations, page)
      if (outcome === 'applied') applied++
      else if (outcome === 'pending') pending.push(i)
    }
    return { applied, pending, violations }
  }

  /** Of an entity that is not here, in a collection without unique indexes. */
  #storeNew(
    state: CollectionState,
    idKey: Uint8Array,
    { entityId: id, version, schemaVersion }: RawOperation,
    bytes: Uint8Array,
  ): MaybePromise<void> {
    const writer = this.#writer
    if (state.indexes.length > 0) this.#deferEntries(state, idKey, bytes)
    const opId = writer.begin(state, id)
    const header = { pending: false, revision: version, schemaVersion, stamp: opId, opId: 0 }
    const done = writer.tx.put(state.recordTable, idKey, encodeRecord(header, bytes))
    const end = (): MaybePromise<void> => {
      const recorded = writer.record({
        state,
        id,
        opId,
        payload: bytes,
        entityVersion: version,
        schemaVersion,
        origin: writer.origin,
        staleBase: false,
      })
      return recorded instanceof Promise ? recorded.then(() => writer.end()) : writer.end()
    }
    return done instanceof Promise ? done.then(end) : end()
  }

  #deferEntries(state: CollectionState, idKey: Uint8Array, bytes: Uint8Array): void {
    const keys = indexKeysOf(state, idKey, decodeEntity(bytes))
    const value = indexEntryValue(idKey)
    for (let i = 0; i < keys.length; i++) {
      const plan = state.indexes[i]
      const key = keys[i]
      if (plan !== undefined && key !== undefined) this.#batch.defers(plan, key, value)
    }
  }
}
