/**
 * A database opened as it is defined in its own files: for tools, which do not know the application's
 * collections and must not change them. Opening writes nothing.
 */
import { EntiDBError } from '../errors/entidb-error.ts'
import type { Durability, KeyValueStore, Reader, Storage } from '../store/key-value-store.ts'
import { systemScheduler } from '../store/scheduler.ts'
import { Catalog } from './catalog.ts'
import type { AnyEntity, CollectionDefinition } from './collection-definition.ts'
import { createDatabase, type EntiDB } from './database.ts'
import type { DatabaseLimits } from './database-core.ts'
import { EntityCache } from './entity-cache.ts'
import type { FeedSetting } from './feed-state.ts'
import { parseIdentity } from './identity.ts'
import { BUILDING_PREFIX, entriesWith, META_KEYS, REINDEX_PREFIX, readAllMeta } from './meta.ts'
import { limitsOf } from './open-database.ts'
import { createSource, lastOpIdOf, type StoredFacts } from './prepare-database.ts'
import { runSteps, type Steps, wait } from './steps.ts'
import { roleOfTable } from './table-role.ts'

/** Any name: which there are is told by `storedCollections`. */
export interface StoredCollections {
  readonly [name: string]: CollectionDefinition<AnyEntity>
}

/** What a tool opens, and how. */
export interface OpenStoredOptions {
  /** Where the database is. */
  readonly storage: Storage
  /** Nothing can be written, and not a byte of the files changes: writes are `read_only`. Default false. */
  readonly readOnly?: boolean
  /** Default `strict`. */
  readonly durability?: Durability
  /** Bounds; those that are not named are as for `EntiDB.open`. */
  readonly limits?: Partial<DatabaseLimits>
}

/**
 * Opens what is there: every collection with the indexes and the schema version it was last defined with, the
 * change feed on or off as it is. What is written is a local edit like the application's own, with indexes kept
 * in step; but an application's schemas and migrations are code, and nobody knows them here: entities of older
 * versions are read as they are stored and cannot be replaced (`migration_failed`), and queries of collections that
 * were migrated use no index.
 *
 * Errors: `not_a_database` (no application has ever opened it), `database_locked`, `format_too_new`, `corrupt`,
 * `io_failed`, `read_only`; `migration_failed` for writing while an index is still being made.
 *
 * @example
 * const db = await openStored({ storage: fileStorage('./data'), readOnly: true })
 * for await (const person of db.collection('people').scan()) console.log(person)
 */
export async function openStored(options: OpenStoredOptions): Promise<EntiDB<StoredCollections>> {
  const { storage, readOnly = false, durability = 'strict' } = options
  const limits = limitsOf(options.limits ?? {})
  const store = await storage.open({ durability, readOnly })
  try {
    const cache = new EntityCache(limits.maxCacheBytes)
    const catalog = new Catalog(cache, limits)
    const found = await readStored(store, catalog, readOnly)
    return createDatabase<StoredCollections>(
      createSource({ store, catalog, cache, limits, scheduler: systemScheduler }, found),
    )
  } catch (error) {
    // The first error says why; closing can only add to it.
    await store.close().catch(() => {})
    throw error
  }
}

async function readStored(
  store: KeyValueStore,
  catalog: Catalog,
  readOnly: boolean,
): Promise<StoredFacts> {
  const snapshot = store.snapshot()
  try {
    return await runSteps(stored(snapshot, catalog, readOnly))
  } finally {
    snapshot.release()
  }
}

function* stored(reader: Reader, catalog: Catalog, readOnly: boolean): Steps<StoredFacts> {
  const meta = yield* readAllMeta(reader)
  const identity = meta.get(META_KEYS.identity)
  if (identity === undefined) throw neverOpened()
  catalog.load(meta)
  const [building] = entriesWith(BUILDING_PREFIX, meta).keys()
  // A unique index that is not whole does not know what it would have to refuse.
  if (building !== undefined && !readOnly) throw notFinished(building)
  const roles = (yield* wait(reader.tables())).map(roleOfTable)
  catalog.defineStored(
    roles.flatMap(({ kind, collection = '' }) => (kind === 'records' ? [collection] : [])),
    doubtfulCollections(meta),
  )
  const lastOpId = lastOpIdOf(meta)
  // Written by `openFeed` or `EntityWriter.finish`.
  const feed = meta.get(META_KEYS.feed) as FeedSetting | undefined
  return {
    identity: parseIdentity(identity),
    lastOpId,
    feed: feed === undefined ? { on: false, after: lastOpId } : { on: true, after: feed.after },
  }
}

/** Those with indexes that opening by the application makes whole, or anew. */
function doubtfulCollections(meta: ReadonlyMap<string, unknown>): ReadonlySet<string> {
  const building = [...entriesWith(BUILDING_PREFIX, meta).keys()].map(collectionOfBuild)
  return new Set([...building, ...entriesWith(REINDEX_PREFIX, meta).keys()])
}

function collectionOfBuild(key: string): string {
  return key.slice(0, key.indexOf(':'))
}

function notFinished(key: string): EntiDBError {
  const collection = collectionOfBuild(key)
  const index = key.slice(collection.length + 1)
  return new EntiDBError(
    'migration_failed',
    `The index ${index} of ${collection} is still being made. Open the database with its application first.`,
    { details: { collection, index } },
  )
}

function neverOpened(): EntiDBError {
  return new EntiDBError(
    'not_a_database',
    'The store has no identity: no application has opened it as a database yet.',
  )
}
