/** Figures of one database. */
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
  const states = await reader.collection('collection_state').find({})
  return {
    head: meta.head,
    epoch: Buffer.from(meta.epoch).toString('hex'),
    liveEntities: states.reduce((sum, { liveEntities }) => sum + liveEntities, 0),
    devices: await reader.collection('device_state').count({}),
    purgedThrough: meta.purgedThrough,
  }
}
