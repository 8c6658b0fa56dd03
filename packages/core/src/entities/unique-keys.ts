/** Unique indexes and many new entities: one look at an index instead of one for each entity. */
import type { Reader } from '../store/key-value-store.ts'
import type { CollectionState } from './collection-state.ts'
import { KeyList } from './key-list.ts'
import { prefixEnd } from './key-range.ts'
import type { PreparedBatch } from './prepared-entity.ts'
import { type Steps, wait } from './steps.ts'

/**
 * True: no entity of the batch has a key of a unique index that another of it has, or one that is there. False: there
 * may be such a one.
 */
export function* areUniqueKeysFree(
  view: Reader,
  state: CollectionState,
  batch: PreparedBatch,
): Steps<boolean> {
  for (const [index, plan] of state.indexes.entries()) {
    if (!plan.unique) continue
    if (plan.elementsAt >= 0) return false
    const keys = fieldsKeysOf(batch, index)
    const positions = keys.sortedPositions()
    for (let i = 1; i < positions.length; i++) {
      if (keys.isSame(positions[i - 1] as number, positions[i] as number)) return false
    }
    const [first, last] = [positions.at(0), positions.at(-1)]
    if (first === undefined || last === undefined) continue
    const range = { gte: keys.at(first), lt: prefixEnd(keys.at(last)) }
    const found = yield* wait(view.scan(plan.table, range).next(1))
    if (found.keys.length > 0) return false
  }
  return true
}

/** The keys in an index without the ids behind them. */
function fieldsKeysOf(batch: PreparedBatch, index: number): KeyList {
  const keys = new KeyList(batch.buffer)
  for (let i = 0; i < batch.size; i++) {
    const entity = batch.at(i)
    const [start, end] = [entity.keyStart(index), entity.keyEnd(index)]
    if (start < end) keys.addRange(start, end - entity.idKey.length)
  }
  return keys
}
