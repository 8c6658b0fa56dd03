/**
 * Gives divergent entities the server's state: exactly those, and none with a local edit. Each step is one
 * transaction; what was repaired stays when the rest does not happen.
 */

import { removeClean } from '../conflicts/learn-remote.ts'
import { learnContext, type SyncContext } from '../cycle/sync-context.ts'
import { entityKey } from '../entity-ref.ts'
import { forgetEvicted } from '../evict/evicted-rows.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'
import { serverOperations } from './server-states.ts'
import { storeOperations } from './store-operations.ts'
import type { DivergentEntity } from './verify-result.ts'

const STEP_ENTITIES = 200

/** Returns those that have the server's state now. */
export async function repair(
  context: SyncContext,
  divergent: readonly DivergentEntity[],
  signal: AbortSignal,
): Promise<readonly DivergentEntity[]> {
  const absent = divergent.filter(({ serverVersion }) => serverVersion === 0)
  const named = new Map(
    divergent
      .filter(({ serverVersion }) => serverVersion > 0)
      .map((each) => [entityKey(each), each]),
  )
  const repaired: DivergentEntity[] = []
  for (let at = 0; at < absent.length; at += STEP_ENTITIES) {
    const step = absent.slice(at, at + STEP_ENTITIES)
    repaired.push(...(await context.store.applying((tx) => removeAll(tx, step))))
  }
  if (named.size === 0) return repaired
  const collections = new Set([...named.values()].map(({ collection }) => collection))
  const learning = learnContext(context)
  for await (const ops of serverOperations(context, collections, signal)) {
    const found = ops.filter((op) => named.get(entityKey(op))?.serverVersion === op.entityVersion)
    if (found.length === 0) continue
    const stored = await context.store.applying((tx) => storeOperations(tx, found, learning))
    for (const op of stored) repaired.push(named.get(entityKey(op)) as DivergentEntity) // asked above
  }
  return repaired
}

async function removeAll(
  tx: SyncTransaction,
  entities: readonly DivergentEntity[],
): Promise<readonly DivergentEntity[]> {
  const states = await tx.replica.states(entities)
  const removed: DivergentEntity[] = []
  for (const [index, entity] of entities.entries()) {
    const state = states[index]
    if (state === undefined || state.pending) continue
    await removeClean(tx, entity, state)
    await forgetEvicted(tx, entity)
    removed.push(entity)
  }
  return removed
}
