/** Rows of the oplog in cursor order, read in batches that are bounded in bytes. */
import type { RawEntity } from '@entidb/core'
import { type ServerReader, sortableNumber } from './collections.ts'
import { type PulledRow, readPulledRow } from './oplog-row.ts'

const BATCH_BYTES = 1024 * 1024
const BATCH_ROWS_MAX = 1024
const FIRST_BATCH_ROWS = 64

/** Those with a cursor greater than `after`, to the end. */
export async function* scanOplog(
  reader: ServerReader,
  after: number,
): AsyncGenerator<readonly PulledRow[]> {
  let last = after
  for (let limit = FIRST_BATCH_ROWS; ; ) {
    const raw = await reader
      .collection('server_oplog')
      .nextRaw({ after: sortableNumber(last), limit })
    const rows = raw.map(({ bytes }) => readPulledRow(bytes))
    if (rows.length > 0) yield rows
    if (rows.length < limit) return
    last = rows.at(-1)?.serverCursor ?? last
    limit = nextBatchRows(raw)
  }
}

function nextBatchRows(rows: readonly RawEntity[]): number {
  const bytes = rows.reduce((sum, row) => sum + row.bytes.length, 0)
  const rowBytes = Math.max(1, bytes / rows.length)
  return Math.max(1, Math.min(BATCH_ROWS_MAX, Math.floor(BATCH_BYTES / rowBytes)))
}
