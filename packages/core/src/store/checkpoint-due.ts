/** When a checkpoint begins by itself. */
import type { TreeStoreSettings } from './tree-store-options.ts'

export interface StoreLoad {
  /** Bytes of log that a checkpoint would make superfluous. */
  readonly walBytes: number
  /** Bytes of the data file in use. */
  readonly dataBytes: number
  /** Nodes that are in memory alone. */
  readonly unwrittenNodes: number
  /** Below this no checkpoint begins: the last one found no space. */
  readonly walBytesMin: number
}

const WAL_BYTES_MIN = 4 * 1024 * 1024
const WAL_BYTES_MAX = 32 * 1024 * 1024

type Settings = Pick<TreeStoreSettings, 'nodeBytes' | 'cacheBytes' | 'walCheckpointBytes'>

/** The log has its size, or the unwritten nodes fill the memory that nodes may take. */
export function isCheckpointDue(load: StoreLoad, settings: Settings): boolean {
  const { walBytes, dataBytes, walBytesMin } = load
  if (walBytes <= walBytesMin) return false
  const automatic = Math.min(Math.max(dataBytes / 2, WAL_BYTES_MIN), WAL_BYTES_MAX)
  const walBytesWanted = settings.walCheckpointBytes ?? automatic
  const unwrittenBytes = load.unwrittenNodes * settings.nodeBytes
  return walBytes > walBytesWanted || unwrittenBytes > settings.cacheBytes
}
