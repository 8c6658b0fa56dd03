/**
 * What index entries are made of: the entity as readers see it. One that no migration brings up, which only
 * replication can have brought, has those of its stored form until some code can, and is remembered
 * (`unmigrated.ts`): an entity that cannot be read must not stop others from being written.
 */
import { decodeEntity } from '../cbor/entity-decoder.ts'
import { isEntiDBError } from '../errors/entidb-error.ts'
import type { CollectionState } from './collection-state.ts'
import type { StoredForm } from './migration-chain.ts'

export interface IndexedForm {
  readonly entity: unknown
  /** False: it is the stored form, of an older version. */
  readonly isCurrent: boolean
  /** Why; undefined when nobody knows the migrations of the collection. */
  readonly failure?: Error
}

export function indexedForm(state: CollectionState, id: string, stored: StoredForm): IndexedForm {
  const { record, entityStart, schemaVersion } = stored
  const { chain } = state
  if (schemaVersion >= state.schemaVersion) {
    return { entity: decodeEntity(record, entityStart), isCurrent: true }
  }
  if (chain === undefined) return { entity: decodeEntity(record, entityStart), isCurrent: false }
  try {
    const bytes = chain.upgrade(id, stored, state.schemaVersion)
    return { entity: decodeEntity(bytes), isCurrent: true }
  } catch (failure) {
    if (!isEntiDBError(failure, 'migration_failed')) throw failure
    return { entity: decodeEntity(record, entityStart), isCurrent: false, failure }
  }
}
