/** How often an entity's conflict is settled, or left, in a row without the server accepting what came of it. */
import type { NoteRow } from '../state/rows.ts'

const ROUNDS_MAX = 8

type Rounds = Pick<NoteRow, 'rounds'>

/** Its resolver is not asked about this conflict any more: it waits for people. */
export function isExhausted({ rounds }: Rounds): boolean {
  return rounds >= ROUNDS_MAX
}

/**
 * After one that was deferred. Behind the last of them a conflict with something else, once a side has changed, is a new
 * question: a device that always loses a race against busy ones settles by itself when they are done.
 */
export function roundsAfterDefer(note: Rounds): number {
  return isExhausted(note) ? 0 : note.rounds + 1
}
