/**
 * Pulls from 0 that are under way. Their cursors lie below `purgedThrough` for a while, and yet nothing that was purged
 * concerns them: what was gone when they began, they never got. So the end of a page of such a pull is served as
 * long as nothing was purged since it began; and while it makes progress, nothing is purged that it has still to be told.
 * Held in memory: whoever is forgotten begins again.
 */

/** Who pulls: a device, or a subject whose pulls name none, which may be those of several clients. */
export interface PullerName {
  readonly name: string
  readonly isShared: boolean
}

/** One pull from 0. */
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
/** Pulls under way of one shared name. */
const SHARED_MAX = 16
/** A pull that asked for nothing for so long is not waited for. */
const WAIT_MS = 60 * 60 * 1000

export class Resyncs {
  /** Least recently used first. */
  readonly #pullers = new Map<string, Puller>()

  note(puller: PullerName, page: AnsweredPage, nowMs: number): void {
    const key = page.since === 0 ? this.#keyToBegin(puller) : this.#keyOf(puller, page.since)
    const begunAt = page.since === 0 ? page.purgedThrough : this.#begunAt(key, page.since)
    if (begunAt === undefined) return
    const ends = this.#pullers.get(key)?.pageEnds ?? []
    const others = ends.filter(({ cursor }) => cursor !== page.next)
    this.#pullers.delete(key)
    this.#pullers.set(key, {
      pageEnds: [...others.slice(1 - PAGE_ENDS_MAX), { cursor: page.next, purgedThrough: begunAt }],
      since: page.since,
      atMs: nowMs,
    })
    for (const oldest of this.#pullers.keys()) {
      if (this.#pullers.size <= PULLERS_MAX) return
      this.#pullers.delete(oldest)
    }
  }

  /** The puller was sent the rest behind `since`: it may ask for it again, but nothing waits for that. */
  end(puller: PullerName, since: number): void {
    const key = this.#keyOf(puller, since)
    // Not of a pull from 0.
    if (puller.isShared && this.#begunAt(key, since) === undefined) return
    const ended = this.#pullers.get(key)
    if (ended !== undefined) this.#pullers.set(key, { ...ended, atMs: Number.NEGATIVE_INFINITY })
  }

  /** Whether a pull from 0 of this puller has come to `cursor`, and nothing was purged since it began. */
  isUnderWay(puller: PullerName, cursor: number, purgedThrough: number): boolean {
    return keysOf(puller).some((key) => this.#begunAt(key, cursor) === purgedThrough)
  }

  /** Deletes beyond it are still to be told to a pull under way; Infinity without one. A clock that is set ends the waiting. */
  toldThrough(nowMs: number): number {
    const waited = [...this.#pullers.values()].filter(
      ({ atMs }) => Math.abs(nowMs - atMs) < WAIT_MS,
    )
    return Math.min(Number.POSITIVE_INFINITY, ...waited.map(({ since }) => since))
  }

  /** Of several shared ones that came to `since` one that began last, and still goes on. */
  #keyOf(puller: PullerName, since: number): string {
    const [first = '', ...others] = keysOf(puller)
    const begunAt = (key: string): number => this.#begunAt(key, since) ?? -1
    return others.reduce((best, key) => {
      const later = begunAt(key) - begunAt(best)
      return later > 0 || (later === 0 && this.#atMs(key) > this.#atMs(best)) ? key : best
    }, first)
  }

  /** Of the puller's pulls the one to forget for a new one: none, or the one that was silent for longest. */
  #keyToBegin(puller: PullerName): string {
    const [first = '', ...others] = keysOf(puller)
    return others.reduce((best, key) => (this.#atMs(key) < this.#atMs(best) ? key : best), first)
  }

  #atMs(key: string): number {
    return this.#pullers.get(key)?.atMs ?? Number.NEGATIVE_INFINITY
  }

  #begunAt(key: string, since: number): number | undefined {
    return this.#pullers.get(key)?.pageEnds.find(({ cursor }) => cursor === since)?.purgedThrough
  }
}

function keysOf({ name, isShared }: PullerName): readonly string[] {
  return isShared ? Array.from({ length: SHARED_MAX }, (_, place) => `${name} ${place}`) : [name]
}
