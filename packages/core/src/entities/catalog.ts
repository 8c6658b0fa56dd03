/**
 * The collections of an open database: those the application defines, and those that only the stored
 * data or replication speaks of. The latter keep the indexes they were last defined with, so that they
 * are right when the application defines them again.
 */
import { EntiDBError } from '../errors/entidb-error.ts'
import type { WriteTransaction } from '../store/key-value-store.ts'
import type { CollectionDefinition, CollectionDefinitions } from './collection-definition.ts'
import {
  assertCollectionName,
  type CollectionSpec,
  type CollectionState,
  createCollectionState,
  specOf,
} from './collection-state.ts'
import type { EntityCache } from './entity-cache.ts'
import { unknownCollection } from './entity-errors.ts'
import { buildIndexes } from './index-maintenance.ts'
import { indexTable } from './index-plan.ts'
import { COLLECTION_PREFIX, entriesWith, writeMeta } from './meta.ts'
import type { StandardSchema } from './standard-schema.ts'
import { type Steps, wait } from './steps.ts'

/** System collections name their rows after entities, with something before. */
const SYSTEM_ID_BYTES = 1024

const EMPTY_SPEC: CollectionSpec = { schemaVersion: 1, indexes: {} }

export class Catalog {
  readonly #cache: EntityCache
  readonly #maxIdBytes: number
  readonly #statesByName = new Map<string, CollectionState>()

  constructor(cache: EntityCache, maxIdBytes: number) {
    this.#cache = cache
    this.#maxIdBytes = maxIdBytes
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
   * Makes indexes and stored definitions fit. The answer puts the definitions into effect, once the
   * transaction is sure to commit. Errors: `data_newer_than_code`.
   */
  *define(
    tx: WriteTransaction,
    definitions: CollectionDefinitions,
    options: { readonly system: boolean },
  ): Steps<{ readonly changed: boolean; readonly apply: () => void }> {
    let changed = false
    const applies: (() => void)[] = []
    for (const [name, definition] of Object.entries(definitions)) {
      assertCollectionName(name, options)
      const spec = specOf(name, definition)
      if (yield* this.#migrate(tx, name, spec)) changed = true
      applies.push(() => this.#add(name, spec, schemaOf(definition), true))
    }
    const apply = () => {
      for (const applyOne of applies) applyOne()
    }
    return { changed, apply }
  }

  *#migrate(tx: WriteTransaction, name: string, spec: CollectionSpec): Steps<boolean> {
    const stored = this.#storedSpec(name)
    if (stored !== undefined && stored.schemaVersion > spec.schemaVersion) {
      throw dataNewerThanCode(name, stored.schemaVersion, spec.schemaVersion)
    }
    if (stored !== undefined && isSameJson(stored, spec)) return false
    const state = this.#create(name, spec, undefined, true)
    const stale = state.indexes.filter(
      (index) => !isSameJson(stored?.indexes[index.name], spec.indexes[index.name]),
    )
    if (stale.length > 0) yield* buildIndexes(tx, { ...state, indexes: stale })
    for (const index of Object.keys(stored?.indexes ?? {})) {
      if (spec.indexes[index] === undefined) yield* wait(tx.clear(indexTable(name, index)))
    }
    yield* writeMeta(tx, COLLECTION_PREFIX + name, spec)
    return true
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
    schema: StandardSchema | undefined,
    isDefined: boolean,
  ): CollectionState {
    const maxIdBytes = name.startsWith('_') ? SYSTEM_ID_BYTES : this.#maxIdBytes
    const cache = this.#statesByName.get(name)?.cache ?? this.#cache.collection()
    return createCollectionState({ name, spec, schema, isDefined, cache, maxIdBytes })
  }

  #add(
    name: string,
    spec: CollectionSpec,
    schema: StandardSchema | undefined,
    isDefined: boolean,
  ): CollectionState {
    const state = this.#create(name, spec, schema, isDefined)
    this.#statesByName.set(name, state)
    return state
  }
}

function schemaOf(definition: CollectionDefinition): StandardSchema | undefined {
  return definition.schema
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
