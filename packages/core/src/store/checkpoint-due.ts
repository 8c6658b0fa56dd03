/** When a checkpoint begins by itself, and what may come while it runs. */
import type { TreeStoreSettings } from './tree-store-options.ts'
import type { WriteLoad } from './write-throttle.ts'

const WAL_BYTES_MIN = 8 * 1024 * 1024
const WAL_BYTES_MAX = 32 * 1024 * 1024

/** Of `cacheBytes`. Half of the rest is for nodes that are made while others are written, half for the flush. */
const DUE_SHARE = 3 / 4
const ROOM_SHARE = 1 / 8

type Settings = Pick<TreeStoreSettings, 'cacheBytes' | 'walCheckpointBytes'>

/**
 * The log has its size, or unwritten nodes take much of the memory that nodes may take. `dataBytes`: the part
 * of the data file that is in use.
 */
export function isCheckpointDue(load: WriteLoad, dataBytes: number, settings: Settings): boolean {
  const { cacheBytes } = settings
  return (
    load.walBytes > walBytesWanted(dataBytes, settings) || load.nodeBytes > cacheBytes * DUE_SHARE
  )
}

/** What may be added while a checkpoint writes its nodes. */
export function roomForWriters(dataBytes: number, settings: Settings): WriteLoad {
  return {
    walBytes: walBytesWanted(dataBytes, settings),
    nodeBytes: settings.cacheBytes * ROOM_SHARE,
  }
}

function walBytesWanted(dataBytes: number, { walCheckpointBytes }: Settings): number {
  const automatic = Math.min(Math.max(dataBytes / 2, WAL_BYTES_MIN), WAL_BYTES_MAX)
  return walCheckpointBytes ?? automatic
}
