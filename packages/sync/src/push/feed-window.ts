/** A stretch of the change feed that was read and is not taken yet: each operation is read once. */
import type { Engine, FeedRow } from '../state/engine.ts'

const READ_OPS_MIN = 2_000
const READ_BYTES_MAX = 4 * 1024 * 1024

export class FeedWindow {
  readonly #engine: Engine
  /** `#rows` are all operations from here on up to the last of them. */
  #after = 0
  #rows: readonly FeedRow[] = []

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** The operations after `after`, none at the end of the feed. Only of more than `opsMax` a transaction is cut. */
  async read(after: number, opsMax: number): Promise<readonly FeedRow[]> {
    const rest = after < this.#after ? [] : this.#rows.slice(this.#rowsThrough(after))
    // The rest of a transaction that was cut is read with what follows it.
    this.#rows =
      rest.at(-1)?.transactionLast === true
        ? rest
        : await this.#engine.readFeed({
            after,
            opsMax: Math.max(2 * opsMax, READ_OPS_MIN),
            bytesMax: READ_BYTES_MAX,
          })
    this.#after = after
    return this.#rows
  }

  /** Lets go of what was read. */
  clear(): void {
    this.#rows = []
    this.#after = 0
  }

  #rowsThrough(opId: number): number {
    const next = this.#rows.findIndex((row) => row.opId > opId)
    return next < 0 ? this.#rows.length : next
  }
}
