/**
 * An entity as bytes that replication brought: checked as a whole, and its index keys made without
 * building it.
 */
import { decodeEntity } from '../cbor/entity-decoder.ts'
import { EntityScanner } from '../cbor/entity-scanner.ts'
import { invalidCbor } from '../cbor/invalid-cbor.ts'
import { EntiDBError } from '../errors/entidb-error.ts'
import type { CollectionState } from './collection-state.ts'
import { idOfKey } from './entity-id.ts'
import { type EntryKeys, elementKeys } from './entry-keys.ts'
import { fieldReader } from './field-path.ts'
import { ID_SEPARATOR, type IndexPlan } from './index-plan.ts'
import { KeyWriter } from './key-writer.ts'

/** Where a field of an index is found. */
interface FieldPlan {
  /** Of its first name among the scanner's. */
  readonly slot: number
  /** Reads the rest of the path; undefined when there is none. */
  readonly rest: ((value: unknown) => unknown) | undefined
  readonly isDescending: boolean
}

interface KeyPlan {
  readonly plan: IndexPlan
  readonly fields: readonly FieldPlan[]
}

const ID_SLOT = 0
const TEXT = 3
const writer = new KeyWriter()
const readers = new WeakMap<CollectionState, RawEntityReader>()

/** The reader for a collection as it is defined now. */
export function rawEntityReader(state: CollectionState): RawEntityReader {
  let reader = readers.get(state)
  if (reader === undefined) {
    reader = new RawEntityReader(state.indexes)
    readers.set(state, reader)
  }
  return reader
}

export class RawEntityReader {
  readonly #scanner: EntityScanner
  readonly #keys: readonly KeyPlan[]

  constructor(indexes: readonly IndexPlan[]) {
    const names = ['id']
    this.#keys = indexes.map((plan) => ({
      plan,
      fields: plan.fields.map(({ path, direction }) => {
        const [name = path, ...rest] = path.split('.')
        if (!names.includes(name)) names.push(name)
        return {
          slot: names.indexOf(name),
          rest: rest.length === 0 ? undefined : fieldReader(rest.join('.')),
          isDescending: direction === 'desc',
        }
      }),
    }))
    this.#scanner = new EntityScanner(names)
  }

  /**
   * Checks the entity that `keysOf` is then asked about. Errors: `invalid_cbor`, also without an id that is
   * text; `invalid_entity` when the id is not the one of `idKey`.
   */
  read(collection: string, idKey: Uint8Array, bytes: Uint8Array): void {
    const { starts, ends } = this.#scanner
    this.#scanner.scan(bytes)
    const start = starts[ID_SLOT] as number
    if (start < 0) throw invalidCbor(0, 'missing_id')
    if ((bytes[start] as number) >>> 5 !== TEXT) throw invalidCbor(start, 'unexpected_type')
    const end = ends[ID_SLOT] as number
    if (isText(bytes, start, end, idKey)) return
    throw otherId(collection, idOfKey(idKey), decodeEntity(bytes, start, end))
  }

  /** Those in the index at `index`. */
  keysOf(index: number, idKey: Uint8Array, bytes: Uint8Array): EntryKeys {
    const { fields, plan } = this.#keys[index] as KeyPlan
    if (plan.elementsAt >= 0) {
      return elementKeys(plan, (field) => this.#valueOf(bytes, fields[field] as FieldPlan), idKey)
    }
    writer.reset()
    for (const { slot, rest, isDescending } of fields) {
      const start = writer.length
      const isThere = this.#writeField(bytes, slot, rest)
      if (!isThere && plan.sparse) return undefined
      if (isDescending) writer.invertFrom(start)
    }
    writer.byte(ID_SEPARATOR)
    writer.raw(idKey)
    return writer.copyFrom(0)
  }

  /** False for a field that is missing, which is written as null. */
  #writeField(bytes: Uint8Array, slot: number, rest: FieldPlan['rest']): boolean {
    const start = this.#scanner.starts[slot] as number
    if (start < 0) {
      writer.value(undefined)
      return false
    }
    const end = this.#scanner.ends[slot] as number
    const initial = bytes[start] as number
    if (rest === undefined && initial >>> 5 === TEXT) {
      writer.utf8String(bytes, start + headBytes(initial), end)
      return true
    }
    const field = this.#valueOf(bytes, { slot, rest })
    writer.value(field)
    return field !== undefined
  }

  #valueOf(bytes: Uint8Array, { slot, rest }: Pick<FieldPlan, 'slot' | 'rest'>): unknown {
    const start = this.#scanner.starts[slot] as number
    if (start < 0) return undefined
    const value = decodeEntity(bytes, start, this.#scanner.ends[slot] as number)
    return rest === undefined ? value : rest(value)
  }
}

/** Bytes of the head of a sound item. */
function headBytes(initial: number): number {
  const info = initial & 0x1f
  return info < 24 ? 1 : 1 + (1 << (info - 24))
}

function otherId(collection: string, id: string, found: unknown): EntiDBError {
  return new EntiDBError('invalid_entity', `The bytes of ${id} in ${collection} are of ${found}`, {
    details: { path: 'id', reason: 'other_id' },
  })
}

function isText(bytes: Uint8Array, start: number, end: number, text: Uint8Array): boolean {
  const textStart = start + headBytes(bytes[start] as number)
  if (end - textStart !== text.length) return false
  for (let i = 0; i < text.length; i++) if (bytes[textStart + i] !== text[i]) return false
  return true
}
