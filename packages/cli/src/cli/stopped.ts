/** Why a command was told to stop. */

export class Stopped extends Error {
  /** The reader of the output went away: nobody waits for the rest. */
  readonly isUnread: boolean

  constructor(message: string, isUnread = false) {
    super(message)
    this.isUnread = isUnread
  }
}

/** What writing to a pipe fails with, too, when its reader went away. */
export function isUnread(error: unknown): boolean {
  if (error instanceof Stopped) return error.isUnread
  return error instanceof Error && 'code' in error && error.code === 'EPIPE'
}
