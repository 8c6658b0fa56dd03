/**
 * The collections of an open database: those the application defines, and those that only the stored
 * data or replication speaks of. The latter keep the indexes they were last defined with, so that they
 * are right when the application defines them again.
 */
import { ENTITY_BYTES_MAX } from '../cbor/entity-limits.ts'
import { EntiDBError } from '../errors/entidb-error.ts'
import type { WriteTransaction } from '../store/key-value-store.ts'
import type { CollectionDefinitions } from './collection-definition.ts'
import {
  assertCollectionName,
  type CollectionCode,
  type CollectionSpec,
  type CollectionState,
  codeOf,
  createCollectionState,
  isSystemName,
  specOf,
} from './collection-state.ts'
import type { DatabaseLimits } from './database-core.ts'
import type { EntityCache } from './entity-cache.ts'
import { unknownCollection } from './entity-errors.ts'
import { buildAtOnce, endBuild, orderBuild, readBuilds } from './index-build.ts'
import { type IndexPlan, indexTable } from './index-plan.ts'
import {
  BUILDING_PREFIX,
  COLLECTION_PREFIX,
  entriesWith,
  MIGRATING_PREFIX,
  REINDEX_PREFIX,
  readMeta,
  writeMeta,
} from './meta.ts'
import { changeVersion, retryUnmigrated } from './migrate-collection.ts'
import type { OpenWork } from './open-work.ts'
import { takeReindexing } from './reindexing.ts'
import { type Steps, wait } from './steps.ts'

type CatalogLimits = Pick<DatabaseLimits, 'maxIdBytes' | 'maxEntityBytes'>

/**
 * What the application allows itself does not bind those who keep rows beside its entities. They name them after
 * entities, with something before.
 */
const SYSTEM_LIMITS: CatalogLimits = { maxIdBytes: 1024, maxEntityBytes: ENTITY_BYTES_MAX }

const EMPTY_SPEC: CollectionSpec = { schemaVersion: 1, indexes: {} }

const NOTHING_MOVED: ReadonlySet<IndexPlan> = new Set()

export interface DefineSetting {
  readonly system: boolean
  /** Nobody else knows the bytes of entities that were never replicated: they may be stored anew. */
  readonly rewrites: boolean
  readonly work: OpenWork
  /** What the database knows of itself. */
  readonly meta: ReadonlyMap<string, unknown>
}

/** What became of definitions; in effect once the transaction is sure to commit. */
export interface Defined {
  readonly changed: boolean
  /** Puts the definitions into effect. */
  readonly apply: () => WorkLeft
}

/** Collections that something is to be done about, in transactions of their own. */
export interface WorkLeft {
  /** They have indexes to be made (`index-build.ts`). */
  readonly building: readonly CollectionState[]
  /** They have entities to store anew (`rewrite-older.ts`). */
  readonly rewritten: readonly CollectionState[]
}

export class Catalog {
  readonly #cache: EntityCache
  readonly #limits: CatalogLimits
  readonly #statesByName = new Map<string, CollectionState>()

  constructor(cache: EntityCache, limits: CatalogLimits) {
    this.#cache = cache
    this.#limits = limits
  }

