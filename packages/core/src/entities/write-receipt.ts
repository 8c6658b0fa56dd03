/** Receipts of single writes. */
import { decodeFrozenEntity } from '../cbor/entity-decoder.ts'
import type { Entity } from './collection-definition.ts'
import type { CollectionState } from './collection-state.ts'
import { decodedBytes } from './entity-cache.ts'
import { makeVersioned, rememberVersion, shapeOf } from './entity-version.ts'
import type { EntityWriter, WriteOutcome } from './entity-writer.ts'
import type { PreparedEntity } from './prepared-entity.ts'
import type { CommitReceipt } from './receipt.ts'

/** `prepared` is undefined for a delete. */
export function createReceipt<T extends Entity>(
  writer: EntityWriter,
  state: CollectionState,
  { opId, existed, revision }: WriteOutcome,
  prepared: PreparedEntity | undefined,
): CommitReceipt<T> {
  // System collections have no operations, and no receipt that anyone could follow.
  const isOperation = opId !== undefined && !state.isSystem
  const opIds = isOperation ? [opId] : []
  const transactionId = isOperation ? writer.transactionId : 0
  if (prepared === undefined || opId === undefined) {
    return { transactionId, opIds, existed, entity: undefined }
  }
  return new PutReceipt<T>(
    transactionId,
    opIds,
    existed,
    () =>
      // What was put in as T.
      storedEntity(state, prepared, opId, revision) as Readonly<T>,
  )
}

/** Most callers do not look at the entity: it is decoded for those who do. */
class PutReceipt<T> implements CommitReceipt<T> {
  readonly transactionId: number
  readonly opIds: readonly number[]
  readonly existed: boolean
  readonly #decode: () => Readonly<T>
  #entity: Readonly<T> | undefined

  constructor(
    transactionId: number,
    opIds: readonly number[],
    existed: boolean,
    decode: () => Readonly<T>,
  ) {
    this.transactionId = transactionId
    this.opIds = opIds
    this.existed = existed
    this.#decode = decode
  }

  get entity(): Readonly<T> {
    this.#entity ??= this.#decode()
    return this.#entity
  }
}

function storedEntity(
  state: CollectionState,
  { id, bytes, schemaVersion }: PreparedEntity,
  stamp: number,
  revision: number,
): object {
  const cached = state.cache.find(stamp)
  if (cached !== undefined) return cached.value
  const { value, shareable } = decodeFrozenEntity(bytes, 0, makeVersioned)
  // An entity is an object.
  const entity = value as object
  const version = { stamp, revision, shape: shapeOf(state, schemaVersion) }
  rememberVersion(
    entity,
    shareable ? state.cache.put(id, version, entity, decodedBytes(bytes.length), false) : version,
  )
  return entity
}
