/** Figures of one database. */
import type { ServerReader } from './collections.ts'
import type { KnownTotals } from './known-totals.ts'
import { readMeta } from './meta.ts'

/** Where a database of the server stands. */
export interface DatabaseStats {
  readonly head: number
  /** Lower-case hex of the 16 bytes. */
  readonly epoch: string
  readonly liveEntities: number
  readonly devices: number
  readonly purgedThrough: number
}

export async function readStats(reader: ServerReader, totals: KnownTotals): Promise<DatabaseStats> {
  const meta = await readMeta(reader)
  const { liveEntities } = await totals.read(reader, meta)
  return {
    head: meta.head,
    epoch: Buffer.from(meta.epoch).toString('hex'),
    liveEntities,
    devices: await reader.collection('device_state').count({}),
    purgedThrough: meta.purgedThrough,
  }
}
