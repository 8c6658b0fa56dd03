/** The digest of what is stored, computed anew from one snapshot: nothing kept aside is believed. */
import { addDigests, emptyDigest, subtractDigests } from '@entidb/protocol'
import { entityRef } from '../entity-ref.ts'
import type { EngineSnapshot } from '../state/engine.ts'
import {
  FROZEN_COLLECTION,
  NOTES_COLLECTION,
  type NoteRow,
  STATE_COLLECTION,
  type StateRow,
} from '../state/rows.ts'
import { findStored, type StoredState, storedStates } from './stored-states.ts'

export interface StoredDigest {
  /** The digest is of everything up to here. */
  readonly cursor: number
  readonly generation: number
  readonly byCollection: ReadonlyMap<string, CollectionDigest>
}

export interface CollectionDigest {
  readonly digest: Uint8Array
  readonly entities: number
}

/** Edits that are not settled: `pending` ones will be by themselves, `held` ones wait for someone. */
export type Unsettled = 'pending' | 'held'

/** Of everything, also of what was evicted. */
export async function digestStored(
  snapshot: EngineSnapshot,
  turn: () => Promise<void>,
  signal: AbortSignal,
): Promise<StoredDigest | Unsettled> {
  const head = await readHead(snapshot)
  if (typeof head === 'string') return head
  const byCollection = new Map<string, CollectionDigest>()
  for await (const states of storedStates(snapshot, turn)) {
    signal.throwIfAborted()
    if (states.some(({ pending }) => pending)) return 'pending'
    for (const state of states) count(byCollection, state, 1)
  }
  return { ...head, byCollection }
}

/**
 * That of a later snapshot, from `digest` of the snapshot `before`, when nothing but `touched` has changed
 * between the two: in time proportional to that.
 */
export async function digestAfter(
  before: EngineSnapshot,
  digest: StoredDigest,
  snapshot: EngineSnapshot,
  touched: Iterable<string>,
): Promise<StoredDigest | Unsettled> {
  const head = await readHead(snapshot)
  if (typeof head === 'string') return head
  const byCollection = new Map(digest.byCollection)
  for (const ref of [...touched].map(entityRef)) {
    const [was, is] = [await findStored(before, ref), await findStored(snapshot, ref)]
    if (is?.pending === true) return 'pending'
    if (was !== undefined) count(byCollection, was, -1)
    if (is !== undefined) count(byCollection, is, 1)
  }
  return { ...head, byCollection }
}

/** What the snapshot says of itself, or why it is not to be compared. */
async function readHead(
  snapshot: EngineSnapshot,
): Promise<Pick<StoredDigest, 'cursor' | 'generation'> | Unsettled> {
  for await (const note of snapshot.rows(NOTES_COLLECTION)) {
    // As sync wrote it.
    if ((note as NoteRow).group !== null) return 'held'
  }
  // Written by sync itself, before the first cycle.
  const { cursor, generation, offer } = (await snapshot.get(STATE_COLLECTION, 'state')) as StateRow
  const frozen = await snapshot.get(FROZEN_COLLECTION, 'batch')
  return offer !== null || frozen !== undefined ? 'pending' : { cursor, generation }
}

function count(
  byCollection: Map<string, CollectionDigest>,
  { collection, digest }: Pick<StoredState, 'collection' | 'digest'>,
  sign: 1 | -1,
): void {
  const sum = byCollection.get(collection) ?? { digest: emptyDigest(), entities: 0 }
  const combine = sign === 1 ? addDigests : subtractDigests
  const entities = sum.entities + sign
  if (entities === 0) byCollection.delete(collection)
  else byCollection.set(collection, { digest: combine(sum.digest, digest), entities })
}

export function totalOf({ byCollection }: StoredDigest): CollectionDigest {
  let digest = emptyDigest()
  let entities = 0
  for (const sum of byCollection.values()) {
    digest = addDigests(digest, sum.digest)
    entities += sum.entities
  }
  return { digest, entities }
}
