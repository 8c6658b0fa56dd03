/** Stored rows in the order of their keys, read in batches that are bounded in bytes. */
import type { ServerCollections, ServerReader } from './collections.ts'

const BATCH_BYTES = 1024 * 1024
const BATCH_ROWS_MAX = 1024
const FIRST_BATCH_ROWS = 64

export interface ScannedRows<Row> {
  readonly collection: keyof ServerCollections
  /** From a row's stored bytes. */
  readonly read: (bytes: Uint8Array) => Row
  readonly keyOf: (row: Row) => string
}

/** Those whose keys are greater than `after`, to the end; without it, all. */
export async function* scanRows<Row>(
  reader: ServerReader,
  { collection, read, keyOf }: ScannedRows<Row>,
  after: string | undefined,
): AsyncGenerator<readonly Row[]> {
  let last = after
  for (let limit = FIRST_BATCH_ROWS; ; ) {
    const bounds = { limit, bytesMax: BATCH_BYTES }
    const range = last === undefined ? bounds : { ...bounds, after: last }
    const raw = await reader.collection(collection).nextRaw(range)
    const rows = raw.map(({ bytes }) => read(bytes))
    const end = rows.at(-1)
    if (end === undefined) return
    yield rows
    const bytes = raw.reduce((sum, row) => sum + row.bytes.length, 0)
    if (rows.length < limit && bytes < BATCH_BYTES) return
    last = keyOf(end)
    limit = nextBatchRows(bytes / rows.length)
  }
}

function nextBatchRows(rowBytes: number): number {
  return Math.max(1, Math.min(BATCH_ROWS_MAX, Math.floor(BATCH_BYTES / rowBytes)))
}
