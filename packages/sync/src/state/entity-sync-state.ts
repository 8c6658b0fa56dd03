import type { SyncStore } from './sync-store.ts'

/** What sync knows of one entity. */
export type EntitySyncState = 'synced' | 'pending' | 'inFlight' | 'held' | 'rejected'

/** From memory, by `entityKey`. */
export function entitySyncState(store: SyncStore, key: string): EntitySyncState {
  const note = store.notes.get(key)
  if (note !== undefined && note.group !== null) {
    return note.rejection === null ? 'held' : 'rejected'
  }
  if (store.isInFlight(key)) return 'inFlight'
  return store.edits.has(key) ? 'pending' : 'synced'
}
