/**
 * Gives divergent entities the server's state: exactly those, and none with a local edit. Each step is one
 * transaction; what was repaired stays when the rest does not happen.
 */

import type { SyncOperation } from '@entidb/protocol'
import { type LearnContext, removeClean } from '../conflicts/learn-remote.ts'
import { learnContext, type SyncContext } from '../cycle/sync-context.ts'
import { entityKey } from '../entity-ref.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'
import { serverOperations } from './server-states.ts'
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
    const stored = await context.store.applying((tx) => storeAll(tx, found, learning))
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
    removed.push(entity)
  }
  return removed
}

async function storeAll(
  tx: SyncTransaction,
  ops: readonly SyncOperation[],
  { onViolation }: Omit<LearnContext, 'present'>,
): Promise<readonly SyncOperation[]> {
  const states = await tx.replica.states(ops)
  const stored: SyncOperation[] = []
  for (const [index, op] of ops.entries()) {
    if (states[index]?.pending !== false) continue
    const { violations } = await tx.replica.applyRaw({
      collection: op.collection,
      entityId: op.entityId,
      version: op.entityVersion,
      bytes: op.entityCbor,
      schemaVersion: op.schemaVersion ?? 1,
    })
    for (const violation of violations) onViolation(violation)
    stored.push(op)
  }
  return stored
}
