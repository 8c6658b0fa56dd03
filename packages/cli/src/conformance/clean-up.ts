/** Deletes what the rules of a run left behind. Tombstones and device rows stay: the protocol has no way to remove them. */
import { DEFAULT_LIMITS, type SyncOperation } from '@entidb/protocol'
import type { Bench } from './bench.ts'
import type { Device } from './device.ts'
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
    const conflicts = await deleteAll(device, left.slice(start, start + batch))
    // A server that fails rules may have named a revision that is not the last one.
    const [kept] = conflicts.length === 0 ? [] : await deleteAll(device, conflicts)
    if (kept !== undefined) throw notDeleted(kept, 'conflict')
  }
  return left.length
}

type Entity = Pick<SyncOperation, 'collection' | 'entityId' | 'entityVersion'>

/** Those that are of another revision, as that. */
async function deleteAll(device: Device, entities: readonly Entity[]): Promise<Entity[]> {
  const deletes = entities.map(({ entityId, entityVersion, collection }) =>
    device.delete(entityId, entityVersion, { collection }),
  )
  const pushed = await device.push(...deletes)
  return deletes.flatMap((op) => {
    const outcome = pushed.outcomeOf(op)
    if (outcome === 'committed') return []
    if (outcome !== 'conflict') throw notDeleted(op, outcome)
    return [{ ...op, entityVersion: pushed.stateOf(op).entityVersion }]
  })
}

function notDeleted({ collection, entityId }: Entity, outcome: string): RuleFailure {
  return new RuleFailure(`a delete of ${collection}/${entityId}`, outcome)
}
