/**
 * Pulls from 0 that are under way. Their cursors lie below `purgedThrough` for a while, and yet nothing that was purged
 * concerns them: what was gone when they began, they never got. So the end of a page of such a pull is served as
 * long as nothing was purged since it began; and while it makes progress, nothing is purged that it has still to be told.
 * Held in memory: whoever is forgotten begins again.
 */

/** Of one device, or of all pulls of one subject that name no device. */
interface Puller {
  readonly pageEnds: readonly PageEnd[]
  /** What the last page was asked for with: it has all deletes up to there. */
  readonly since: number
  readonly atMs: number
}

interface PageEnd {
  readonly cursor: number
  /** `purgedThrough` when the pull from 0 began. */
  readonly purgedThrough: number
}

/** A page that was answered, with more to come. */
export interface AnsweredPage {
  readonly since: number
  readonly next: number
  readonly purgedThrough: number
}

/** Last page ends of each puller: several pages may be under way, or be asked for again. */
const PAGE_ENDS_MAX = 64
const PULLERS_MAX = 1_000
/** A pull that asked for nothing for so long is not waited for. */
const WAIT_MS = 60 * 60 * 1000

export class Resyncs {
  /** Least recently used first. */
  readonly #pullers = new Map<string, Puller>()

  note(name: string, page: AnsweredPage, nowMs: number): void {
    const begunAt = page.since === 0 ? page.purgedThrough : this.#begunAt(name, page.since)
    if (begunAt === undefined) return
    const ends = this.#pullers.get(name)?.pageEnds ?? []
    const others = ends.filter(({ cursor }) => cursor !== page.next)
    this.#pullers.delete(name)
    this.#pullers.set(name, {
      pageEnds: [...others.slice(1 - PAGE_ENDS_MAX), { cursor: page.next, purgedThrough: begunAt }],
      since: page.since,
      atMs: nowMs,
    })
    for (const oldest of this.#pullers.keys()) {
      if (this.#pullers.size <= PULLERS_MAX) return
      this.#pullers.delete(oldest)
    }
  }

  /** The puller was sent the rest: it may ask for it again, but nothing waits for that. */
  end(name: string): void {
    const puller = this.#pullers.get(name)
    if (puller !== undefined) this.#pullers.set(name, { ...puller, atMs: Number.NEGATIVE_INFINITY })
  }

  /** Whether a pull from 0 of this puller has come to `cursor`, and nothing was purged since it began. */
  isUnderWay(name: string, cursor: number, purgedThrough: number): boolean {
    return this.#begunAt(name, cursor) === purgedThrough
  }

  /** Deletes beyond it are still to be told to a pull under way; Infinity without one. */
  toldThrough(nowMs: number): number {
    const waited = [...this.#pullers.values()].filter(({ atMs }) => nowMs - atMs < WAIT_MS)
    return Math.min(Number.POSITIVE_INFINITY, ...waited.map(({ since }) => since))
  }

  #begunAt(name: string, since: number): number | undefined {
    return this.#pullers.get(name)?.pageEnds.find(({ cursor }) => cursor === since)?.purgedThrough
  }
}
