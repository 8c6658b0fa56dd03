/** What opening a database would migrate; what finds out is loaded when somebody asks for it. */
import { loadPart } from '../errors/load-part.ts'
import type { Storage } from '../store/key-value-store.ts'
import type { Scheduler } from '../store/scheduler.ts'
import type { CollectionDefinitions } from './collection-definition.ts'
import type { OpenProgress } from './open-work.ts'

/** Options of `planMigrations`. */
export interface MigrationPlanOptions<D extends CollectionDefinitions> {
  /** Where the database is; nothing in it is changed. */
  readonly storage: Storage
  /** As they are given to `EntiDB.open`. */
  readonly collections: D
  /** As for `EntiDB.open`. */
  readonly limits?: { readonly maxEntityBytes?: number }
  /** Entities of each collection to show, before and after. Default 3. */
  readonly samples?: number
  /** Called as entities are looked at. */
  readonly onProgress?: (progress: OpenProgress) => void
  /** Ends it with the signal's reason. */
  readonly signal?: AbortSignal
  /** Timers, for a simulator. Default: the host's. */
  readonly scheduler?: Scheduler
}

/** What opening would do. */
export interface MigrationPlan {
  /** Every older entity can be migrated, and no collection is newer than its definition. */
  readonly ok: boolean
  /**
   * `EntiDB.open` would fail because of the versions, and leave everything as it is. Duplicates in an index that
   * becomes unique are not looked for: opening finds them (`unique_violation`).
   */
  readonly isRefused: boolean
  /** The change feed is on. Opening with another `changeFeed` would change that. */
  readonly changeFeed: boolean
  readonly collections: readonly CollectionPlan[]
}

/** What opening would do with one collection. */
export interface CollectionPlan {
  readonly collection: string
  /** The version that it was last opened with; null when it never was. */
  readonly storedVersion: number | null
  readonly codeVersion: number
  /** `data_newer_than_code`: its entities were not looked at. */
  readonly isNewer: boolean
  readonly entities: number
  /** Of those, entities in an older version than the code's. */
  readonly older: number
  /** Of those, entities that opening stores in the code's version; the others are migrated whenever they are read. */
  readonly rewritten: number
  /** Of the older ones, those that cannot be migrated. */
  readonly failureCount: number
  /** Of those, the ones that this device wrote: opening with a new version fails because of them. */
  readonly localFailureCount: number
  /** The first hundred. */
  readonly failures: readonly MigrationFailure[]
  readonly samples: readonly MigrationSample[]
}

/** An entity that cannot be migrated, and why. */
export interface MigrationFailure {
  readonly id: string
  readonly from: number
  readonly message: string
  /** False for one that replication brought: it stays as it is, and only reading it fails. */
  readonly isLocal: boolean
}

/** An entity before and after. */
export interface MigrationSample {
  readonly id: string
  readonly from: number
  readonly before: unknown
  readonly after: unknown
}

/**
 * A dry run of the migrations that `EntiDB.open` would do with these definitions.
 *
 * Errors: those of opening a storage (`not_a_database` where there is none, `database_locked`, `corrupt`, ...),
 * `load_failed`; a TypeError for definitions that make no sense.
 *
 * @example
 * const { ok, collections } = await planMigrations({ storage: fileStorage('./data'), collections })
 */
export async function planMigrations<const D extends CollectionDefinitions>(
  options: MigrationPlanOptions<D>,
): Promise<MigrationPlan> {
  const { runMigrationPlan } = await loadPart(() => import('./maintenance.ts'))
  return runMigrationPlan(options)
}
