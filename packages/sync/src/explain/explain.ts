/** `sync.explain`: puts together what is known of one entity. */
import { viewGroup } from '../conflicts/group-view.ts'
import { openConflicts, rejectionOf } from '../conflicts/sides.ts'
import { type EntityRef, entityKey } from '../entity-ref.ts'
import { findEvicted } from '../evict/evicted-rows.ts'
import type { LedgerEntry } from '../ledger/ledger-types.ts'
import { readEntries } from '../ledger/read-entries.ts'
import type { SyncStore } from '../state/sync-store.ts'
import type { HttpTransport } from '../transport/http-transport.ts'
import type { EntitySyncState, SyncExplanation } from './explanation.ts'
import { linesOf } from './lines.ts'
import { authorOf } from './revision-author.ts'

const TRANSACTIONS_MAX = 20

export interface ExplainContext {
  readonly store: SyncStore
  readonly transport: HttpTransport
}

export async function explainEntity(
  context: ExplainContext,
  ref: EntityRef,
  signal: AbortSignal,
): Promise<SyncExplanation> {
  const { store } = context
  await store.followFeed()
  const known = await store.read(async (tx) => {
    const { bytes, pending, version } = await tx.replica.state(ref.collection, ref.entityId)
    const group = tx.findNote(entityKey(ref))?.group ?? null
    const view = group === null ? undefined : await viewGroup(tx, group, store.edits)
    const evicted = pending ? undefined : await findEvicted(tx, ref)
    const absent = evicted === undefined ? 'nothing' : 'evicted'
    const shows: SyncExplanation['shows'] = bytes === null ? absent : pending ? 'local' : 'remote'
    return {
      state: entityState(store, ref),
      shows,
      revision: evicted?.version ?? version,
      conflict: (view && openConflicts(view).find(isOf(ref))) ?? null,
      rejection: (view && rejectionOf(view)) ?? null,
      transactions: transactionsOf(await readEntries(tx, store), ref),
    }
  })
  const answer = await authorOf(ref, known.revision, known.transactions, context, signal)
  const { collection, entityId } = ref
  const explanation = { collection, entityId, ...known, ...answer }
  return { ...explanation, lines: linesOf(explanation) }
}

/** What sync knows of an entity at this moment, from memory. */
export function entityState(store: SyncStore, ref: EntityRef): EntitySyncState {
  const key = entityKey(ref)
  const note = store.notes.get(key)
  if (note !== undefined && note.group !== null) {
    return note.rejection === null ? 'held' : 'rejected'
  }
  if (store.isInFlight(key)) return 'inFlight'
  return store.edits.has(key) ? 'pending' : 'synced'
}

function isOf(ref: EntityRef): (other: EntityRef) => boolean {
  return (other) => entityKey(other) === entityKey(ref)
}

function transactionsOf(
  entries: ReadonlyMap<number, LedgerEntry>,
  ref: EntityRef,
): readonly LedgerEntry[] {
  return [...entries]
    .filter(([, { entities }]) => entities.some(isOf(ref)))
    .sort(([a], [b]) => b - a)
    .map(([, entry]) => entry)
    .slice(0, TRANSACTIONS_MAX)
}
