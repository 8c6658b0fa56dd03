/** When a checkpoint begins by itself. */
import type { TreeStoreSettings } from './tree-store-options.ts'

export interface StoreLoad {
  /** Bytes of log that a checkpoint would make superfluous. */
  readonly walBytes: number
  /** Bytes of the data file in use. */
  readonly dataBytes: number
  /** Of nodes that must stay in memory until a checkpoint has written them. */
  readonly nodeBytes: number
  /** Below this no checkpoint begins: the last one found no space. */
  readonly walBytesMin: number
}

const WAL_BYTES_MIN = 4 * 1024 * 1024
const WAL_BYTES_MAX = 32 * 1024 * 1024

/** The rest is for nodes that are made while the checkpoint runs. */
const CACHE_SHARE_MAX = 3 / 4

type Settings = Pick<TreeStoreSettings, 'cacheBytes' | 'walCheckpointBytes'>

/** The log has its size, or unwritten nodes take much of the memory that nodes may take. */
export function isCheckpointDue(load: StoreLoad, settings: Settings): boolean {
  const { walBytes, dataBytes, walBytesMin } = load
  if (walBytes <= walBytesMin) return false
  const automatic = Math.min(Math.max(dataBytes / 2, WAL_BYTES_MIN), WAL_BYTES_MAX)
  const walBytesWanted = settings.walCheckpointBytes ?? automatic
  return walBytes > walBytesWanted || load.nodeBytes > settings.cacheBytes * CACHE_SHARE_MAX
}
