/** What opening a database with these definitions would migrate: found out without changing anything. */
import { decodeEntity } from '../cbor/entity-decoder.ts'
import { ENTITY_BYTES_MAX } from '../cbor/entity-limits.ts'
import type { Reader, Storage } from '../store/key-value-store.ts'
import { type Scheduler, systemScheduler } from '../store/scheduler.ts'
import type { CollectionDefinitions } from './collection-definition.ts'
import {
  assertCollectionName,
  type CollectionSpec,
  type CollectionState,
  codeOf,
  specOf,
} from './collection-state.ts'
import { COLLECTION_PREFIX, META_KEYS, readAllMeta } from './meta.ts'
import { eachOlderEntity, isLocal, isRewritable, type OlderEntity } from './older-entities.ts'
import { type OpenProgress, OpenWork } from './open-work.ts'
import { runSteps, type Steps, wait } from './steps.ts'
import { storedCollection } from './verify-collection.ts'

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
  /** `EntiDB.open` would fail, and leave everything as it is. */
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

const FAILURES_MAX = 100
const SAMPLES = 3

/**
 * A dry run of the migrations that `EntiDB.open` would do with these definitions.
 *
 * Errors: those of opening a storage (`not_a_database` where there is none, `database_locked`, `corrupt`, ...);
 * a TypeError for definitions that make no sense.
 *
 * @example
 * const { ok, collections } = await planMigrations({ storage: fileStorage('./data'), collections })
 */
export async function planMigrations<const D extends CollectionDefinitions>(
  options: MigrationPlanOptions<D>,
): Promise<MigrationPlan> {
  const store = await options.storage.open({ durability: 'strict', readOnly: true })
  try {
    const view = store.snapshot()
    try {
      return await runSteps(planAll(view, options))
    } finally {
      view.release()
    }
  } finally {
    await store.close()
  }
}

function* planAll<D extends CollectionDefinitions>(
  view: Reader,
  options: MigrationPlanOptions<D>,
): Steps<MigrationPlan> {
  const { scheduler = systemScheduler, onProgress = () => {}, signal, limits, samples } = options
  const work = new OpenWork(scheduler, (progress) => {
    signal?.throwIfAborted()
    onProgress(progress)
  })
  const meta = yield* readAllMeta(view)
  const changeFeed = meta.has(META_KEYS.feed)
  const setting = {
    work,
    maxEntityBytes: limits?.maxEntityBytes ?? ENTITY_BYTES_MAX,
    samplesMax: samples ?? SAMPLES,
    // Bytes that are in the change feed too stay as they are.
    rewrites: !changeFeed,
  }
  const collections: CollectionPlan[] = []
  for (const [name, definition] of Object.entries(options.collections)) {
    assertCollectionName(name, { system: false })
    const state = storedCollection(name, specOf(name, definition), codeOf(name, definition))
    // Written by the catalog.
    const stored = meta.get(COLLECTION_PREFIX + name) as CollectionSpec | undefined
    collections.push(yield* planOne(view, state, stored?.schemaVersion ?? null, setting))
  }
  const ok = collections.every(({ isNewer, failureCount }) => !isNewer && failureCount === 0)
  return { ok, isRefused: collections.some(isRefused), changeFeed, collections }
}

interface PlanSetting {
  readonly work: OpenWork
  readonly maxEntityBytes: number
  readonly samplesMax: number
  readonly rewrites: boolean
}

function* planOne(
  view: Reader,
  state: CollectionState,
  storedVersion: number | null,
  { work, maxEntityBytes, samplesMax, rewrites }: PlanSetting,
): Steps<CollectionPlan> {
  const isNewer = (storedVersion ?? 0) > state.schemaVersion
  const found = new FoundEntities(samplesMax, rewrites)
  if (!isNewer) yield* eachOlderEntity(view, state, maxEntityBytes, work, (one) => found.add(one))
  return {
    collection: state.name,
    storedVersion,
    codeVersion: state.schemaVersion,
    isNewer,
    entities: yield* wait(view.count(state.recordTable)),
    ...found.counts,
    failures: found.failures,
    samples: found.samples,
  }
}

class FoundEntities {
  readonly counts = { older: 0, rewritten: 0, failureCount: 0, localFailureCount: 0 }
  readonly failures: MigrationFailure[] = []
  readonly samples: MigrationSample[] = []
  readonly #samplesMax: number
  readonly #rewrites: boolean

  constructor(samplesMax: number, rewrites: boolean) {
    this.#samplesMax = samplesMax
    this.#rewrites = rewrites
  }

  add({ id, stored, bytes, failure }: OlderEntity): void {
    this.counts.older++
    const from = stored.schemaVersion
    if (bytes === undefined) {
      const wasLocal = isLocal(stored)
      this.counts.failureCount++
      if (wasLocal) this.counts.localFailureCount++
      if (this.failures.length === FAILURES_MAX) return
      this.failures.push({ id, from, message: failure?.message ?? '', isLocal: wasLocal })
      return
    }
    if (this.#rewrites && isRewritable(stored)) this.counts.rewritten++
    if (this.samples.length >= this.#samplesMax) return
    const before = decodeEntity(stored.record, stored.entityStart)
    this.samples.push({ id, from, before, after: decodeEntity(bytes) })
  }
}

/** Entities are tried when the version changes, not at every opening. */
function isRefused({ isNewer, storedVersion, codeVersion, localFailureCount }: CollectionPlan) {
  return isNewer || (storedVersion !== codeVersion && localFailureCount > 0)
}
