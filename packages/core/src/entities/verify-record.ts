/** Whether what is stored under an id is an entity of that id. */
import { decodeEntity } from '../cbor/entity-decoder.ts'
import { bytesEqual } from '../store/bytes.ts'
import type { Reader } from '../store/key-value-store.ts'
import type { CollectionState } from './collection-state.ts'
import { idKeyOf, idOfKey } from './entity-id.ts'
import { indexedForm } from './indexed-form.ts'
import { decodeRecord, type StoredRecord } from './record.ts'
import { runSteps } from './steps.ts'
import { isUnmigrated } from './unmigrated.ts'

/** What the index entries of an entity are made of. */
export interface CheckedForm {
  readonly entity: unknown
  /** Nobody here can tell. */
  readonly isUnknown: boolean
  /** Why it is the stored form, of an older version. */
  readonly failure?: Error | undefined
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

export async function readIndexedForm(
  view: Reader,
  state: CollectionState,
  idKey: Uint8Array,
  { stored, entity }: StoredEntity,
): Promise<CheckedForm> {
  if (stored.schemaVersion >= state.schemaVersion) return { entity, isUnknown: false }
  const isKnown =
    state.chain !== undefined || (await runSteps(isUnmigrated(view, state.name, idKey)))
  const { bytes, failure } = indexedForm(state, idOfKey(idKey), stored)
  return { entity: decodeEntity(bytes), isUnknown: !isKnown, failure }
}
