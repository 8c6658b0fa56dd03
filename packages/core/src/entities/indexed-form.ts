/**
 * What index entries are made of: the entity as readers see it. One that no migration brings up, which only
 * replication can have brought, has those of its stored form until some code can, and is remembered
 * (`unmigrated.ts`): an entity that cannot be read must not stop others from being written.
 */
import { isEntiDBError } from '../errors/entidb-error.ts'
import type { CollectionState } from './collection-state.ts'
import type { StoredForm } from './migration-chain.ts'

export interface IndexedForm {
  /** CBOR of the entity. */
  readonly bytes: Uint8Array
  /** False: it is the stored form, of an older version. */
  readonly isCurrent: boolean
  /** Why; undefined when nobody knows the migrations of the collection. */
  readonly failure?: Error
}

export function indexedForm(
  { chain, schemaVersion }: Pick<CollectionState, 'chain' | 'schemaVersion'>,
  id: string,
  stored: StoredForm,
): IndexedForm {
  const asStored = stored.record.subarray(stored.entityStart)
  if (stored.schemaVersion >= schemaVersion) return { bytes: asStored, isCurrent: true }
  if (chain === undefined) return { bytes: asStored, isCurrent: false }
  try {
    return { bytes: chain.upgrade(id, stored, schemaVersion), isCurrent: true }
  } catch (failure) {
    if (!isEntiDBError(failure, 'migration_failed')) throw failure
    return { bytes: asStored, isCurrent: false, failure }
  }
}
