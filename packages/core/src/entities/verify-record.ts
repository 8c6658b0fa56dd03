/** Whether what is stored under an id is an entity of that id. */
import { decodeEntity } from '../cbor/entity-decoder.ts'
import { bytesEqual } from '../store/bytes.ts'
import { idKeyOf } from './entity-id.ts'
import { decodeRecord, type StoredRecord } from './record.ts'

export interface StoredEntity {
  readonly stored: StoredRecord
  readonly entity: object
}

/** The entity; a text says what is wrong with it. */
export function readStoredEntity(idKey: Uint8Array, record: Uint8Array): StoredEntity | string {
  try {
    const stored = decodeRecord(record)
    // Refuses all that is not deterministic CBOR.
    const entity = decodeEntity(record, stored.entityStart)
    if (typeof entity !== 'object' || entity === null || Array.isArray(entity)) {
      return 'is not an object'
    }
    const { id } = entity as { readonly id?: unknown }
    if (typeof id !== 'string') return 'has no id'
    if (!bytesEqual(idKeyOf(id), idKey)) return `has the id ${id}`
    return { stored, entity }
  } catch (error) {
    return `cannot be read: ${error instanceof Error ? error.message : String(error)}`
  }
}
