/** Stores what a resolver or a person made of the two sides of conflicts, as local edits on the remote ones. */
import type { ReplicaState } from '@entidb/core/replication'
import { sameState } from '../same-state.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'
import type { SyncedEntity } from './conflict-types.ts'
import type { MemberView } from './group-view.ts'
import { settleNote } from './learn-remote.ts'

export interface Merge {
  readonly member: MemberView
  readonly entity: SyncedEntity
}

/**
 * Each is put over the side that the newer version of the application wrote. Code of an older one that kept every field
 * of that has edited it, and such an edit stays of the newer version; see `docs/guide/migrations.md`.
 *
 * One that turns out to be what the server has is settled at once: it is no edit that could meet the server's next one.
 * The states that they came to, in their order.
 */
export async function putMerged(
  tx: SyncTransaction,
  merges: readonly Merge[],
): Promise<readonly ReplicaState[]> {
  const overLocal = merges.filter(({ member }) => !isRemoteNewer(member))
  for (const { member } of overLocal) await rebaseOnRemote(tx, member)
  const byCollection = new Map<string, SyncedEntity[]>()
  for (const { member, entity } of overLocal) {
    const entities = byCollection.get(member.ref.collection) ?? []
    byCollection.set(member.ref.collection, entities)
    entities.push(entity)
  }
  for (const [collection, entities] of byCollection) await tx.putAll(collection, entities)
  for (const { member, entity } of merges) {
    if (!isRemoteNewer(member)) continue
    await tx.replica.applyRaw({ ...member.ref, ...member.conflict.remote })
    await tx.put(member.ref.collection, entity)
  }
  const states = await tx.replica.states(merges.map(({ member }) => member.ref))
  for (const [index, { member }] of merges.entries()) {
    // As many states as merges.
    await settleIfRemote(tx, member, states[index] as ReplicaState)
  }
  return states
}

async function settleIfRemote(
  tx: SyncTransaction,
  { ref, conflict }: MemberView,
  state: ReplicaState,
): Promise<void> {
  if (conflict === null || !sameState(state, conflict.remote)) return
  await tx.replica.settle(ref.collection, ref.entityId, conflict.remote, state.opId)
  settleNote(tx, ref, state.opId)
}

function isRemoteNewer(
  member: MemberView,
): member is MemberView & { readonly conflict: NonNullable<MemberView['conflict']> } {
  const { state, conflict } = member
  if (conflict === null || conflict.remote.bytes === null) return false
  return state.bytes === null || conflict.remote.schemaVersion > state.schemaVersion
}

/** The local side, where there is a conflict, on the remote one. */
export async function rebaseOnRemote(
  tx: SyncTransaction,
  { ref, conflict }: MemberView,
): Promise<void> {
  if (conflict !== null) await tx.replica.rebase(ref.collection, ref.entityId, conflict.remote)
}
