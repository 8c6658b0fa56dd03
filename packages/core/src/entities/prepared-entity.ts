/**
 * An entity as taken at the moment of the call: what the caller does to it later has no effect. All its
 * bytes lie in one buffer, because a bulk load holds very many of these:
 *
 * room for the record's header | CBOR | id | the key of an entry in each index
 */
import { encodeEntity } from '../cbor/entity-encoder.ts'
import { allocateBytes } from '../store/byte-slab.ts'
import type { CollectionState } from './collection-state.ts'
import { assertId } from './entity-id.ts'
import { writeIndexKey } from './index-plan.ts'
import { KeyWriter } from './key-writer.ts'
import { encodeRecord, HEADER_BYTES_MAX, type RecordHeader, writeHeaderBefore } from './record.ts'
import { assertFitsSchema } from './schema.ts'

/** For each index the key of the entity's entry, or undefined where it is left out. */
export type IndexKeys = readonly (Uint8Array | undefined)[]

const NO_KEYS: IndexKeys = []

export class PreparedEntity {
  readonly id: string
  readonly #buffer: Uint8Array
  /** Where the CBOR, the id and each key end. */
  readonly #ends: readonly number[]

  constructor(id: string, buffer: Uint8Array, ends: readonly number[]) {
    this.id = id
    this.#buffer = buffer
    this.#ends = ends
  }

  get bytes(): Uint8Array {
    return this.#buffer.subarray(HEADER_BYTES_MAX, this.#ends[0])
  }

  get idKey(): Uint8Array {
    return this.#buffer.subarray(this.#ends[0], this.#ends[1])
  }

  get indexKeys(): IndexKeys {
    const ends = this.#ends
    if (ends.length === 2) return NO_KEYS
    const keys: (Uint8Array | undefined)[] = []
    for (let i = 2; i < ends.length; i++) {
      const isEmpty = ends[i] === ends[i - 1]
      keys.push(isEmpty ? undefined : this.#buffer.subarray(ends[i - 1], ends[i]))
    }
    return keys
  }

  /** The record of this entity; to be asked for once. */
  record(header: RecordHeader): Uint8Array {
    const start = writeHeaderBefore(this.#buffer, HEADER_BYTES_MAX, header)
    return start === undefined
      ? encodeRecord(header, this.bytes)
      : this.#buffer.subarray(start, this.#ends[0])
  }
}

const writer = new KeyWriter()

/** Errors: `invalid_entity`, `invalid_id`, `schema_violation`, `schema_transforms`. */
export function prepareEntity(
  state: CollectionState,
  entity: unknown,
  maxEntityBytes: number,
): PreparedEntity {
  if (typeof entity !== 'object' || entity === null || Array.isArray(entity)) {
    throw new TypeError(`An entity of ${state.name} must be an object with an id`)
  }
  const bytes = encodeEntity(entity, { maxEntityBytes })
  // The encoder let it through: a plain object without accessors.
  const { id } = entity as { readonly id?: unknown }
  assertId(id, state.maxIdBytes)
  if (state.schema !== undefined) assertFitsSchema(state.schema, state.name, entity, bytes)
  const offset = HEADER_BYTES_MAX + bytes.length
  writer.reset()
  writer.text(id)
  const idEnd = writer.length
  const ends = [offset, offset + idEnd]
  for (const index of state.indexes) {
    writeIndexKey(writer, index, entity, 0, idEnd)
    ends.push(offset + writer.length)
  }
  const buffer = allocateBytes(offset + writer.length)
  buffer.set(bytes, HEADER_BYTES_MAX)
  writer.moveTo(buffer, offset)
  return new PreparedEntity(id, buffer, ends)
}

/** Of an entity that is stored already, or about to be as it was received. */
export function indexKeysOf(state: CollectionState, idKey: Uint8Array, entity: unknown): IndexKeys {
  if (state.indexes.length === 0) return NO_KEYS
  return state.indexes.map((index) => {
    writer.reset()
    writer.raw(idKey)
    const start = writer.length
    writeIndexKey(writer, index, entity, 0, start)
    const key = writer.length === start ? undefined : writer.copyFrom(start)
    writer.reset()
    return key
  })
}
