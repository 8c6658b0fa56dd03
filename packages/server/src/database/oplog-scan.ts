/** Rows of the oplog in cursor order. */
import { type ServerReader, sortableNumber } from './collections.ts'
import { type PulledRow, readPulledRow } from './oplog-row.ts'
import { scanRows } from './raw-scan.ts'

/** Those with a cursor greater than `after`, to the end. */
export function scanOplog(
  reader: ServerReader,
  after: number,
): AsyncGenerator<readonly PulledRow[]> {
  const rows = {
    collection: 'server_oplog' as const,
    read: readPulledRow,
    keyOf: ({ serverCursor }: PulledRow) => sortableNumber(serverCursor),
  }
  return scanRows(reader, rows, sortableNumber(after))
}
