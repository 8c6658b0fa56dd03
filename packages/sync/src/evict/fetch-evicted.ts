/**
 * `sync.fetch`: brings evicted entities back. The protocol has no way to ask for one entity, so their
 * collection is pulled from the beginning, until all of them have come by.
 */
import type { ExclusiveTurn } from '../cycle/cycle-driver.ts'
import { learnContext, type SyncContext } from '../cycle/sync-context.ts'
import { serverOperations } from '../verify/server-states.ts'
import { storeOperations } from '../verify/store-operations.ts'
import { findEvicted } from './evicted-rows.ts'

const STEP_IDS = 500
/** Between the looks a cycle brings what the server has changed meanwhile. */
const LOOKS_MAX = 3

/** Returns the ids that are still evicted: the server moved on all the while. */
export async function fetchEvicted(
  context: SyncContext,
  { cycle, signal }: ExclusiveTurn,
  collection: string,
  ids: readonly string[],
): Promise<readonly string[]> {
  const evicted = await evictedOf(context, collection, ids)
  if (evicted.size === 0) context.store.engine.assertDefined(collection)
  for (let look = 1; ; look++) {
    await cycle()
    const wanted = await evictedOf(context, collection, ids)
    if (wanted.size === 0 || look > LOOKS_MAX) return [...wanted.keys()]
    await storeWanted(context, collection, wanted, signal)
  }
}

/** Revisions of those that are evicted, by id. */
async function evictedOf(
  { store }: SyncContext,
  collection: string,
  ids: readonly string[],
): Promise<Map<string, number>> {
  const evicted = new Map<string, number>()
  for (let at = 0; at < ids.length; at += STEP_IDS) {
    await store.read(async (tx) => {
      for (const entityId of ids.slice(at, at + STEP_IDS)) {
        const row = await findEvicted(tx, { collection, entityId })
        if (row !== undefined) evicted.set(entityId, row.version)
      }
    })
  }
  return evicted
}

async function storeWanted(
  context: SyncContext,
  collection: string,
  evicted: ReadonlyMap<string, number>,
  signal: AbortSignal,
): Promise<void> {
  const wanted = new Map(evicted)
  const learning = learnContext(context)
  for await (const ops of serverOperations(context, new Set([collection]), signal)) {
    const found = ops.filter((op) => wanted.get(op.entityId) === op.entityVersion)
    for (const { entityId } of found) wanted.delete(entityId)
    if (found.length > 0) {
      await context.store.applying((tx) => storeOperations(tx, found, learning))
    }
    if (wanted.size === 0) return
  }
}
