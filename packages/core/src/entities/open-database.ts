/**
 * Opening a database. What works on an open one is loaded while its storage opens: neither is of use before, and in a
 * page both take a while.
 */
import { assertOptions } from '../errors/assert.ts'
import { Part } from '../errors/load-part.ts'
import type { Durability, Storage } from '../store/key-value-store.ts'
import type { Scheduler } from '../store/scheduler.ts'
import type { CollectionDefinitions } from './collection-definition.ts'
import type { DatabaseLimits } from './database-core.ts'
import type { DatabaseSource } from './database-source.ts'
import type { RandomBytes } from './identity.ts'
import type { OpenProgress } from './open-work.ts'
import type { RewriteBounds } from './rewrite-older.ts'

/** Options of `EntiDB.open`. */
export interface OpenOptions<D extends CollectionDefinitions> {
  /** Where it is stored: `fileStorage(directory)`, `memoryStorage()`. */
  readonly storage: Storage
  /** By name, each from `defineCollection`. */
  readonly collections: D
  /**
   * Records every operation for `changes` and for sync. Default false, and then it costs nothing; once a
   * sync client has used the database it stays on. Turning it off drops what it holds.
   */
  readonly changeFeed?: boolean
  /**
   * `strict` (the default): a resolved commit survives power loss. `relaxed`: a crash of the system may
   * lose the last commits, never consistency.
   */
  readonly durability?: Durability
  /** Bounds; those that are absent have their defaults. */
  readonly limits?: Partial<DatabaseLimits>
  /** Wall clock in milliseconds, for `timestampMs` of operations. Default `Date.now`. */
  readonly clock?: () => number
  /** Timers, for a simulator. Default: the host's. */
  readonly scheduler?: Scheduler
  /** Source of the identity of a new database. Default: the host's. */
  readonly randomBytes?: RandomBytes
  /**
   * Told of migrations and index builds, several times for each, at its end with `done === total`. What it
   * throws ends the opening; what was migrated by then stays so.
   */
  readonly onProgress?: (progress: OpenProgress) => void
}

const DEFAULT_LIMITS: DatabaseLimits = {
  maxEntityBytes: 16 * 1024 * 1024,
  maxIdBytes: 512,
  maxCacheBytes: 96 * 1024 * 1024,
  maxIdleTransactionMs: 30_000,
}

const LIMIT_NAMES = [
  'maxEntityBytes',
  'maxIdBytes',
  'maxCacheBytes',
  'maxIdleTransactionMs',
] as const

const OPTION_NAMES: readonly (keyof OpenOptions<CollectionDefinitions>)[] = [
  'storage',
  'collections',
  'changeFeed',
  'durability',
  'limits',
  'clock',
  'scheduler',
  'randomBytes',
  'onProgress',
]

/** What works on an open database. */
export const enginePart: Part<typeof import('./prepare-database.ts')> = new Part(
  () => import('./prepare-database.ts'),
)

export async function openDatabase<D extends CollectionDefinitions>(
  options: OpenOptions<D>,
  bounds?: RewriteBounds,
): Promise<DatabaseSource> {
  assertOpenOptions(options)
  const limits = limitsOf(options.limits ?? {})
  const loading = enginePart.get()
  // Its failure is looked at when the storage is open: that may fail before.
  loading.catch(() => {})
  const store = await options.storage.open({ durability: options.durability ?? 'strict' })
  try {
    const { prepareDatabase } = await loading
    return await prepareDatabase(store, options, limits, bounds)
  } catch (error) {
    // The first error says why; closing can only add to it.
    await store.close().catch(() => {})
    throw error
  }
}

/** What merely looks right would have been taken for less safety, or another feed, than was asked for. */
function assertOpenOptions(options: OpenOptions<CollectionDefinitions>): void {
  assertOptions('EntiDB.open', options, OPTION_NAMES)
  const { storage, durability = 'strict', changeFeed = false } = options
  if (typeof storage?.open !== 'function') {
    throw new TypeError('storage has no function open')
  }
  if (durability !== 'strict' && durability !== 'relaxed') {
    throw new TypeError("durability is 'strict' or 'relaxed'")
  }
  if (typeof changeFeed !== 'boolean') throw new TypeError('changeFeed is true or false')
}

/** @throws TypeError for what is no limit. */
export function limitsOf(given: Partial<DatabaseLimits>): DatabaseLimits {
  assertOptions('limits', given, LIMIT_NAMES)
  const limits = { ...DEFAULT_LIMITS }
  for (const name of LIMIT_NAMES) {
    const value = given[name] ?? limits[name]
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new TypeError(`limits.${name} is an integer from 0`)
    }
    limits[name] = value
  }
  return limits
}
