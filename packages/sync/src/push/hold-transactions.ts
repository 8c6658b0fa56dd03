/** Remembers that local transactions of a batch are held or dropped: their fate is not simply `committed`. */
import { entityKey } from '../entity-ref.ts'
import { makeRoomForFates } from '../fates/prune-fates.ts'
import { heldPart, joinParts } from '../ledger/committed-part.ts'
import type { FrozenRow } from '../state/rows.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'

/**
 * `heldByWireGroup` maps groups of the batch to the held groups they became, `rejectedByWireGroup` those
 * that were rejected to the code. The rest of a transaction pushed in parts follows its held part.
 */
export async function holdTransactions(
  tx: SyncTransaction,
  frozen: FrozenRow,
  heldByWireGroup: ReadonlyMap<number, number>,
  rejectedByWireGroup: ReadonlyMap<number, string>,
): Promise<void> {
  if (heldByWireGroup.size === 0) return
  const names = namesOf(frozen)
  for (const { key, group, localOpIds, size } of frozen.transactions) {
    const held = heldByWireGroup.get(group)
    if (held === undefined) continue
    const code = rejectedByWireGroup.get(group)
    await tx.putFate(key, {
      group: held,
      fate: code === undefined ? 'open' : 'rejected',
      how: code ?? null,
      decidedBy: null,
      successor: null,
      entityVersions: null,
      written: { keys: localOpIds.flatMap((opId) => names.get(opId) ?? []), size },
    })
  }
  const { split } = tx.state
  const [held] = heldByWireGroup.values()
  if (held !== undefined && split !== null && split.transactionId === frozen.splitTransactionId) {
    const part = heldPart(frozen.ops.filter(({ group }) => heldByWireGroup.has(group)))
    tx.setState({ split: { ...split, group: held, before: joinParts(split.before, part) } })
  }
}

/**
 * Edits that were given up while they were under way, and that the server did not accept either: nothing is left
 * to hold, and they were not committed.
 */
export async function noteDropped(
  tx: SyncTransaction,
  frozen: FrozenRow,
  droppedWireGroups: ReadonlySet<number>,
  rejectedByWireGroup: ReadonlyMap<number, string>,
): Promise<void> {
  if (droppedWireGroups.size === 0) return
  await makeRoomForFates(tx, frozen.transactions.length)
  const names = namesOf(frozen)
  for (const { key, group, localOpIds, size } of frozen.transactions) {
    if (!droppedWireGroups.has(group)) continue
    const code = rejectedByWireGroup.get(group)
    await tx.putFate(key, {
      group: null,
      fate: code === undefined ? 'conflict' : 'rejected',
      how: code ?? 'takeRemote',
      decidedBy: null,
      successor: null,
      entityVersions: null,
      written: { keys: localOpIds.flatMap((opId) => names.get(opId) ?? []), size },
    })
  }
}

/** Of the entities of a batch, by the localOpId of their operations. */
export function namesOf({ ops }: Pick<FrozenRow, 'ops'>): ReadonlyMap<number, string> {
  return new Map(ops.map((op) => [op.localOpId, entityKey(op)]))
}
