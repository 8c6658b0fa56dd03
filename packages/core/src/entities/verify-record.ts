/** Whether what is stored under an id is an entity of that id. */
import { decodeEntity } from '../cbor/entity-decoder.ts'
import { bytesEqual } from '../store/bytes.ts'
import type { Reader } from '../store/key-value-store.ts'
import type { CollectionState } from './collection-state.ts'
import { idKeyOf, idOfKey } from './entity-id.ts'
import { type IndexedForm, indexedForm } from './indexed-form.ts'
import { decodeRecord, type StoredRecord } from './record.ts'
import { runSteps } from './steps.ts'
import { isUnmigrated } from './unmigrated.ts'

export interface CheckedForm extends IndexedForm {
  /** Nobody here can tell what its index entries are made of. */
  readonly isUnknown: boolean
}

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

/** What the index entries of an entity are made of. */
export async function readIndexedForm(
  view: Reader,
  state: CollectionState,
  idKey: Uint8Array,
  { stored, entity }: StoredEntity,
): Promise<CheckedForm> {
  if (stored.schemaVersion >= state.schemaVersion) {
    return { entity, isCurrent: true, isUnknown: false }
  }
  const form = indexedForm(state, idOfKey(idKey), stored)
  const isKnown =
    state.chain !== undefined || (await runSteps(isUnmigrated(view, state.name, idKey)))
  return { ...form, isUnknown: !isKnown }
}
