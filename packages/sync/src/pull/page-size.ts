/**
 * How many operations a pull asks for. A page counts only as a whole: where connections, or processes, do not live as long as
 * a full one takes, only a smaller one is ever stored.
 */
import type { SnapshotRequest } from '@entidb/protocol'

/**
 * Of the first page of a snapshot, and the first after a restart: a small one is there sooner, and while it is applied the
 * server makes the next one. It also lets the host see a whole transaction before it makes fast what applies pages.
 */
const FIRST_PAGE_OPS = 500
/** Being offline makes pages no smaller than this. */
const LEAST_PAGE_OPS = 16
/** Pages in a row that came, after which larger ones are tried again. */
const GROWS_AFTER = 4

export class PageSize {
  /** Infinity: as many as the server likes. */
  #opsMax = Number.POSITIVE_INFINITY
  #came = 0

  /** Undefined: as many as the server likes. */
  next(snapshot: SnapshotRequest | undefined): number | undefined {
    const isFirst = snapshot !== undefined && (this.#came === 0 || snapshot.after === undefined)
    const opsMax = isFirst ? Math.min(FIRST_PAGE_OPS, this.#opsMax) : this.#opsMax
    return opsMax === Number.POSITIVE_INFINITY ? undefined : opsMax
  }

  /** A page came, of a server that sends no more than `serverMax`. */
  came(serverMax: number): void {
    if (++this.#came % GROWS_AFTER === 0) this.#opsMax *= 2
    if (this.#opsMax >= serverMax) this.#opsMax = Number.POSITIVE_INFINITY
  }

  /** One did not come. */
  failed(): void {
    const half = Math.max(LEAST_PAGE_OPS, Math.floor(this.#opsMax / 2))
    this.#opsMax = Math.min(FIRST_PAGE_OPS, half)
    this.#came = 0
  }
}
