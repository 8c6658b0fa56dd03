/** The digest of what is stored, computed anew from one snapshot: nothing kept aside is believed. */
import { addDigests, emptyDigest } from '@entidb/protocol'
import type { EngineSnapshot } from '../state/engine.ts'
import {
  EVICTED_COLLECTION,
  type EvictedRow,
  FROZEN_COLLECTION,
  NOTES_COLLECTION,
  type NoteRow,
  STATE_COLLECTION,
  type StateRow,
} from '../state/rows.ts'
import { type StoredState, storedStates } from './stored-states.ts'

export interface StoredDigest {
  /** The digest is of everything up to here. */
  readonly cursor: number
  readonly total: Uint8Array
  readonly byCollection: ReadonlyMap<string, CollectionDigest>
  readonly entities: number
}

export interface CollectionDigest {
  digest: Uint8Array
  entities: number
}

/** Edits that are not settled: `pending` ones will be by themselves, `held` ones wait for someone. */
export type Unsettled = 'pending' | 'held'

export async function digestStored(
  snapshot: EngineSnapshot,
  turn: () => Promise<void>,
  signal: AbortSignal,
): Promise<StoredDigest | Unsettled> {
  // Written by sync itself, before the first cycle.
  const { cursor, offer } = (await snapshot.get(STATE_COLLECTION, 'state')) as StateRow
  if (await isHeld(snapshot)) return 'held'
  if (offer !== null || (await snapshot.get(FROZEN_COLLECTION, 'batch')) !== undefined) {
    return 'pending'
  }
  const byCollection = new Map<string, CollectionDigest>()
  let entities = 0
  for await (const states of storedStates(snapshot, turn)) {
    signal.throwIfAborted()
    if (states.some(({ pending }) => pending)) return 'pending'
    for (const state of states) addTo(byCollection, state)
    entities += states.length
  }
  for await (const row of snapshot.rows(EVICTED_COLLECTION)) {
    // As sync wrote it.
    addTo(byCollection, row as EvictedRow)
    entities += 1
  }
  let total = emptyDigest()
  for (const { digest } of byCollection.values()) total = addDigests(total, digest)
  return { cursor, total, byCollection, entities }
}

function addTo(
  byCollection: Map<string, CollectionDigest>,
  { collection, digest }: Pick<StoredState, 'collection' | 'digest'>,
): void {
  const sum = byCollection.get(collection) ?? { digest: emptyDigest(), entities: 0 }
  sum.digest = addDigests(sum.digest, digest)
  sum.entities += 1
  byCollection.set(collection, sum)
}

async function isHeld(snapshot: EngineSnapshot): Promise<boolean> {
  for await (const note of snapshot.rows(NOTES_COLLECTION)) {
    // As sync wrote it.
    if ((note as NoteRow).group !== null) return true
  }
  return false
}
