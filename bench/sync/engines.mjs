// The stacks of the sync suite.
import { LineUp } from '../harness/line-up.mjs'
import { Stack } from './stack.mjs'

export const SYNC_ENGINES = new LineUp(
  {
    entidb: { kind: 'ours', module: 'entidb' },
    pouchdb: { kind: 'peer', module: 'pouchdb', color: '#d62728' },
    rxdb: { kind: 'peer', module: 'rxdb', color: '#9467bd' },
    // More do not fit the 16 MiB that its WebSocket server has in flight at most.
    tinybase: { kind: 'peer', module: 'tinybase', entitiesMost: 25_000, color: '#2ca02c' },
    yjs: { kind: 'peer', module: 'yjs', color: '#1f77b4' },
    limit: { kind: 'limit', module: 'limit', color: '#7f7f7f' },
  },
  async (module) => ({ open: async (directory) => new Stack(module, directory) }),
)

/** They tell when two devices changed one entity. */
export const CONFLICT_PEERS = ['pouchdb', 'rxdb']
/** They let one edit win and tell nobody. */
export const SILENT_PEERS = ['tinybase', 'yjs']
/** Stacks that merge two edits of one entity field by field; the others choose one of the two. */
export const FIELD_MERGERS = ['entidb', 'tinybase']
