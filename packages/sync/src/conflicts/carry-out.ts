/**
 * Carries out what was decided about held groups: all of it in one transaction, in which each group is a local
 * transaction of its own, and is left alone when a side of it moved since the question.
 */
import type { EntiDBError } from '@entidb/core'
import { entityKey } from '../entity-ref.ts'
import type { SyncStore } from '../state/sync-store.ts'
import type { SyncTransaction } from '../state/sync-transaction.ts'
import type { Verdict } from './ask-resolver.ts'
import type { OpenConflict } from './conflict-types.ts'
import { fingerprint, type GroupView, pairOf, viewAgain } from './group-view.ts'
import type { Pace } from './pace.ts'
import { isAwaitingRest, isGroupExhausted, roundsAfterDefer } from './rounds.ts'
import { settleGroup } from './settle-group.ts'
import { openConflicts } from './sides.ts'

/** What is done about a group, if it still is as it was seen. Without a verdict it is deferred. */
export interface Decision {
  readonly asked: GroupView
  readonly verdict: Verdict | undefined
}

/** Nothing holds the group any more. */
export const RELEASED: Verdict = { answers: new Map(), how: 'released' }

export interface CarryOutOptions {
  readonly store: SyncStore
  readonly pace: Pace
  readonly onError: (error: EntiDBError) => void
  readonly onConflict: (conflict: OpenConflict) => void
}

/** Answers the groups of which a side moved since the question. */
export async function carryOut(
  decisions: readonly Decision[],
  options: CarryOutOptions,
): Promise<readonly number[]> {
  const [decision] = decisions
  if (decision === undefined) return []
  try {
    return await settleTogether(decisions, options)
  } catch (error) {
    if (!isRefusal(error)) throw error
    if (decisions.length === 1) return deferRefused(decision, error, options)
  }
  // The database refuses one of them: the others are not to suffer from it.
  const moved: number[] = []
  for (const each of decisions) moved.push(...(await carryOut([each], options)))
  return moved
}

/** A merged entity that the database refuses is the resolver's mistake: the conflict stays. */
function deferRefused(
  { asked, verdict }: Decision,
  error: EntiDBError,
  options: CarryOutOptions,
): Promise<readonly number[]> {
  if (verdict === undefined) throw error
  options.onError(error)
  return settleTogether([{ asked, verdict: undefined }], options)
}

async function settleTogether(
  decisions: readonly Decision[],
  { store, pace, onConflict }: CarryOutOptions,
): Promise<readonly number[]> {
  const { moved, deferred } = await store.transaction(async (tx) => {
    const moved = new Set<number>()
    const deferred: OpenConflict[] = []
    for (const { asked, verdict } of decisions) {
      const view = await viewAgain(tx, asked, store.edits)
      if (view.isBehind || fingerprint(view) !== fingerprint(asked)) {
        for (const group of [...asked.groups, ...view.groups]) moved.add(group)
      } else if (verdict === undefined) {
        deferred.push(...deferGroup(tx, view))
      } else {
        const decidedBy = verdict === RELEASED ? null : 'resolver'
        await settleGroup(tx, view, verdict.answers, verdict.how, decidedBy)
      }
      await pace.after(view)
    }
    return { moved, deferred }
  })
  for (const conflict of deferred) onConflict(conflict)
  return [...moved]
}

/** Returns the conflicts that wait for the application from now on. */
function deferGroup(tx: SyncTransaction, view: GroupView): readonly OpenConflict[] {
  const fresh = new Set<string>()
  const members = [...view.members.values()]
  const exhausted = isGroupExhausted(members)
  for (const member of members) {
    const { ref, conflict, note, stale } = member
    const rounds = roundsAfterDefer(note, exhausted)
    const pair = pairOf(member)
    if (pair !== undefined && conflict !== null && conflict.deferred !== pair) {
      fresh.add(entityKey(ref))
      tx.changeNote(ref, { conflict: { ...conflict, stale, deferred: pair }, rounds })
    } else if (exhausted ? note.rounds > 0 : isAwaitingRest(note)) {
      tx.changeNote(ref, { rounds })
    }
  }
  return openConflicts(view).filter((conflict) => fresh.has(entityKey(conflict)))
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
