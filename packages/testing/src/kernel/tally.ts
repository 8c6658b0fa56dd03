/** How often a run met what it is meant to meet: a check that nothing ever reaches checks nothing. */

/** What is counted. */
export const OCCURRENCES = [
  /** A device got a page from which the server had removed superseded operations. */
  'compactedPage',
  /** A device got a page of a snapshot with more behind it. */
  'snapshotPage',
  /** The server had accepted something since the first page. */
  'snapshotMoved',
  /** The server forgot a delete. */
  'purgedDelete',
  /** A device was told that the server forgot deletes it has not seen. */
  'cursorExpired',
  /** It received everything again. */
  'resynced',
  /** It had edited what was deleted and forgotten meanwhile, and somebody had to decide about that. */
  'editOfPurged',
  /** A device edited what a newer version of the application had written, and kept its fields. */
  'newerEdited',
  /** It put something of its own version in the place of that. */
  'newerMadeAnew',
  /** The two sides of a conflict were written by different versions. */
  'mixedConflict',
  /** A device was upgraded with edits that were not sent. */
  'upgradedPending',
  /** It was upgraded with edits in conflict, or refused. */
  'upgradedHeld',
] as const

export type Occurrence = (typeof OCCURRENCES)[number]

export class Tally {
  readonly #times = new Map<Occurrence, number>()

  count(what: Occurrence, times = 1): void {
    if (times > 0) this.#times.set(what, (this.#times.get(what) ?? 0) + times)
  }

  /** What never happened is absent. */
  get times(): ReadonlyMap<Occurrence, number> {
    return this.#times
  }
}
