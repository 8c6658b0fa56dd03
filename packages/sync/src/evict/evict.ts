/**
 * `sync.evict`: drops local copies without deleting them anywhere. An entity with a local edit that is not
 * settled is never dropped.
 */
import { EntiDBError } from '@entidb/core'
import { entityKey } from '../entity-ref.ts'
import type { NoteRow } from '../state/rows.ts'
import type { SyncStore } from '../state/sync-store.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'
import { rememberEvicted } from './evicted-rows.ts'

/** Options of `evict`. */
export interface EvictOptions {
  /**
   * Entities with edits that are not settled: `refuse` the call, or `skip` them and evict the others. Default
   * `refuse`.
   */
  readonly unsynced?: 'refuse' | 'skip'
}

/** What `evict` did. */
export interface EvictResult {
  /** Local copies that were dropped; ids without one are not counted. */
  readonly evicted: number
  /** With `skip`: those that stayed because an edit of them is not settled. */
  readonly skipped: readonly string[]
}

/** In one transaction: writers wait for some milliseconds at most. */
const STEP_IDS = 200
const NAMED_MAX = 100

export async function evict(
  store: SyncStore,
  collection: string,
  ids: readonly string[],
  { unsynced = 'refuse' }: EvictOptions,
): Promise<EvictResult> {
  if (unsynced !== 'refuse' && unsynced !== 'skip') {
    throw new TypeError("unsynced is 'refuse' or 'skip'")
  }
  const steps = stepsOf(ids)
  if (unsynced === 'refuse' && steps.length > 1) {
    for (const step of steps) {
      await store.read(async (tx) => {
        assertSynced(collection, (await sorted(tx, store, collection, step)).unsynced)
      })
    }
  }
  let evicted = 0
  const skipped: string[] = []
  for (const step of steps) {
    const done = await store.applying(async (tx) => {
      const { present, unsynced: edited } = await sorted(tx, store, collection, step)
      if (unsynced === 'refuse') assertSynced(collection, edited)
      for (const { entityId, version, bytes } of present) {
        await rememberEvicted(tx, { collection, entityId }, version, bytes)
        await tx.replica.evict(collection, entityId)
      }
      return { evicted: present.length, skipped: edited }
    })
    evicted += done.evicted
    skipped.push(...done.skipped)
  }
  // What a newer application defined may be here all the same, and is evicted like any other.
  if (evicted + skipped.length === 0) store.engine.assertDefined(collection)
  return { evicted, skipped }
}

/** Each id once. */
function stepsOf(ids: readonly string[]): readonly (readonly string[])[] {
  const distinct = [...new Set(ids)]
  const steps: (readonly string[])[] = []
  for (let at = 0; at < distinct.length; at += STEP_IDS) {
    steps.push(distinct.slice(at, at + STEP_IDS))
  }
  return steps
}

interface SortedIds {
  readonly present: readonly {
    readonly entityId: string
    readonly version: number
    readonly bytes: Uint8Array
  }[]
  readonly unsynced: readonly string[]
}

async function sorted(
  tx: SyncTransaction,
  store: SyncStore,
  collection: string,
  ids: readonly string[],
): Promise<SortedIds> {
  const states = await tx.replica.states(ids.map((entityId) => ({ collection, entityId })))
  const present: SortedIds['present'][number][] = []
  const unsynced: string[] = []
  for (const [index, entityId] of ids.entries()) {
    const key = entityKey({ collection, entityId })
    const { pending = false, bytes = null, version = 0 } = states[index] ?? {}
    if (pending || store.isInFlight(key) || isOpen(tx.findNote(key))) unsynced.push(entityId)
    else if (bytes !== null) present.push({ entityId, version, bytes })
  }
  return { present, unsynced }
}

function isOpen(note: NoteRow | undefined): boolean {
  return note !== undefined && (note.group !== null || note.sent !== null)
}

function assertSynced(collection: string, ids: readonly string[]): void {
  const [first] = ids
  if (first === undefined) return
  throw new EntiDBError(
    'entity_unsynced',
    `${first} in ${collection} has edits that are not synced: it can be evicted when they are settled`,
    { details: { collection, ids: ids.slice(0, NAMED_MAX) } },
  )
}
