/**
 * Looks after held groups between pulling and pushing: lets go of those that nothing holds any more,
 * asks the resolver about conflicts, and notes what was deferred.
 */
import type { EntiDBError } from '@entidb/core'
import type { Timers } from '../environment.ts'
import type { SyncStore } from '../state/sync-store.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'
import { askResolver, type Verdict } from './ask-resolver.ts'
import type { ConflictResolver, OpenConflict } from './conflict-types.ts'
import { conflictId, fingerprint, type GroupView, viewGroup } from './group-view.ts'
import { settleGroup } from './settle-group.ts'
import { openConflicts } from './sides.ts'

export const ROUNDS_MAX = 8
/** Times a group is looked at again within one step because it moved meanwhile. */
const LOOKS_MAX = 8

export interface GroupKeeperOptions {
  readonly store: SyncStore
  readonly resolver: ConflictResolver | undefined
  readonly timers: Timers
  readonly resolverTimeLimitMs: number
  readonly onError: (error: EntiDBError) => void
  readonly onConflict: (conflict: OpenConflict) => void
}

interface OpenDuty {
  readonly type: 'ask' | 'defer' | 'release'
  readonly view: GroupView
}

/** Nothing holds the group any more. */
const RELEASED: Verdict = { answers: new Map(), how: 'released' }

/** Undefined: nothing to do. */
type Duty = OpenDuty | 'again' | undefined

export class GroupKeeper {
  readonly #options: GroupKeeperOptions

  constructor(options: GroupKeeperOptions) {
    this.#options = options
  }

  /** One look at every held group. */
  async settleAll(signal: AbortSignal): Promise<void> {
    let groups = this.#groups()
    for (let look = 0; look < LOOKS_MAX && groups.length > 0 && !signal.aborted; look++) {
      await this.#options.store.followFeed()
      groups = await this.#lookAt(groups, signal)
    }
  }

  #groups(): readonly number[] {
    const { store } = this.#options
    const groups = new Set<number>(store.fateGroups)
    for (const { group } of store.notes.values()) if (group !== null) groups.add(group)
    return [...groups]
  }

  /** The groups that are to be looked at again, because they moved meanwhile. */
  async #lookAt(groups: readonly number[], signal: AbortSignal): Promise<readonly number[]> {
    const again: number[] = []
    for (const { group, duty } of await this.#dutiesOf(groups)) {
      if (signal.aborted) return []
      const done = duty !== 'again' && (await this.#perform(group, duty, signal))
      if (!done) again.push(group)
    }
    return again
  }

  #dutiesOf(
    groups: readonly number[],
  ): Promise<readonly { readonly group: number; readonly duty: OpenDuty | 'again' }[]> {
    return this.#options.store.transaction(async (tx) => {
      const duties: { group: number; duty: OpenDuty | 'again' }[] = []
      for (const group of groups) {
        const duty = await this.#dutyOf(tx, group)
        if (duty !== undefined) duties.push({ group, duty })
      }
      return duties
    })
  }

  async #perform(group: number, duty: OpenDuty, signal: AbortSignal): Promise<boolean> {
    const { resolver, timers, resolverTimeLimitMs: timeLimitMs, onError } = this.#options
    if (duty.type === 'release') return this.#carryOut(group, duty.view, RELEASED)
    const verdict =
      duty.type === 'defer' || resolver === undefined
        ? undefined
        : await askResolver(resolver, duty.view, { timers, timeLimitMs, signal, onError })
    return signal.aborted || this.#carryOut(group, duty.view, verdict)
  }

  async #dutyOf(tx: SyncTransaction, group: number): Promise<Duty> {
    const { edits } = this.#options.store
    const view = await viewGroup(tx, group, edits)
    if (view.isBehind) return 'again'
    const members = [...view.members.values()]
    const conflicts = members.filter(({ conflict }) => conflict !== null)
    const rejected = members.some(({ note }) => note.rejection !== null)
    if (conflicts.length === 0) {
      const edited = members.some(({ ref }) => edits.has(`${ref.collection}/${ref.entityId}`))
      // In a transaction of its own: what is pushed again by one is one group from then on.
      return rejected && !edited ? undefined : { type: 'release', view }
    }
    if (!view.isReceived) return undefined
    if (conflicts.every((each) => each.conflict?.deferred === conflictId(each))) {
      return undefined
    }
    const exhausted = conflicts.some(({ note }) => note.rounds >= ROUNDS_MAX)
    const ask = this.#options.resolver !== undefined && !exhausted
    return { type: ask ? 'ask' : 'defer', view }
  }

  /** False when a side moved since the question. */
  async #carryOut(group: number, asked: GroupView, verdict: Verdict | undefined): Promise<boolean> {
    try {
      return await this.#settleOrDefer(group, asked, verdict)
    } catch (error) {
      // A merged entity that the database refuses is the resolver's mistake: the conflict stays.
      if (verdict === undefined || !isRefusal(error)) throw error
      this.#options.onError(error)
      return this.#settleOrDefer(group, asked, undefined)
    }
  }

  async #settleOrDefer(
    group: number,
    asked: GroupView,
    verdict: Verdict | undefined,
  ): Promise<boolean> {
    const { store, onConflict } = this.#options
    const deferred = await store.transaction(async (tx) => {
      const view = await viewGroup(tx, group, store.edits)
      if (view.isBehind || fingerprint(view) !== fingerprint(asked)) return undefined
      if (verdict === undefined) return deferGroup(tx, view)
      const decidedBy = verdict === RELEASED ? null : 'resolver'
      await settleGroup(tx, view, verdict.answers, verdict.how, decidedBy)
      return []
    })
    if (deferred === undefined) return false
    for (const conflict of deferred) onConflict(conflict)
    return true
  }
}

/** Returns the conflicts that wait for the application from now on. */
function deferGroup(tx: SyncTransaction, view: GroupView): readonly OpenConflict[] {
  const fresh = new Set<string>()
  for (const member of view.members.values()) {
    const id = conflictId(member)
    if (id === undefined || member.conflict === null || member.conflict.deferred === id) continue
    fresh.add(id)
    tx.changeNote(member.ref, {
      conflict: { ...member.conflict, stale: member.stale, deferred: id },
      rounds: member.note.rounds + 1,
    })
  }
  return openConflicts(view).filter(({ id }) => fresh.has(id))
}

const REFUSALS: ReadonlySet<unknown> = new Set([
  'invalid_entity',
  'invalid_id',
  'too_large',
  'unique_violation',
  'schema_violation',
  'schema_transforms',
  'unknown_collection',
])

function isRefusal(error: unknown): error is EntiDBError {
  return error instanceof Error && 'code' in error && REFUSALS.has(error.code)
}
