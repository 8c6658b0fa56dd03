/** A database that is open or opening, and who is using it. */
import type { SyncDatabase } from './database/sync-database.ts'

export interface OpenDatabase {
  readonly dbId: string
  readonly opening: Promise<SyncDatabase>
  /** Requests that are using it. */
  users: number
  /** Handed out for good: never closed for being idle. */
  isPinned: boolean
  stopTimer: () => void
  /** When it was opened, as a number that grows; undefined while it waits for its place. */
  turn: number | undefined
  /** Nobody is using it any more. */
  onUnused: () => void
}

/** Of those that may be closed the one that has been open for longest. */
export function longestOpen(databases: Iterable<OpenDatabase>): OpenDatabase | undefined {
  let longest: OpenDatabase | undefined
  for (const open of databases) {
    if (open.turn === undefined || open.isPinned) continue
    if (open.turn < (longest?.turn ?? Number.POSITIVE_INFINITY)) longest = open
  }
  return longest
}

/** Resolves when the requests that are using it have their answers; nobody else may begin to. */
export function untilUnused(open: OpenDatabase): Promise<void> {
  return new Promise((resolve) => {
    open.onUnused = resolve
    if (open.users === 0) resolve()
  })
}
