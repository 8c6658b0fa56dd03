// The engines by name. A module is loaded only in the process that runs its engine.

/** Ours first: tables and ratios start from it. */
export const OURS = 'entidb'

/** Peers that the least acceptable ratios are against. */
export const PEERS = ['better-sqlite3', 'lmdb', 'classic-level']

/** LMDB with its records' field names stored once: shown beside the best peer, to be beaten where we can. */
export const SHARED_STRUCTURES = 'lmdb-structs'

export const LIMITS = ['limit-overwrite', 'limit-append']

/** Shown in the rows that name them, for comparison; no ratio is taken from them. */
const VARIANTS = ['entidb-uncached', 'lmdb-cached']

const engines = {
  entidb: { module: 'entidb' },
  'entidb-uncached': {
    module: 'entidb',
    options: { entityCacheBytes: 0 },
    placeOf: 'entidb',
  },
  'better-sqlite3': { module: 'better-sqlite3' },
  lmdb: { module: 'lmdb' },
  'lmdb-structs': { module: 'lmdb', options: { sharedStructures: true } },
  'lmdb-cached': { module: 'lmdb', options: { cache: true }, placeOf: 'lmdb' },
  'classic-level': { module: 'classic-level' },
  'limit-overwrite': { module: 'limit', options: { overwrite: true } },
  'limit-append': { module: 'limit' },
}

export const ENGINE_NAMES = Object.keys(engines)

/** Those that take part in a workload, in the order of the tables. */
export function enginesFor({ withLimits = false, variants = [] }) {
  const taking = new Set([OURS, ...PEERS, SHARED_STRUCTURES, ...variants])
  if (withLimits) for (const limit of LIMITS) taking.add(limit)
  return ENGINE_NAMES.filter((name) => taking.has(name))
}

export function isLimit(name) {
  return LIMITS.includes(name)
}

export function isVariant(name) {
  return VARIANTS.includes(name)
}

/** The engine whose database this one reads: variants have none of their own. */
export function placeOf(name) {
  return engines[name].placeOf ?? name
}

/** Loads the module, so that opening can be timed without it. */
export async function loadEngine(name) {
  const { module, options: fixed = {} } = engines[name]
  const { open } = await import(`./engines/${module}.mjs`)
  return { open: (directory, options) => open(directory, { ...options, ...fixed }) }
}
