/**
 * The operations of a packed page, checked as those of a plain one. Columns are read side by side, one
 * operation after the other: nothing is allocated for what a length or an index claims.
 */
import { isOpIdOf } from '../identifiers.ts'
import { int, uint } from '../item-codecs.ts'
import type { MessageReader } from '../message-reader.ts'
import type { SyncOperation } from '../messages.ts'
import { TX_MAX } from '../sync-operation.ts'
import { ColumnReader } from './column-reader.ts'
import { EntityJoiner } from './entity-joiner.ts'
import { IdReader } from './id-reader.ts'
import {
  type ColumnName,
  type OperationKind,
  PACKED_OPS_MAX,
  type PackedOperations,
} from './packed-operations.ts'

/**
 * `reader` has read `packed`, and its path is the one of that. `entityCbor` of every operation is a view of
 * one buffer that they share.
 */
export function unpackOperations(
  packed: PackedOperations,
  reader: MessageReader,
): readonly SyncOperation[] {
  const unpacker = new Unpacker(packed, reader)
  const operations: SyncOperation[] = []
  while (unpacker.hasNext) operations.push(unpacker.next())
  unpacker.assertEnd()
  return operations
}

const count = uint()
const positive = uint(1)

/** A kind with the numbers of its last operation, which those of the next one are told from. */
interface KindState {
  readonly kind: OperationKind
  opId: number
  tx: number
  timestampMs: number
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

class Unpacker {
  readonly #kinds: readonly KindState[]
  readonly #kindIndexes: ColumnReader
  readonly #revisions: ColumnReader
  readonly #opIds: ColumnReader
  readonly #entityIds: IdReader
  readonly #txs: ColumnReader
  readonly #timestampsMs: ColumnReader
  readonly #entities: EntityJoiner
  #revision = 0
  #operations = 0

  constructor(packed: PackedOperations, reader: MessageReader) {
    const column = (name: ColumnName): ColumnReader =>
      new ColumnReader([name], packed[name], reader)
    this.#kinds = packed.kinds.map((kind) => ({ kind, opId: 0, tx: 0, timestampMs: 0 }))
    this.#kindIndexes = column('kindIndexes')
    this.#revisions = column('revisions')
    this.#opIds = column('opIds')
    this.#entityIds = new IdReader(column)
    this.#txs = column('txs')
    this.#timestampsMs = column('timestampsMs')
    this.#entities = new EntityJoiner(packed, reader)
  }

  get hasNext(): boolean {
    return !this.#kindIndexes.atEnd
  }

  next(): SyncOperation {
    const state = this.#nextKind()
    const { dbId, deviceId, collection, opType, schemaVersion, hasTx, hasTimestampMs } = state.kind
    const entityVersion = this.#nextRevision()
    const opId = this.#nextOpId(state)
    const entityId = this.#entityIds.next()
    const entityCbor = opType === 'PUT' ? this.#entities.next(this.#entityIds) : null
    const operation: Mutable<SyncOperation> = {
      dbId,
      opId,
      opType,
      deviceId,
      entityId,
      collection,
      entityCbor,
      entityVersion,
    }
    if (hasTx === true) operation.tx = this.#nextTx(state)
    if (hasTimestampMs === true) operation.timestampMs = this.#nextTimestamp(state)
    if (schemaVersion !== undefined) operation.schemaVersion = schemaVersion
    return operation
  }

  /** Fails if a column has more than its operations need. */
  assertEnd(): void {
    this.#revisions.assertEnd()
    this.#opIds.assertEnd()
    this.#entityIds.assertEnd()
    this.#txs.assertEnd()
    this.#timestampsMs.assertEnd()
    this.#entities.assertEnd()
  }

  #nextKind(): KindState {
    const kind = this.#kinds[this.#kindIndexes.next(count)]
    if (kind === undefined) this.#kindIndexes.refuse('out_of_range')
    if (++this.#operations > PACKED_OPS_MAX) this.#kindIndexes.refuse('wrong_length')
    return kind
  }

  #nextRevision(): number {
    this.#revision += this.#revisions.next(positive)
    if (!Number.isSafeInteger(this.#revision)) this.#revisions.refuse('integer_out_of_range')
    return this.#revision
  }

  #nextOpId(state: KindState): number {
    state.opId += this.#opIds.next(int)
    if (!isOpIdOf(state.kind.deviceId, state.opId)) this.#opIds.refuse('out_of_range')
    return state.opId
  }

  #nextTx(state: KindState): number {
    state.tx += this.#txs.next(int)
    if (!(state.tx >= 0 && state.tx <= TX_MAX)) this.#txs.refuse('out_of_range')
    return state.tx
  }

  #nextTimestamp(state: KindState): number {
    state.timestampMs += this.#timestampsMs.next(int)
    if (!Number.isSafeInteger(state.timestampMs)) this.#timestampsMs.refuse('integer_out_of_range')
    return state.timestampMs
  }
}
