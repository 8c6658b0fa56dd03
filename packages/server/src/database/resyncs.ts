/**
 * Pulls from 0 that are under way. Their cursors lie below `purgedThrough` for a while, and yet nothing purged
 * concerns them: what was gone when they began, they never get. So a cursor that ended a page of such a pull is served as
 * long as only deletes from before its beginning were purged. Held in memory: whoever is forgotten begins again.
 */

/** Of one device, or of all pulls of one subject that name no device. */
interface PageEnd {
  readonly cursor: number
  /** The head when the pull from 0 began. */
  readonly begunAt: number
}

/** Last page ends of each puller: several pages may be under way, or be asked for again. */
const PAGE_ENDS_MAX = 64
const PULLERS_MAX = 1_000

export class Resyncs {
  /** Least recently used first. */
  readonly #pageEndsByPuller = new Map<string, readonly PageEnd[]>()

  /** A page after `since` was answered that ended at `next`, with more to come, while the head was `head`. */
  note(
    puller: string,
    page: { readonly since: number; readonly next: number; readonly head: number },
  ): void {
    const begunAt = page.since === 0 ? page.head : this.#begunAt(puller, page.since)
    if (begunAt === undefined) return
    const ends = this.#pageEndsByPuller.get(puller) ?? []
    const others = ends.filter(({ cursor }) => cursor !== page.next)
    this.#pageEndsByPuller.delete(puller)
    this.#pageEndsByPuller.set(puller, [
      ...others.slice(1 - PAGE_ENDS_MAX),
      { cursor: page.next, begunAt },
    ])
    for (const oldest of this.#pageEndsByPuller.keys()) {
      if (this.#pageEndsByPuller.size <= PULLERS_MAX) return
      this.#pageEndsByPuller.delete(oldest)
    }
  }

  /** Whether a pull from 0 of this puller has come to `cursor`, and began after everything purged was deleted. */
  isUnderWay(puller: string, cursor: number, purgedThrough: number): boolean {
    return (this.#begunAt(puller, cursor) ?? 0) >= purgedThrough
  }

  #begunAt(puller: string, since: number): number | undefined {
    return this.#pageEndsByPuller.get(puller)?.find(({ cursor }) => cursor === since)?.begunAt
  }
}
