/** Keeps the values that a decision leaves behind, in the transaction that carries it out. */
import { joined, piecesOf } from '../state/pieces.ts'
import { KEPT_COLLECTION, type KeptRow, type KeptValue } from '../state/rows.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'
import { dropOldest, isExpired, partsOf, rowId } from './bounded-rows.ts'

const VALUE_OVERHEAD_BYTES = 64

export type WholeValue = Omit<KeptValue, 'more'>

export interface Decision {
  readonly how: string
  /** Last opIds of the local transactions it settles. */
  readonly transactions: readonly number[]
}

export async function recordKept(
  tx: SyncTransaction,
  { how, transactions }: Decision,
  values: readonly WholeValue[],
): Promise<void> {
  if (values.length === 0) return
  const decision = tx.state.ledger.keptLast + 1
  for (const { part, bytes } of partsOf(values.flatMap(partsOfValue), bytesOf)) {
    const { ledger } = tx.state
    const keptLast = ledger.keptLast + 1
    const row: KeptRow = {
      id: rowId(keptLast),
      atMs: tx.nowMs,
      decision,
      how,
      transactions,
      values: part,
      bytes,
    }
    await tx.system.put(KEPT_COLLECTION, row)
    const keptBytes = ledger.keptBytes + bytes
    tx.setState({ ledger: { ...ledger, keptLast, keptBytes, decisionLast: decision } })
  }
  await pruneKept(tx)
}

/** Drops the oldest decisions beyond the bounds, but the last. */
export async function pruneKept(tx: SyncTransaction): Promise<void> {
  const { maxKeptBytes, maxAgeMs } = tx.ledgerLimits
  const { decisionLast } = tx.state.ledger
  let { keptBytes } = tx.state.ledger
  if (keptBytes <= maxKeptBytes && maxAgeMs === Number.POSITIVE_INFINITY) return
  let dropping = 0
  await dropOldest<KeptRow>(tx, KEPT_COLLECTION, (row) => {
    const { decision, bytes } = row
    if (decision === decisionLast) return false
    const isTooMuch = keptBytes > maxKeptBytes || isExpired(tx, row)
    // A decision goes as a whole.
    if (decision !== dropping && !isTooMuch) return false
    dropping = decision
    keptBytes -= bytes
    return true
  })
  if (keptBytes !== tx.state.ledger.keptBytes) {
    tx.setState({ ledger: { ...tx.state.ledger, keptBytes } })
  }
}

/** A value larger than a row in several. */
function partsOfValue(value: WholeValue): readonly KeptValue[] {
  const { state } = value
  if (state.bytes === null) return [{ ...value, more: false }]
  const pieces = piecesOf(state.bytes)
  return pieces.map((bytes, index) => ({
    ...value,
    state: { ...state, bytes },
    more: index < pieces.length - 1,
  }))
}

/** The values of rows of one decision, in their order. */
export function wholeValues(rows: readonly KeptRow[]): readonly WholeValue[] {
  const values: WholeValue[] = []
  let begun: Uint8Array[] = []
  for (const { more, ...value } of rows.flatMap((row) => row.values)) {
    const { bytes } = value.state
    if (bytes !== null) begun.push(bytes)
    if (more) continue
    values.push({ ...value, state: { ...value.state, bytes: bytes && joined(begun) } })
    begun = []
  }
  return values
}

function bytesOf({ collection, entityId, state }: KeptValue): number {
  return VALUE_OVERHEAD_BYTES + collection.length + entityId.length + (state.bytes?.length ?? 0)
}
