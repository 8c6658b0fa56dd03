// The engines of the store suite.
import { LineUp } from '../harness/line-up.mjs'

export const STORE_ENGINES = new LineUp(
  {
    entidb: { kind: 'ours', module: 'entidb' },
    'entidb-uncached': {
      kind: 'variant',
      module: 'entidb',
      options: { entityCacheBytes: 0 },
      placeOf: 'entidb',
    },
    'better-sqlite3': { kind: 'peer', module: 'better-sqlite3', color: '#1f77b4' },
    lmdb: { kind: 'peer', module: 'lmdb', color: '#d62728' },
    // Field names stored once: to be beaten where we can.
    'lmdb-structs': {
      kind: 'beside',
      module: 'lmdb',
      options: { sharedStructures: true },
      color: '#ff9896',
    },
    'lmdb-cached': { kind: 'variant', module: 'lmdb', options: { cache: true }, placeOf: 'lmdb' },
    'classic-level': { kind: 'peer', module: 'classic-level', color: '#2ca02c' },
    'limit-overwrite': { kind: 'limit', module: 'limit', options: { overwrite: true } },
    'limit-append': { kind: 'limit', module: 'limit' },
  },
  (module) => import(`./engines/${module}.mjs`),
)

export function isLimit(name) {
  return STORE_ENGINES.isLimit(name)
}
