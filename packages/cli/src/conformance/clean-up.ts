/** Deletes what the rules of a run left behind. Tombstones and device rows stay: the protocol has no way to remove them. */
import { DEFAULT_LIMITS, type SyncOperation } from '@entidb/protocol'
import type { Bench } from './bench.ts'
import { RuleFailure } from './expectations.ts'

/** Not more in one transaction, whatever the server allows. */
const DELETES_PER_PUSH = DEFAULT_LIMITS.maxOpsPerPush
/** Of a server that does not say what it allows. */
const CAUTIOUS_DELETES_PER_PUSH = 20

/** `since`: the head before the run. Resolves to how many entities were deleted. */
export async function cleanUp(bench: Bench, since: number): Promise<number> {
  const device = bench.device()
  const live = new Map<string, SyncOperation>()
  for (const { ops } of await device.pullPages(since)) {
    for (const op of ops) {
      if (!bench.ownsCollection(op.collection)) continue
      const key = JSON.stringify([op.collection, op.entityId])
      if (op.opType === 'PUT') live.set(key, op)
      else live.delete(key)
    }
  }
  const left = [...live.values()]
  const announced = bench.announced.limits?.maxOpsPerPush ?? CAUTIOUS_DELETES_PER_PUSH
  const batch = Math.min(DELETES_PER_PUSH, announced)
  for (let start = 0; start < left.length; start += batch) {
    const deletes = left
      .slice(start, start + batch)
      .map(({ entityId, entityVersion, collection }) =>
        device.delete(entityId, entityVersion, { collection }),
      )
    const pushed = await device.push(...deletes)
    const kept = deletes.find((op) => pushed.outcomeOf(op) !== 'committed')
    if (kept !== undefined) {
      throw new RuleFailure(
        `a delete of ${kept.collection}/${kept.entityId}`,
        pushed.outcomeOf(kept),
      )
    }
  }
  return left.length
}
