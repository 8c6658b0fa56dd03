/** Keeps the stored fates of settled transactions within the bounds of the ledger, the newest of them. */
import { isExpired } from '../ledger/bounded-rows.ts'
import type { FateRow } from '../state/rows.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'
import { isOpen } from './fate-watch.ts'

/** So many are dropped together, for all of them are looked at; and so many stay in any case while somebody may wait. */
const TOGETHER = 1_000

/** Drops what is beyond the bounds: when sync begins. */
export function pruneFates(tx: SyncTransaction): Promise<void> {
  return prune(tx, tx.ledgerLimits.maxTransactions)
}

/** `count` fates are about to be settled. */
export async function makeRoomForFates(tx: SyncTransaction, count: number): Promise<void> {
  const kept = Math.max(tx.ledgerLimits.maxTransactions, TOGETHER)
  if ((tx.state.ledger.settled ?? 0) >= kept + TOGETHER) await prune(tx, kept)
  const { ledger } = tx.state
  tx.setState({ ledger: { ...ledger, settled: (ledger.settled ?? 0) + count } })
}

async function prune(tx: SyncTransaction, kept: number): Promise<void> {
  const settled = await settledFates(tx)
  const { ledger } = tx.state
  let { fatesDroppedThrough = 0 } = ledger
  let left = settled.length
  for (const fate of settled) {
    if (left <= kept && !isExpired(tx, fate)) break
    await tx.deleteFate(fate)
    fatesDroppedThrough = Math.max(fatesDroppedThrough, Number(fate.id))
    left -= 1
  }
  if (ledger.settled !== left || left < settled.length) {
    tx.setState({ ledger: { ...ledger, settled: left, fatesDroppedThrough } })
  }
}

/** Oldest first, without those whose edits are carried on by a transaction that is still open. */
async function settledFates(tx: SyncTransaction): Promise<readonly FateRow[]> {
  const fates = [...(await tx.fates())].sort((a, b) => Number(a.id) - Number(b.id))
  const open = new Set<number>()
  const known = new Set(fates.map(({ id }) => Number(id)))
  // A successor is always newer.
  for (const { id, group, successor } of fates.toReversed()) {
    const goesOn =
      successor !== null &&
      (open.has(successor) || (!known.has(successor) && isOpen(tx, successor)))
    if (group !== null || goesOn) open.add(Number(id))
  }
  return fates.filter(({ id }) => !open.has(Number(id)))
}