  get defined(): readonly CollectionState[] {
    return [...this.#statesByName.values()].filter(({ isDefined }) => isDefined)
  }

  /** Error: `unknown_collection` for one that was not defined. */
  find(name: string): CollectionState {
    const state = this.#statesByName.get(name)
    if (state === undefined || !state.isDefined) throw unknownCollection(name)
    return state
  }

  /** What is not stored of its definition; undefined for one that was not defined. */
  codeOf(name: string): CollectionCode | undefined {
    const { schema, chain } = this.#statesByName.get(name) ?? {}
    return chain === undefined ? undefined : { schema, chain }
  }

  /** Any collection that replicates, defined or not. @throws TypeError for other names. */
  findReplicated(name: string): CollectionState {
    const state = this.#statesByName.get(name)
    if (state !== undefined && !state.isSystem) return state
    assertCollectionName(name, { system: false })
    return this.#add(name, EMPTY_SPEC, undefined, false)
  }

  /** Takes up what was defined before; the collections are not usable until they are defined again. */
  load(meta: ReadonlyMap<string, unknown>): void {
    for (const [name, spec] of entriesWith(COLLECTION_PREFIX, meta)) {
      // Written by `#define`.
      this.#add(name, spec as CollectionSpec, undefined, false)
    }
  }

  /**
   * Makes usable what is stored, as it was last defined: of `names` too, which replication may have brought
   * without a definition. Queries use no indexes of collections that are `doubtful`, nor of those that may have
   * entities of older versions: their entries are of what the application's migrations make of them.
   */
  defineStored(names: Iterable<string>, doubtful: ReadonlySet<string>): void {
    for (const name of [...this.#statesByName.keys(), ...names]) {
      const state = this.#add(name, this.#storedSpec(name) ?? EMPTY_SPEC, undefined, true)
      if (state.schemaVersion === 1 && !doubtful.has(name)) continue
      this.#statesByName.set(name, { ...state, queryIndexes: [], uniqueIndexes: new Map() })
    }
  }

  /**
   * Makes entities, indexes and stored definitions fit. Errors: `data_newer_than_code`, `migration_failed`:
   * then nothing may be committed.
   */
  *define(
    tx: WriteTransaction,
    definitions: CollectionDefinitions,
    setting: DefineSetting,
  ): Steps<Defined> {
    // All of them before anything is done about one: a mistake in the last would have cost the work on the first.
    const parsed = Object.entries(definitions).map(([name, definition]) => {
      assertCollectionName(name, setting)
      return { name, spec: specOf(name, definition), code: codeOf(name, definition) }
    })
    let changed = false
    const rewritten = new Set<string>()
    const building = new Set<string>()
    for (const { name, spec, code } of parsed) {
      const isUnfinished = hasUnfinishedWork(setting.meta, name)
      const isChanged = yield* this.#fit(tx, name, spec, code, setting.work, isUnfinished)
      if (isChanged) changed = true
      // Most openings have nothing to do: what they look for makes a good part of their time.
      if (!isChanged && !isUnfinished) continue
      if (setting.rewrites && (yield* readMeta(tx, MIGRATING_PREFIX + name)) === true) {
        rewritten.add(name)
      }
      if ((yield* readBuilds(tx, name)).size > 0) building.add(name)
    }
    const apply = () => {
      const states = parsed.map(({ name, spec, code }) => this.#add(name, spec, code, true))
      return {
        building: states.filter(({ name }) => building.has(name)),
        rewritten: states.filter(({ name }) => rewritten.has(name)),
      }
    }
    return { changed, apply }
  }

  *#fit(
    tx: WriteTransaction,
    name: string,
    spec: CollectionSpec,
    code: CollectionCode,
    work: OpenWork,
    isUnfinished: boolean,
  ): Steps<boolean> {
    const stored = this.#storedSpec(name)
    const versionBefore = stored?.schemaVersion ?? 0
    if (versionBefore > spec.schemaVersion) {
      throw dataNewerThanCode(name, versionBefore, spec.schemaVersion)
    }
    const state = this.#create(name, spec, code, true)
    // Of the first version there are no older ones.
    const mayRetry = versionBefore === spec.schemaVersion && versionBefore > 1
    const hasRetried = mayRetry ? yield* retryUnmigrated(tx, state) : false
    const isToReindex = isUnfinished ? yield* takeReindexing(tx, name) : false
    if (stored !== undefined && isSameJson(stored, spec) && !isToReindex) return hasRetried
    const kept = isToReindex
      ? []
      : state.indexes.filter((index) =>
          isSameJson(stored?.indexes[index.name], spec.indexes[index.name]),
        )
    const { maxEntityBytes } = state
    const moved =
      versionBefore < spec.schemaVersion
        ? yield* changeVersion(tx, state, { versionBefore, kept, maxEntityBytes, work })
        : NOTHING_MOVED
    const isNewlyUnique = (index: IndexPlan) =>
      index.unique && !isToReindex && !kept.includes(index)
    const stale = state.indexes.filter((index) => !kept.includes(index) || moved.has(index))
    yield* this.#makeAnew(tx, state, stale, isNewlyUnique)
    // Entities of a newer version cannot be opened by the code before: what may be refused has to be tried now.
    const isUpgrade = versionBefore > 0 && versionBefore < spec.schemaVersion
    if (isUpgrade && stale.some(isNewlyUnique)) yield* buildAtOnce(tx, state, work)
    for (const index of Object.keys(stored?.indexes ?? {})) {
      if (Object.hasOwn(spec.indexes, index)) continue
      yield* wait(tx.clear(indexTable(name, index)))
      yield* endBuild(tx, name, index)
    }
    yield* writeMeta(tx, COLLECTION_PREFIX + name, spec)
    return true
  }

  *#makeAnew(
    tx: WriteTransaction,
    state: CollectionState,
    indexes: readonly IndexPlan[],
    isNewlyUnique: (index: IndexPlan) => boolean,
  ): Steps<void> {
    const isEmpty = (yield* wait(tx.count(state.recordTable))) === 0
    for (const index of indexes) {
      if (isEmpty) yield* wait(tx.clear(index.table))
      else yield* orderBuild(tx, state, index, isNewlyUnique(index))
    }
  }

  /** The definition of the last open; undefined when there was none. */
  #storedSpec(name: string): CollectionSpec | undefined {
    const state = this.#statesByName.get(name)
    if (state === undefined) return undefined
    const indexes = state.indexes.map(
      ({ name: index, fields, unique, sparse }) => [index, { fields, unique, sparse }] as const,
    )
    return { schemaVersion: state.schemaVersion, indexes: Object.fromEntries(indexes) }
  }

