/** Rows that are added at one end and dropped at the other: their ids are numbers, padded so that they sort by age. */
import type { SyncTransaction } from '../state/sync-transaction.ts'

interface AgedRow {
  readonly id: string
  readonly atMs: number
}

/** A row is one entity of the database, which has a largest size: what is more takes several. */
const ROW_BYTES_MAX = 1024 * 1024
const ID_DIGITS = 16
const PAGE = 50

export function rowId(number: number): string {
  return String(number).padStart(ID_DIGITS, '0')
}

/** Items of one row each time, in their order; `bytes` is what they are together. */
export function* partsOf<Item>(
  items: readonly Item[],
  bytesOf: (item: Item) => number,
): Generator<{ readonly part: readonly Item[]; readonly bytes: number }> {
  let part: Item[] = []
  let bytes = 0
  for (const item of items) {
    const size = bytesOf(item)
    if (part.length > 0 && bytes + size > ROW_BYTES_MAX) {
      yield { part, bytes }
      part = []
      bytes = 0
    }
    part.push(item)
    bytes += size
  }
  if (part.length > 0) yield { part, bytes }
}

/** Every row, oldest first, a few at a time. */
export async function* rowsOf<Row extends AgedRow>(
  tx: SyncTransaction,
  collection: string,
): AsyncGenerator<Row> {
  let after: string | undefined
  for (;;) {
    const range = after === undefined ? { limit: PAGE } : { after, limit: PAGE }
    // Rows are read back as they were put.
    const rows = (await tx.system.page(collection, range)) as readonly Row[]
    yield* rows
    after = rows.at(-1)?.id
    if (after === undefined) return
  }
}

/** Drops rows from the oldest on, up to the first that is to stay. */
export async function dropOldest<Row extends AgedRow>(
  tx: SyncTransaction,
  collection: string,
  isDropped: (oldest: Row) => boolean,
): Promise<void> {
  for await (const row of rowsOf<Row>(tx, collection)) {
    if (!isDropped(row)) return
    await tx.system.delete(collection, row.id)
  }
}

/** Older than the ledger's bound. */
export function isExpired(tx: SyncTransaction, { atMs }: Pick<AgedRow, 'atMs'>): boolean {
  return tx.nowMs - atMs > tx.ledgerLimits.maxAgeMs
}
