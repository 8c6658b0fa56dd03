/** A stretch of the change feed that was read and is not taken yet: each operation is read once. */
import type { Engine, FeedRow } from '../state/engine.ts'
import type { BatchLimits } from './batch-draft.ts'

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

  /**
   * The operations after `after`, none at the end of the feed. Only a transaction of more than `opsMax` operations, or of
   * more than `bytesMax`, is cut.
   */
  async read(after: number, { opsMax, bytesMax }: BatchLimits): Promise<readonly FeedRow[]> {
    const rest = after < this.#after ? [] : this.#rows.slice(this.#rowsThrough(after))
    // The rest of a transaction that was cut is read with what follows it.
    const rowsMax = Math.max(2 * opsMax, READ_OPS_MIN)
    this.#rows = endsWhole(rest) ? rest : await this.#readFeed(after, rowsMax, READ_BYTES_MAX)
    const isCut = this.#rows.length > 0 && !endsWhole(this.#rows)
    if (isCut && this.#rows.length < rowsMax && bytesMax > READ_BYTES_MAX) {
      this.#rows = await this.#readFeed(after, rowsMax, bytesMax)
    }
    this.#after = after
    return this.#rows
  }

  /** Lets go of what was read. */
  clear(): void {
    this.#rows = []
    this.#after = 0
  }

  #readFeed(after: number, opsMax: number, bytesMax: number): Promise<readonly FeedRow[]> {
    return this.#engine.readFeed({ after, opsMax, bytesMax })
  }

  #rowsThrough(opId: number): number {
    const next = this.#rows.findIndex((row) => row.opId > opId)
    return next < 0 ? this.#rows.length : next
  }
}

/** It ends with the end of a transaction. */
function endsWhole(rows: readonly FeedRow[]): boolean {
  return rows.at(-1)?.transactionLast === true
}
