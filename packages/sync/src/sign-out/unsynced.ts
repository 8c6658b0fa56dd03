/** The edits that the server has not accepted: what a sign-out would lose. */
import { type EntityRef, entityRef } from '../entity-ref.ts'
import { entityState } from '../explain/explain.ts'
import type { EntitySyncState } from '../explain/explanation.ts'
import type { SyncStore } from '../state/sync-store.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'

/** An entity with edits that the server has not accepted. */
export interface UnsyncedEntity extends EntityRef {
  readonly opType: 'PUT' | 'DELETE'
  /** `inFlight`: it was sent, and the answer is not known. */
  readonly state: Exclude<EntitySyncState, 'synced'>
}

/** What is not on the server, counted in entities. */
export interface UnsyncedReport {
  readonly pending: number
  readonly inFlight: number
  /** In a conflict, or in the group of one. */
  readonly held: number
  readonly rejected: number
  /** All of them. */
  readonly entities: readonly UnsyncedEntity[]
}

const STEP_ENTITIES = 500

export function hasUnsynced(store: SyncStore): boolean {
  if (store.edits.size > 0 || store.frozen !== null || store.state.offer !== null) return true
  for (const { group, sent } of store.notes.values())
    if (group !== null || sent !== null) return true
  return false
}

/** In the order in which sync came to know of them. */
export function unsyncedKeys(store: SyncStore): readonly string[] {
  const keys = new Set<string>(store.edits.entities)
  for (const key of store.inFlightKeys) keys.add(key)
  for (const key of setAsideKeys(store)) keys.add(key)
  return [...keys]
}

/** The opId of the last of the unsynced edits, whether it waits, was sent or is set aside; 0 when there is none. */
export async function lastUnsyncedOpId(tx: SyncTransaction, store: SyncStore): Promise<number> {
  const sent = store.frozen?.ops.at(-1)?.localOpId ?? 0
  let last = Math.max(store.edits.lastOpId, sent)
  const keys = [...setAsideKeys(store)]
  for (let at = 0; at < keys.length; at += STEP_ENTITIES) {
    const refs = keys.slice(at, at + STEP_ENTITIES).map(entityRef)
    for (const { pending, opId } of await tx.replica.states(refs)) {
      if (pending) last = Math.max(last, opId)
    }
  }
  return last
}

function* setAsideKeys({ notes }: SyncStore): Iterable<string> {
  for (const { id, group, sent } of notes.values()) if (group !== null || sent !== null) yield id
}

export async function reportUnsynced(store: SyncStore): Promise<UnsyncedReport> {
  await store.followFeed()
  const keys = unsyncedKeys(store)
  const entities: UnsyncedEntity[] = []
  for (let at = 0; at < keys.length; at += STEP_ENTITIES) {
    const step = keys.slice(at, at + STEP_ENTITIES)
    entities.push(...(await store.read((tx) => unsyncedOf(tx, store, step))))
  }
  const count = (state: UnsyncedEntity['state']): number =>
    entities.filter((entity) => entity.state === state).length
  return {
    pending: count('pending'),
    inFlight: count('inFlight'),
    held: count('held'),
    rejected: count('rejected'),
    entities,
  }
}

async function unsyncedOf(
  tx: SyncTransaction,
  store: SyncStore,
  keys: readonly string[],
): Promise<readonly UnsyncedEntity[]> {
  const refs = keys.map(entityRef)
  const states = await tx.replica.states(refs)
  return refs.flatMap((ref, index) => {
    const { pending = false, bytes = null } = states[index] ?? {}
    if (!pending) return []
    const state = entityState(store, ref)
    return {
      ...ref,
      opType: bytes === null ? ('DELETE' as const) : ('PUT' as const),
      state: state === 'synced' ? ('pending' as const) : state,
    }
  })
}
