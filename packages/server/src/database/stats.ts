/** Figures of one database. */
import { countLive } from './collection-totals.ts'
import type { ServerReader } from './collections.ts'
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

export async function readStats(reader: ServerReader): Promise<DatabaseStats> {
  const meta = await readMeta(reader)
  return {
    head: meta.head,
    epoch: Buffer.from(meta.epoch).toString('hex'),
    liveEntities: await countLive(reader),
    devices: await reader.collection('device_state').count({}),
    purgedThrough: meta.purgedThrough,
  }
}
