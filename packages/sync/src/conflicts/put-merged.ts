/** Stores what a resolver or a person made of the two sides of conflicts, as local edits on the remote ones. */
import { encodeEntity } from '@entidb/core/cbor'
import type { ReplicaState } from '@entidb/core/replication'
import { sameBytes } from '../same-bytes.ts'
import { type Content, sameState } from '../same-state.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'
import type { SyncedEntity } from './conflict-types.ts'
import type { MemberView, OpenConflictNote } from './group-view.ts'
import { settleNote } from './learn-remote.ts'
import { migratedOrStored } from './sides.ts'

/** How large an entity may be is for `put` to say. */
const NO_LIMIT = { maxEntityBytes: Number.MAX_SAFE_INTEGER }

export interface Merge {
  readonly member: MemberView
  readonly entity: SyncedEntity
}

/**
 * Each is put over the side that the newer version of the application wrote. Code of an older one that kept every field
 * of that has edited it, and such an edit stays of the newer version; see `docs/guide/migrations.md`. What is one side
 * as it was is of that side's version.
 *
 * One that turns out to be what the server has is settled at once: it is no edit that could meet the server's next one.
 * The states that they came to, in their order.
 */
export async function putMerged(
  tx: SyncTransaction,
  merges: readonly Merge[],
): Promise<readonly ReplicaState[]> {
  const overLocal: Merge[] = []
  const overRemote: MergeOverRemote[] = []
  for (const merge of merges) {
    if (isOverRemote(merge)) overRemote.push(merge)
    else overLocal.push(merge)
  }
  for (const { member } of overLocal) await rebaseOnRemote(tx, member)
  const byCollection = new Map<string, SyncedEntity[]>()
  for (const { member, entity } of overLocal) {
    const entities = byCollection.get(member.ref.collection) ?? []
    byCollection.set(member.ref.collection, entities)
    entities.push(entity)
  }
  for (const [collection, entities] of byCollection) await tx.putAll(collection, entities)
  for (const { member, entity } of overRemote) {
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

interface MergeOverRemote extends Merge {
  readonly member: MemberView & { readonly conflict: OpenConflictNote }
}

function isOverRemote(merge: Merge): merge is MergeOverRemote {
  const { state, conflict } = merge.member
  if (conflict === null || conflict.remote.bytes === null) return false
  const { remote } = conflict
  if (state.bytes === null) return true
  if (remote.schemaVersion === state.schemaVersion) return false
  if (isSide(merge, remote)) return true
  return remote.schemaVersion > state.schemaVersion && !isSide(merge, state)
}

/** Is what was made of both sides this one, as the application was shown it? */
function isSide({ member: { ref, entityOf }, entity }: Merge, side: Content): boolean {
  const shown = migratedOrStored(entityOf, ref, side)
  return shown !== null && sameBytes(encodeEntity(shown, NO_LIMIT), encodeEntity(entity, NO_LIMIT))
}

/** The local side, where there is a conflict, on the remote one. */
export async function rebaseOnRemote(
  tx: SyncTransaction,
  { ref, conflict }: MemberView,
): Promise<void> {
  if (conflict !== null) await tx.replica.rebase(ref.collection, ref.entityId, conflict.remote)
}
