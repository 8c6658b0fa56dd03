/**
 * Tries the migrations on every entity of an older version before anything is changed, and finds what
 * follows for the indexes. Bounded memory, but for the ids of those that fail.
 */
import type { Reader } from '../store/key-value-store.ts'
import type { CollectionState } from './collection-state.ts'
import { IndexMoves } from './index-moves.ts'
import type { IndexPlan } from './index-plan.ts'
import { eachOlderEntity, isLocal, isRewritable } from './older-entities.ts'
import type { OpenWork } from './open-work.ts'
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
  const unmigratedBefore = yield* readUnmigrated(view, state.name)
  const moves = new IndexMoves({ ...state, indexes: kept }, versionBefore, unmigratedBefore)
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
