/**
 * An entity ready to be stored, taken at the moment of the call: what is done to it later has no effect. All
 * its bytes lie together in a buffer, which many of them may share:
 *
 * room for the record's header | CBOR | id | the key of the entry in each index, or several, each with its length
 */
import { decodeEntity } from '../cbor/entity-decoder.ts'
import { encodeEntity } from '../cbor/entity-encoder.ts'
import { invalidCbor } from '../cbor/invalid-cbor.ts'
import { invalidEntity } from '../cbor/invalid-entity.ts'
import { allocateBytes } from '../store/byte-slab.ts'
import type { CollectionState } from './collection-state.ts'
import { assertId } from './entity-id.ts'
import { type EntryKeys, elementKeys, type IndexKeys, listOf } from './entry-keys.ts'
import { type IndexPlan, writeIndexKey } from './index-plan.ts'
import { KeyList } from './key-list.ts'
import { KeyWriter } from './key-writer.ts'
import { encodeRecord, HEADER_BYTES_MAX, type RecordHeader, writeHeaderBefore } from './record.ts'
import { assertFitsSchema } from './schema.ts'

const NO_KEYS: IndexKeys = []
/** So many entities of a batch tell how large the others are. */
const SAMPLE = 100
const RESERVED_BYTES_MAX = 64 * 1024 * 1024

/** Bytes, and where they lie: views are made twice as fast from that. */
interface Arena {
  readonly bytes: Uint8Array
  readonly buffer: ArrayBufferLike
  readonly base: number
}

function arenaOf(bytes: Uint8Array): Arena {
  return { bytes, buffer: bytes.buffer, base: bytes.byteOffset }
}

function viewOf({ buffer, base }: Arena, start: number, end: number): Uint8Array {
  return new Uint8Array(buffer, base + start, end - start)
}

export class PreparedEntity {
  readonly id: string
  /** What it was made from, if that was read before. */
  readonly madeFrom: object | undefined
  /** Of its shape; 0 before it is stored. */
  schemaVersion = 0
  readonly #arena: Arena
  /** From `#first` on: where the CBOR begins, and where it, the id and the keys in each index end. */
  readonly #bounds: readonly number[]
  readonly #first: number
  readonly #indexes: readonly IndexPlan[]

  constructor(
    id: string,
    arena: Arena,
    bounds: readonly number[],
    first: number,
    indexes: readonly IndexPlan[],
    madeFrom: object | undefined,
  ) {
    this.id = id
    this.madeFrom = madeFrom
    this.#arena = arena
    this.#bounds = bounds
    this.#first = first
    this.#indexes = indexes
  }

  get bytes(): Uint8Array {
    return this.#part(0)
  }

  get idKey(): Uint8Array {
    return this.#part(1)
  }

