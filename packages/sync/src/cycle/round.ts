import { sameBytes } from '../same-bytes.ts'
import type { CycleTotals } from './sync-context.ts'

/** Rounds of a cycle in which nothing moved before it ends all the same. */
const IDLE_ROUNDS_MAX = 3
/** Changes of epoch in one cycle before the server counts as unable to keep one. */
const EPOCH_CHANGES_MAX = 10
/** Re-syncs that one cycle begins. */
const RESYNCS_MAX = 2

/** What one cycle has done so far, and may still do: it must not go round for ever. */
export class Round {
  readonly #totals: CycleTotals
  #moved = -1
  #idle = 0
  #epochs = 0
  #epoch: Uint8Array | null | undefined
  #resyncs = 0
  #trustsStream: boolean

  constructor(totals: CycleTotals, trustsStream: boolean) {
    this.#totals = totals
    this.#trustsStream = trustsStream
  }

  /** Once: what comes later in a cycle has a reason to be asked for. */
  mayTrustStream(): boolean {
    const trusts = this.#trustsStream
    this.#trustsStream = false
    return trusts
  }

  /** A conflict with nothing that is newer than `revisionMax`, the largest revision known, is no news. */
  goesOn(revisionMax: number): boolean {
    const { pulled, pushed, rejected } = this.#totals
    const moved = pulled + pushed + rejected + revisionMax
    this.#idle = moved === this.#moved ? this.#idle + 1 : 0
    this.#moved = moved
    return this.#idle < IDLE_ROUNDS_MAX
  }

  mayResync(): boolean {
    this.#resyncs += 1
    return this.#resyncs <= RESYNCS_MAX
  }

  /** `epoch`: the one that the server refuses. What a handshake told it refuses a second time. */
  mayChangeEpoch(epoch: Uint8Array | null): boolean {
    const isOther = this.#epoch === undefined || !sameBytes(this.#epoch, epoch)
    this.#epoch = epoch
    this.#epochs += 1
    return isOther && this.#epochs <= EPOCH_CHANGES_MAX
  }
}
