/** Stores what a resolver or a person made of the two sides of a conflict, as a local edit on the remote one. */
import type { SyncTransaction } from '../state/sync-transaction.ts'
import type { SyncedEntity } from './conflict-types.ts'
import type { MemberView } from './group-view.ts'

/**
 * It is put over the side that the newer version of the application wrote. Code of an older one that kept every field
 * of that has edited it, and such an edit stays of the newer version; see `docs/guide/migrations.md`.
 */
export async function putMerged(
  tx: SyncTransaction,
  { ref, state, conflict }: MemberView,
  entity: SyncedEntity,
): Promise<void> {
  if (conflict !== null) {
    const { remote } = conflict
    const isOfNewer = state.bytes === null || remote.schemaVersion > state.schemaVersion
    if (remote.bytes !== null && isOfNewer) await tx.replica.applyRaw({ ...ref, ...remote })
    else await tx.replica.rebase(ref.collection, ref.entityId, remote)
  }
  await tx.put(ref.collection, entity)
}
