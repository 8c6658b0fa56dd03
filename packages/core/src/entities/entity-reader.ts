/**
 * Entities read through one view of the store: a snapshot, or the writer's. Every object comes from the
 * cache when it holds this very version.
 */
import { decodeFrozenEntity } from '../cbor/entity-decoder.ts'
import { assertInvariant } from '../errors/assert.ts'
import type { Reader } from '../store/key-value-store.ts'
import type { CollectionState } from './collection-state.ts'
import type { CommitLog } from './commit-log.ts'
import { decodedBytes } from './entity-cache.ts'
import { idKeyOf, idOfKey } from './entity-id.ts'
import { makeVersioned, rememberVersion, shapeOf } from './entity-version.ts'
import type { ParsedQuery } from './parsed-query.ts'
import { type QueryBounds, QueryRun } from './query-run.ts'
import { decodeRecord, type StoredRecord, seenRevisionOf, stampOf } from './record.ts'
import { type Steps, wait } from './steps.ts'

export class EntityReader {
  readonly view: Reader
  readonly #commits: CommitLog
  /** The generation this view is the latest state of; -1: it may not be the latest. */
  readonly #generation: number

  constructor(view: Reader, commits: CommitLog) {
    this.view = view
    this.#commits = commits
    this.#generation = commits.isQuiet ? commits.generation : -1
  }

  /** The entity, where the cache knows that what it has is what this view holds. */
  cached(state: CollectionState, id: string): object | undefined {
    return this.#isLatest() ? state.cache.latest(id) : undefined
  }

  /** `found` is all that has a value of a unique index. */
  rememberLookup(state: CollectionState, path: string, found: readonly object[]): void {
    const [only] = found
    if (only === undefined || found.length > 1 || !this.#isLatest()) return
    // Every stored entity has one.
    state.cache.rememberOnly(path, (only as { readonly id: string }).id, only)
  }

  *findRecord(state: CollectionState, idKey: Uint8Array): Steps<StoredRecord | undefined> {
    const record = yield* wait(this.view.get(state.recordTable, idKey))
    return record === undefined ? undefined : decodeRecord(record)
  }

  *get(state: CollectionState, id: string): Steps<object | undefined> {
    const stored = yield* this.findRecord(state, idKeyOf(id))
    return stored === undefined ? undefined : this.entityOf(state, id, stored)
  }

  /** The entity that an entry of an index leads to. */
  *entityOfEntry(state: CollectionState, id: string, idKey: Uint8Array): Steps<object> {
    const answer = this.view.get(state.recordTable, idKey)
    const record = answer instanceof Promise ? yield* wait(answer) : answer
    assertInvariant(record !== undefined, 'an entry of an index has its entity')
    return this.entityOf(state, id, decodeRecord(record))
  }

  /**
   * In the order of `ids`. With `readsLatest` what the cache knows to be the latest is taken from there:
   * all of it now, before anything is waited for.
   */
  *getMany(
    state: CollectionState,
    ids: readonly string[],
    readsLatest: boolean,
  ): Steps<(object | undefined)[]> {
    const entities = ids.map((id) => (readsLatest ? state.cache.latest(id) : undefined))
    for (let i = 0; i < ids.length; i++) {
      if (entities[i] !== undefined) continue
      // Within bounds.
      const id = ids[i] as string
      const answer = this.view.get(state.recordTable, idKeyOf(id))
      const record = answer instanceof Promise ? yield* wait(answer) : answer
      if (record !== undefined) entities[i] = this.entityOf(state, id, decodeRecord(record))
    }
    return entities
  }

  /** To be run on this reader, or later ones of the same state. */
  query(state: CollectionState, query: ParsedQuery, bounds?: QueryBounds): QueryRun {
    return new QueryRun(state, query, bounds)
  }

  /** As `entityOf`, where the cache has it: no more of the record is looked at than that takes. */
  knownEntityOf(state: CollectionState, record: Uint8Array): object | undefined {
    return knownEntity(state, stampOf(record), seenRevisionOf(record), this.#isLatest())
  }

  /**
   * The frozen entity of a record, in the version that the code knows. The id, or its key: it is needed for
   * those that are not in the cache. Error: `migration_failed`.
   */
  entityOf(state: CollectionState, idOrKey: string | Uint8Array, stored: StoredRecord): object {
    return entityOfRecord(state, idOrKey, stored, this.#isLatest())
  }

  #isLatest(): boolean {
    return this.#generation === this.#commits.generation
  }
}

/** As `entityOf` of a reader. `latest`: the record is what the last visible commit holds, for sure. */
export function entityOfRecord(
  state: CollectionState,
  idOrKey: string | Uint8Array,
  stored: StoredRecord,
  latest: boolean,
): object {
  const { stamp, record, entityStart } = stored
  const revision = seenRevisionOf(record)
  const known = knownEntity(state, stamp, revision, latest)
  if (known !== undefined) return known
  const id = typeof idOrKey === 'string' ? idOrKey : idOfKey(idOrKey)
  const decoded =
    stored.schemaVersion < state.schemaVersion && state.chain !== undefined
      ? decodeFrozenEntity(state.chain.upgrade(id, stored, state.schemaVersion), 0, makeVersioned)
      : decodeFrozenEntity(record, entityStart, makeVersioned)
  // Only maps are stored.
  const value = decoded.value as object
  const version = { stamp, revision, shape: shapeOf(state, stored.schemaVersion) }
  const isKept = decoded.shareable && state.cache.admits(id)
  rememberVersion(
    value,
    isKept ? state.cache.put(id, version, value, decodedBytes(record.length), latest) : version,
  )
  return value
}

function knownEntity(
  state: CollectionState,
  stamp: number,
  revision: number,
  latest: boolean,
): object | undefined {
  const cached = state.cache.find(stamp)
  if (cached === undefined) return undefined
  if (cached.revision !== revision) cached.revision = revision
  if (latest && !cached.latest) cached.latest = true
  return cached.value
}
