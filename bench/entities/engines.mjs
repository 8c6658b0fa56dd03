// The engines of the entities suite.
import { LineUp } from '../harness/line-up.mjs'

// What an engine does slowly it does less often, so that a run ends within the hour: figures are by operation.
const IN_MEMORY = { kind: 'in memory', isVolatile: true }

export const ENTITY_ENGINES = new LineUp(
  {
    entidb: { kind: 'ours', module: 'entidb' },
    'entidb-uncached': {
      kind: 'variant',
      module: 'entidb',
      options: { entityCacheBytes: 0 },
      placeOf: 'entidb',
    },
    'entidb-memory': {
      kind: 'variant',
      module: 'entidb',
      options: { inMemory: true },
      isVolatile: true,
    },
    'better-sqlite3': { kind: 'peer', module: 'better-sqlite3', color: '#1f77b4' },
    // So slow that it does a hundredth of the work.
    pouchdb: { kind: 'peer', module: 'pouchdb', effortShare: 0.01, color: '#d62728' },
    rxdb: {
      ...{ ...IN_MEMORY, module: 'rxdb', color: '#9467bd' },
      effortShares: { lookups: 0.05, pages: 0.02, liveChanges: 0.1 },
    },
    tinybase: {
      ...{ ...IN_MEMORY, module: 'tinybase', color: '#2ca02c' },
      effortShares: { pages: 0.1 },
    },
    lokijs: {
      ...{ ...IN_MEMORY, module: 'lokijs', color: '#8c564b' },
      effortShares: { pages: 0.02 },
    },
    nedb: {
      ...{ ...IN_MEMORY, module: 'nedb', color: '#e377c2' },
      effortShares: { lookups: 0.1, pages: 0.01 },
    },
  },
  (module) => import(`./engines/${module}.mjs`),
)

/** In the rows that read all entities. */
export const READ_VARIANTS = ['entidb-uncached', 'entidb-memory']