  get indexKeys(): IndexKeys {
    if (this.#indexes.length === 0) return NO_KEYS
    const keys: EntryKeys[] = []
    for (let i = 0; i < this.#indexes.length; i++) keys.push(this.keysOf(i))
    return keys
  }

  /** In the index at `index`. */
  keysOf(index: number): EntryKeys {
    const part = this.#part(index + 2)
    if (part.length === 0) return undefined
    // Within bounds.
    const { elementsAt } = this.#indexes[index] as IndexPlan
    return elementsAt < 0 ? part : unframed(part)
  }

  /** Where the key in an index of one entry lies in the buffer; empty where it is left out. */
  keyStart(index: number): number {
    // Within bounds.
    return this.#bounds[this.#first + index + 2] as number
  }

  keyEnd(index: number): number {
    return this.#bounds[this.#first + index + 3] as number
  }

  /** The record of this entity; to be asked for once. */
  record(header: RecordHeader): Uint8Array {
    // Within bounds.
    const start = this.#bounds[this.#first] as number
    const end = this.#bounds[this.#first + 1] as number
    const headerStart = writeHeaderBefore(this.#arena.bytes, start, HEADER_BYTES_MAX, header)
    return headerStart === undefined
      ? encodeRecord(header, this.bytes)
      : viewOf(this.#arena, headerStart, end)
  }

  #part(part: number): Uint8Array {
    const at = this.#first + part
    // Within bounds.
    return viewOf(this.#arena, this.#bounds[at] as number, this.#bounds[at + 1] as number)
  }
}

const writer = new KeyWriter()

/**
 * `madeFrom`: the entity itself, if nobody named another. Errors: `invalid_entity`, `invalid_id`, `schema_violation`,
 * `schema_transforms`.
 */
export function prepareEntity(
  state: CollectionState,
  entity: unknown,
  madeFrom: unknown = entity,
): PreparedEntity {
  return prepareOne(state, (bounds) => writeEntity(writer, bounds, state, entity), madeFrom)
}

/**
 * Of an entity that is encoded already: stored byte for byte. Errors: as for `prepareEntity`, and
 * `invalid_cbor`.
 */
export function prepareEncodedEntity(state: CollectionState, bytes: Uint8Array): PreparedEntity {
  if (bytes.length > state.maxEntityBytes) throw invalidEntity([], 'too_large')
  const entity = decodeEntity(bytes)
  if (typeof entity !== 'object' || entity === null || Array.isArray(entity)) {
    throw invalidCbor(0, 'not_a_map')
  }
  return prepareOne(state, (bounds) => writeEncoded(writer, bounds, state, entity, bytes))
}

function prepareOne(
  state: CollectionState,
  write: (bounds: number[]) => string,
  madeFrom?: unknown,
): PreparedEntity {
  writer.reset()
  const bounds: number[] = []
  const id = write(bounds)
  const buffer = allocateBytes(writer.length)
  writer.moveTo(buffer, 0)
  // Of no use where it is no object.
  return new PreparedEntity(id, arenaOf(buffer), bounds, 0, state.indexes, madeFrom as object)
}

/** Many entities in one buffer: nothing of them is an object of its own while they wait to be stored. */
export class PreparedBatch {
  readonly #state: CollectionState
  readonly #sizeExpected: number
  readonly #writer = new KeyWriter()
  #arena: Arena | undefined
  readonly #ids: string[] = []
  /** Those that may have been read before: these are frozen. */
  readonly #madeFrom: (object | undefined)[] = []
  readonly #bounds: number[] = []

  /** `sizeExpected`: 0 where it is not known. */
  constructor(state: CollectionState, sizeExpected: number) {
    this.#state = state
    this.#sizeExpected = sizeExpected
  }

  /** Where all of them lie; valid until the next `add`. */
  get buffer(): Uint8Array {
    return this.#writer.written
  }

  get size(): number {
    return this.#ids.length
  }

  /** `encoded`: its bytes, where they are known. Errors as for `prepareEntity`; then the batch must not be used any more. */
  add(entity: unknown, encoded?: Uint8Array): void {
    this.#ids.push(writeEntity(this.#writer, this.#bounds, this.#state, entity, encoded))
    // Written: an object.
    this.#madeFrom.push(Object.isFrozen(entity) ? (entity as object) : undefined)
    if (this.size === SAMPLE) this.#reserve()
  }

  /** Room for all of them, if they are like the first ones: growing would copy them again and again. */
  #reserve(): void {
    const bytes = (this.#writer.length / SAMPLE) * (this.#sizeExpected - SAMPLE) * 1.05
    if (bytes > 0) this.#writer.reserve(Math.min(bytes, RESERVED_BYTES_MAX))
  }

  /** All positions, in the bytewise order of their ids; undefined when an id is there twice. */
  distinctIdOrder(): Uint32Array | undefined {
    const ids = new KeyList(this.buffer)
    for (let i = 0; i < this.size; i++) ids.addRange(...this.#idRange(i))
    const positions = ids.sortedPositions()
    for (let i = 1; i < positions.length; i++) {
      if (ids.isSame(positions[i - 1] as number, positions[i] as number)) return undefined
    }
    return positions
  }

  #idRange(position: number): readonly [start: number, end: number] {
    const first = position * (this.#state.indexes.length + 3)
    // Within bounds.
    return [this.#bounds[first + 1] as number, this.#bounds[first + 2] as number]
  }

  /** Valid until the next `add`. */
  at(position: number): PreparedEntity {
    const { indexes } = this.#state
    // Within bounds by the caller's loop.
    const id = this.#ids[position] as string
    const bytes = this.#writer.written
    if (this.#arena?.bytes !== bytes) this.#arena = arenaOf(bytes)
    return new PreparedEntity(
      id,
      this.#arena,
      this.#bounds,
      position * (indexes.length + 3),
      indexes,
      this.#madeFrom[position],
    )
  }
}

/** Writes all of an entity behind what is written, and its bounds behind those; answers its id. */
function writeEntity(
  target: KeyWriter,
  bounds: number[],
  state: CollectionState,
  entity: unknown,
  encoded?: Uint8Array,
): string {
  if (typeof entity !== 'object' || entity === null || Array.isArray(entity)) {
    throw new TypeError(`An entity of ${state.name} must be an object with an id`)
  }
  const { maxEntityBytes } = state
  const bytes = encoded ?? encodeEntity(entity, { maxEntityBytes })
  return writeEncoded(target, bounds, state, entity, bytes)
}

function writeEncoded(
  target: KeyWriter,
  bounds: number[],
  state: CollectionState,
  entity: object,
  bytes: Uint8Array,
): string {
  // The encoder let it through, or the decoder made it: a plain object without accessors.
  const { id } = entity as { readonly id?: unknown }
  assertId(id, state.maxIdBytes)
  if (state.schema !== undefined) assertFitsSchema(state.schema, state.name, entity, bytes)
  target.skip(HEADER_BYTES_MAX)
  bounds.push(target.length)
  target.raw(bytes)
  const idStart = target.length
  target.text(id)
  const idEnd = target.length
  bounds.push(idStart, idEnd)
  for (const index of state.indexes) {
    if (index.elementsAt < 0) writeIndexKey(target, index, entity, idStart, idEnd)
    else writeFramed(target, index, entity, idStart, idEnd)
    bounds.push(target.length)
  }
  return id
}

const LENGTH_BYTES = 4

function writeFramed(
  target: KeyWriter,
  plan: IndexPlan,
  entity: unknown,
  idStart: number,
  idEnd: number,
): void {
  const idKey = target.written.slice(idStart, idEnd)
  for (const key of listOf(elementKeys(plan, (field) => plan.readers[field]?.(entity), idKey))) {
    target.uint32(key.length)
    target.raw(key)
  }
}

/** Views, valid as long as `part`. */
function unframed(part: Uint8Array): readonly Uint8Array[] {
  const view = new DataView(part.buffer, part.byteOffset, part.byteLength)
  const keys: Uint8Array[] = []
  for (let at = 0; at < part.length; ) {
    const start = at + LENGTH_BYTES
    at = start + view.getUint32(at)
    keys.push(part.subarray(start, at))
  }
  return keys
}

/** Of an entity that is stored already, or about to be as it was received. */
export function indexKeysOf(state: CollectionState, idKey: Uint8Array, entity: unknown): IndexKeys {
  if (state.indexes.length === 0) return NO_KEYS
  return state.indexes.map((index) => {
    if (index.elementsAt >= 0) {
      return elementKeys(index, (field) => index.readers[field]?.(entity), idKey)
    }
    writer.reset()
    writer.raw(idKey)
    const start = writer.length
    writeIndexKey(writer, index, entity, 0, start)
    const key = writer.length === start ? undefined : writer.copyFrom(start)
    writer.reset()
    return key
  })
}
