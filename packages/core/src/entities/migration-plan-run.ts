/** What opening a database with these definitions would migrate: found out without changing anything. */
import { decodeEntity } from '../cbor/entity-decoder.ts'
import { ENTITY_BYTES_MAX } from '../cbor/entity-limits.ts'
import type { Reader } from '../store/key-value-store.ts'
import { systemScheduler } from '../store/scheduler.ts'
import type { CollectionDefinitions } from './collection-definition.ts'
import {
  assertCollectionName,
  type CollectionSpec,
  type CollectionState,
  codeOf,
  specOf,
} from './collection-state.ts'
import { COLLECTION_PREFIX, META_KEYS, readAllMeta } from './meta.ts'
import type {
  CollectionPlan,
  MigrationFailure,
  MigrationPlan,
  MigrationPlanOptions,
  MigrationSample,
} from './migration-plan.ts'
import { eachOlderEntity, isLocal, isRewritable, type OlderEntity } from './older-entities.ts'
import { OpenWork } from './open-work.ts'
import { runSteps, type Steps, wait } from './steps.ts'
import { storedCollection } from './verify-collection.ts'

const FAILURES_MAX = 100
const SAMPLES = 3

export async function runMigrationPlan<D extends CollectionDefinitions>(
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
