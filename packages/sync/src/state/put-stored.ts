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
  if (schemaVersion >= state.schemaVersion) return
  // A newer application wrote it. Put over itself it stays of that version: nobody must migrate it again.
  const version = Math.max(1, state.version)
  await tx.replica.applyRaw({ ...state, collection, entityId, version })
  await tx.put(collection, entity)
  await tx.replica.rebase(collection, entityId, base)
}
