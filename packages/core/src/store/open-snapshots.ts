/**
 * The snapshots that are open, in no order. Every read makes one, so no `Set`: that would build a new table
 * after every few, each of which the one before refers to. Once a collector has moved one of those to its old
 * generation, it keeps all that come after, with what they held.
 */
import type { TreeSnapshot } from './store-snapshot.ts'

export class OpenSnapshots {
  readonly #snapshots: TreeSnapshot[] = []

  get size(): number {
    return this.#snapshots.length
  }

  add(snapshot: TreeSnapshot): void {
    snapshot.place = this.#snapshots.push(snapshot) - 1
  }

  /** The last one takes its place. */
  remove({ place }: TreeSnapshot): void {
    const last = this.#snapshots.pop()
    if (last === undefined || last.place === place) return
    last.place = place
    this.#snapshots[place] = last
  }

  /** Of the oldest state that one of them shows; infinite when there is none. */
  oldestLsn(): number {
    return this.#snapshots.reduce(
      (oldest, { lsn }) => Math.min(oldest, lsn),
      Number.POSITIVE_INFINITY,
    )
  }
}
