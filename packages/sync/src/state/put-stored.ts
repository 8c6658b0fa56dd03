/** Writes a stored state over the present one as a local edit: what was kept, or exported. */
import type { EntityRef } from '../entity-ref.ts'
import type { RemoteState } from './rows.ts'
import type { SyncTransaction } from './sync-transaction.ts'

/** Errors: what `put` throws; `migration_failed`. */
export async function putStored(
  tx: SyncTransaction,
  { collection, entityId }: EntityRef,
  state: RemoteState,
): Promise<void> {
  const entity = tx.entityOf({ collection, entityId }, state)
  if (entity === null) return tx.delete(collection, entityId)
  await tx.put(collection, entity)
  const { base, schemaVersion } = await tx.replica.state(collection, entityId)
  if (schemaVersion === state.schemaVersion) return
  // What was there before says nothing about the version that it is of. Put over itself it is of its own, or migrated.
  const version = Math.max(1, state.version)
  await tx.replica.applyRaw({ ...state, collection, entityId, version })
  await tx.put(collection, entity)
  await tx.replica.rebase(collection, entityId, base)
}
