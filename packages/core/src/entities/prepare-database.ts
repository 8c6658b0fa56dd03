/**
 * What opening does with what is stored: identity, collections, indexes and the change feed are made to fit, in one transaction. Then entities
 * of older versions are stored anew, in as many as it takes.
 */
import type { KeyValueStore, WriteTransaction } from '../store/key-value-store.ts'
import { systemScheduler } from '../store/scheduler.ts'
import { Catalog } from './catalog.ts'
import type { CollectionDefinitions } from './collection-definition.ts'
import { CommitLog } from './commit-log.ts'
import type { DatabaseCore, DatabaseLimits } from './database-core.ts'
import { DatabaseSource } from './database-source.ts'
import { EntityCache } from './entity-cache.ts'
import { FEED_TABLE } from './feed-row.ts'
import { type FeedSetting, FeedState } from './feed-state.ts'
import { hostRandomBytes, openIdentity } from './identity.ts'
import { buildIndexes } from './index-build.ts'
import { LiveQueries } from './live-queries.ts'
import {
  deleteMeta,
  entriesWith,
  META_KEYS,
  READER_PREFIX,
  readAllMeta,
  writeMeta,
} from './meta.ts'
import type { OpenOptions } from './open-database.ts'
import { OpenWork } from './open-work.ts'
import type { DatabaseIdentity } from './replication.ts'
import { REWRITE_BOUNDS, type RewriteBounds, rewriteOlder } from './rewrite-older.ts'
import { runSteps, type Steps, wait } from './steps.ts'

/** What an open database needs to know of what is stored. */
export interface StoredFacts {
  readonly identity: DatabaseIdentity
  readonly lastOpId: number
  readonly feed: FeedSetting
}

export async function prepareDatabase<D extends CollectionDefinitions>(
  store: KeyValueStore,
  options: OpenOptions<D>,
  limits: DatabaseLimits,
  bounds: RewriteBounds = REWRITE_BOUNDS,
): Promise<DatabaseSource> {
  const cache = new EntityCache(limits.maxCacheBytes)
  const catalog = new Catalog(cache, limits)
  const scheduler = options.scheduler ?? systemScheduler
  const work = new OpenWork(scheduler, options.onProgress)
  const inTransaction = <T>(task: (tx: WriteTransaction) => Steps<T>) => runIn(store, task)
  const found = await runIn(
    store,
    (tx) => prepareTables(tx, catalog, options, work),
    ({ changed }) => changed,
  )
  for (const state of found.building) await buildIndexes(inTransaction, state, work, bounds)
  for (const state of found.rewritten) await rewriteOlder(inTransaction, state, work, bounds)
  return createSource({ store, catalog, cache, limits, scheduler }, found, options.clock)
}

/** Rolled back where `isToCommit` says no. */
async function runIn<T>(
  store: KeyValueStore,
  task: (tx: WriteTransaction) => Steps<T>,
  isToCommit: (result: T) => boolean = () => true,
): Promise<T> {
  const tx = await store.begin()
  try {
    const result = await runSteps(task(tx))
    if (isToCommit(result)) await tx.commit()
    else tx.rollback()
    return result
  } catch (error) {
    tx.rollback()
    throw error
  }
}

/** An open database of what was found. */
export function createSource(
  parts: Pick<DatabaseCore, 'store' | 'catalog' | 'cache' | 'limits' | 'scheduler'>,
  { identity, lastOpId, feed }: StoredFacts,
  clock: DatabaseCore['clock'] = Date.now,
): DatabaseSource {
  return new DatabaseSource({
    ...parts,
    identity,
    clock,
    commits: new CommitLog(lastOpId),
    feed: new FeedState(feed),
    live: new LiveQueries(),
  })
}

function* prepareTables<D extends CollectionDefinitions>(
  tx: WriteTransaction,
  catalog: Catalog,
  { collections, changeFeed = false, randomBytes = hostRandomBytes }: OpenOptions<D>,
  work: OpenWork,
) {
  const meta = yield* readAllMeta(tx)
  const stored = meta.get(META_KEYS.identity)
  const identity = yield* openIdentity(tx, stored, randomBytes)
  const lastOpId = lastOpIdOf(meta)
  const feed = yield* openFeed(tx, meta, changeFeed, lastOpId)
  catalog.load(meta)
  // Operations in the feed have the bytes of the entities: these must not differ.
  const setting = { system: false, rewrites: !feed.on, work, meta }
  const defined = yield* catalog.define(tx, collections, setting)
  const workLeft = defined.apply()
  const isFeedChanged = meta.has(META_KEYS.feed) !== feed.on
  const changed = stored === undefined || defined.changed || isFeedChanged
  return { identity, lastOpId, feed, changed, ...workLeft }
}

export function lastOpIdOf(meta: ReadonlyMap<string, unknown>): number {
  // A number, written by `EntityWriter.finish`.
  return (meta.get(META_KEYS.lastOpId) as number | undefined) ?? 0
}

/** On when the application wants it, or a reader relies on it. */
function* openFeed(
  tx: WriteTransaction,
  meta: ReadonlyMap<string, unknown>,
  isWanted: boolean,
  lastOpId: number,
): Steps<FeedSetting> {
  const stored = meta.get(META_KEYS.feed)
  if (isWanted || entriesWith(READER_PREFIX, meta).size > 0) {
    // Written by this function or `EntityWriter.finish`.
    if (stored !== undefined) return { on: true, after: (stored as FeedSetting).after }
    yield* writeMeta(tx, META_KEYS.feed, { after: lastOpId })
    return { on: true, after: lastOpId }
  }
  if (stored !== undefined) {
    yield* wait(tx.clear(FEED_TABLE))
    yield* deleteMeta(tx, META_KEYS.feed)
  }
  return { on: false, after: lastOpId }
}
