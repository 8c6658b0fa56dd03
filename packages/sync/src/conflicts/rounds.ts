/** How often an entity's conflict is settled, or left, in a row without the server accepting what came of it. */
import type { NoteRow } from '../state/rows.ts'
import type { MemberView } from './group-view.ts'

const ROUNDS_MAX = 8

type Rounds = Pick<NoteRow, 'rounds'>

function isExhausted({ rounds }: Rounds): boolean {
  return rounds >= ROUNDS_MAX
}

/**
 * After one that was deferred. Behind the last of them the rounds begin again, for all of a group: once a side has
 * changed, or after a rest. Whoever always loses a race against busy devices settles by itself when they are done, also
 * when the race that it lost last was their last edit.
 */
export function roundsAfterDefer(note: Rounds, exhausted: boolean): number {
  return exhausted ? 0 : note.rounds + 1
}

/** Its resolver is not asked about any of its conflicts for now. */
export function isGroupExhausted(
  members: Iterable<Pick<MemberView, 'conflict' | 'note'>>,
): boolean {
  return [...members].some(({ conflict, note }) => conflict !== null && isExhausted(note))
}

/** It was deferred because the rounds were over, not because a resolver wanted that. */
export function isAwaitingRest({
  rounds,
  conflict,
}: Pick<NoteRow, 'rounds' | 'conflict'>): boolean {
  return rounds === 0 && conflict !== null && conflict.deferred !== null
}
