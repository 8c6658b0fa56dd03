/**
 * Tries the migrations on every entity of an older version before anything is changed, and finds what
 * follows for the indexes. Bounded memory, but for the ids of those that fail.
 */
import { decodeEntity } from '../cbor/entity-decoder.ts'
import type { Reader } from '../store/key-value-store.ts'
import type { CollectionState } from './collection-state.ts'
import { idOfKey } from './entity-id.ts'
import { isSameKeys } from './entry-keys.ts'
import type { IndexPlan } from './index-plan.ts'
import { indexedForm } from './indexed-form.ts'
import { eachOlderEntity, isLocal, isRewritable, type OlderEntity } from './older-entities.ts'
import type { OpenWork } from './open-work.ts'
import { indexKeysOf } from './prepared-entity.ts'
import type { Steps } from './steps.ts'
import { readUnmigrated } from './unmigrated.ts'

export interface MigrationCheck {
  /** There are entities that may be stored anew: nobody else knows their bytes. */
  readonly hasRewritable: boolean
  /** Those that no migration brings up; only replicated ones. */
  readonly unmigrated: readonly Uint8Array[]
  /** Indexes with an entry that is not the right one any more. */
  readonly moved: ReadonlySet<IndexPlan>
}

export interface CheckSetting {
  /** The version that the collection had until now. */
  readonly versionBefore: number
  /** Of `state`, those that hold entries of that version. */
  readonly kept: readonly IndexPlan[]
  readonly maxEntityBytes: number
  readonly work: OpenWork
}

/** Error: `migration_failed`, for an entity that this device wrote. */
export function* checkMigration(
  view: Reader,
  state: CollectionState,
  { versionBefore, kept, maxEntityBytes, work }: CheckSetting,
): Steps<MigrationCheck> {
  const unmigrated: Uint8Array[] = []
  const moves = new IndexMoves(state, versionBefore, kept)
  moves.expectStored(yield* readUnmigrated(view, state.name))
  let hasRewritable = false
  yield* eachOlderEntity(view, state, maxEntityBytes, work, (older) => {
    if (older.failure !== undefined) {
      if (isLocal(older.stored)) throw older.failure
      unmigrated.push(older.idKey)
    }
    if (isRewritable(older.stored)) hasRewritable = true
    moves.look(older)
  })
  return { hasRewritable, unmigrated, moved: moves.indexes }
}

class IndexMoves {
  readonly indexes = new Set<IndexPlan>()
  readonly #before: CollectionState
  readonly #now: CollectionState
  /** Entities whose entries are of the stored form. */
  #stored: ReadonlySet<string> = new Set()

  constructor(state: CollectionState, versionBefore: number, kept: readonly IndexPlan[]) {
    this.#now = { ...state, indexes: kept }
    this.#before = { ...this.#now, schemaVersion: versionBefore }
  }

  expectStored(idKeys: readonly Uint8Array[]): void {
    this.#stored = new Set(idKeys.map(idOfKey))
  }

  look({ id, idKey, stored, bytes }: OlderEntity): void {
    const { indexes } = this.#now
    if (this.indexes.size === indexes.length) return
    const storedEntity = decodeEntity(stored.record, stored.entityStart)
    const before = this.#stored.has(id)
      ? storedEntity
      : indexedForm(this.#before, id, stored).entity
    const now = bytes === undefined ? storedEntity : decodeEntity(bytes)
    const keysBefore = indexKeysOf(this.#now, idKey, before)
    const keysNow = indexKeysOf(this.#now, idKey, now)
    for (const [i, plan] of indexes.entries()) {
      if (!isSameKeys(keysBefore[i], keysNow[i])) this.indexes.add(plan)
    }
  }
}
