/**
 * One index of a collection, ready for use: how to get its keys from an entity, and what an entry
 * looks like.
 *
 * An entry's key is the encoded fields, a separator, and the entity's id, so that two entities with the
 * same values both fit, also in a unique index that sync made to tolerate them. Its value is the length
 * of the id in bytes.
 */

import { varintBytes, writeVarint } from '../store/varint.ts'
import type { Direction } from './collection-definition.ts'
import { type FieldReader, fieldReader } from './field-path.ts'
import { FieldReaderCursor } from './field-reader-cursor.ts'
import type { KeyWriter } from './key-writer.ts'

export interface IndexFieldSpec {
  readonly path: string
  readonly direction: Direction
  /** Each element of the list at `path` has an entry. Of one field at most. */
  readonly elements?: true
}

/** The definition in the one form that is stored: what must be equal for the entries to stay valid. */
export interface IndexSpec {
  readonly fields: readonly IndexFieldSpec[]
  readonly unique: boolean
  readonly sparse: boolean
}

export interface IndexPlan extends IndexSpec {
  readonly name: string
  readonly table: string
  readonly readers: readonly FieldReader[]
  /** The field whose elements have entries (`entry-keys.ts`); -1 where an entity has one entry. */
  readonly elementsAt: number
}

/** Above every id, below every continuation of an escaped text. */
export const ID_SEPARATOR = 0x01

export function createIndexPlan(collection: string, name: string, spec: IndexSpec): IndexPlan {
  return {
    fields: spec.fields,
    unique: spec.unique,
    sparse: spec.sparse,
    name,
    table: indexTable(collection, name),
    readers: spec.fields.map(({ path }) => fieldReader(path)),
    elementsAt: spec.fields.findIndex(({ elements }) => elements === true),
  }
}

export function indexTable(collection: string, name: string): string {
  return `i:${collection}:${name}`
}

/**
 * Appends the key of an entity's one entry; nothing when a sparse index leaves the entity out. The id's bytes
 * are `[idStart, idEnd)` of what `writer` holds.
 */
export function writeIndexKey(
  writer: KeyWriter,
  plan: IndexPlan,
  entity: unknown,
  idStart: number,
  idEnd: number,
): void {
  const { readers, fields, sparse } = plan
  const keyStart = writer.length
  for (let i = 0; i < readers.length; i++) {
    const value = readers[i]?.(entity)
    if (value === undefined && sparse) {
      writer.truncate(keyStart)
      return
    }
    const start = writer.length
    writer.value(value)
    if (fields[i]?.direction === 'desc') writer.invertFrom(start)
  }
  writer.byte(ID_SEPARATOR)
  writer.repeat(idStart, idEnd)
}

/** The key of an entry with these encoded fields. */
export function entryKey(fields: Uint8Array, idKey: Uint8Array): Uint8Array {
  const key = new Uint8Array(fields.length + 1 + idKey.length)
  key.set(fields)
  key[fields.length] = ID_SEPARATOR
  key.set(idKey, fields.length + 1)
  return key
}

const entryValues: Uint8Array[] = []

export function indexEntryValue(idKey: Uint8Array): Uint8Array {
  const length = idKey.length
  let value = entryValues[length]
  if (value === undefined) {
    value = new Uint8Array(varintBytes(length))
    writeVarint(value, 0, length)
    entryValues[length] = value
  }
  return value
}

/** The id's bytes: the key of the record. */
export function idKeyOfEntry(key: Uint8Array, value: Uint8Array): Uint8Array {
  return key.subarray(key.length - new FieldReaderCursor(value).varint())
}