  #create(
    name: string,
    spec: CollectionSpec,
    code: CollectionCode | undefined,
    isDefined: boolean,
  ): CollectionState {
    const { maxIdBytes, maxEntityBytes } = isSystemName(name) ? SYSTEM_LIMITS : this.#limits
    const known = this.#statesByName.get(name)
    // What is decoded of another version is of no use.
    const isSameVersion = known?.schemaVersion === spec.schemaVersion
    const cache = isSameVersion ? known.cache : this.#cache.collection()
    const limits = { maxIdBytes, maxEntityBytes }
    return createCollectionState({ name, spec, code, isDefined, cache, ...limits })
  }

  #add(
    name: string,
    spec: CollectionSpec,
    code: CollectionCode | undefined,
    isDefined: boolean,
  ): CollectionState {
    const state = this.#create(name, spec, code, isDefined)
    this.#statesByName.set(name, state)
    return state
  }
}

/** Has an earlier opening, or replication, left something to be done about the collection? */
function hasUnfinishedWork(meta: ReadonlyMap<string, unknown>, name: string): boolean {
  if (meta.has(MIGRATING_PREFIX + name) || meta.has(REINDEX_PREFIX + name)) return true
  for (const key of meta.keys()) if (key.startsWith(`${BUILDING_PREFIX}${name}:`)) return true
  return false
}

function isSameJson(a: unknown, b: unknown): boolean {
  return canonicalJson(a) === canonicalJson(b)
}

/** Keys in order: the stored form and the code's may name them differently. */
function canonicalJson(value: unknown): string | undefined {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}

function dataNewerThanCode(name: string, stored: number, defined: number): EntiDBError {
  return new EntiDBError(
    'data_newer_than_code',
    `${name} was written by version ${stored} of its shape; this application knows version ${defined}. Update it.`,
    { details: { collection: name, stored, defined } },
  )
}
