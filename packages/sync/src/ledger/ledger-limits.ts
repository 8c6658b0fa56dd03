/** How much the ledger remembers. What is still open is never dropped. */
import { assertOptions } from '@entidb/core'

/** Bounds of the ledger; whichever is reached first drops the oldest. */
export interface LedgerConfig {
  /** Settled local transactions, at least 0. Default 10,000. While sync runs, up to 2,000 more stay. */
  readonly maxTransactions?: number
  /** Bytes of values that lost a conflict, at least 0. The last decision is kept whatever its size. Default 64 MiB. */
  readonly maxKeptBytes?: number
  /**
   * Milliseconds, by this device's clock. Default: no bound, because a clock that jumps ahead would drop
   * everything at once.
   */
  readonly maxAgeMs?: number
}

export type LedgerLimits = Required<LedgerConfig>

/** @throws TypeError */
export function ledgerLimitsOf(config: LedgerConfig): LedgerLimits {
  assertOptions('ledger', config, ['maxTransactions', 'maxKeptBytes', 'maxAgeMs'])
  const limits = {
    maxTransactions: config.maxTransactions ?? 10_000,
    maxKeptBytes: config.maxKeptBytes ?? 64 * 1024 * 1024,
    maxAgeMs: config.maxAgeMs ?? Number.POSITIVE_INFINITY,
  }
  for (const [name, value] of Object.entries(limits)) {
    if (!(value >= 0)) throw new TypeError(`ledger.${name} is a number from 0`)
  }
  return limits
}
