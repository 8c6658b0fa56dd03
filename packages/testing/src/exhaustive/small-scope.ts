/** What is tried exhaustively: two devices or so, each of which edits and syncs once. */
import { assertOptions } from '@entidb/core'
import { deviceName, type Plan } from '../plan/plan.ts'

/**
 * `lost`: an answer of the server is lost, and its device learns it. `device`: a device loses power and comes back, between
 * any two flushes of its disk. `server`: the same of the server, between two requests, in the middle of one, or before
 * its answer has left. What was not flushed is lost. `serverRestore`, `deviceRestore`: between two requests, or between any
 * two flushes of a device, one gets back the files that it had at any such time before. `purge`: between two requests
 * the retention passes, and the server forgets what it may.
 */
export type ScopeFault = 'lost' | 'device' | 'server' | 'serverRestore' | 'deviceRestore' | 'purge'

/** Those that leave everybody what was durable. */
export const CRASHES: readonly ScopeFault[] = ['lost', 'device', 'server']

const FAULTS: readonly ScopeFault[] = [...CRASHES, 'serverRestore', 'deviceRestore', 'purge']

/** What is tried. */
export interface SmallScope {
  /** An action of the application for each device. */
  readonly actions: readonly string[]
  /** The resolver that every device has. */
  readonly resolver: string
  /** How much may go wrong in one run. */
  readonly faultsMax: number
  /** What may go wrong. Default: what leaves everybody what was durable. */
  readonly faults?: readonly ScopeFault[]
}

/** Of a fault that was misspelt, nothing would go wrong. Error: TypeError. */
export function assertScope(scope: SmallScope): void {
  assertOptions('A scope', scope, ['actions', 'resolver', 'faultsMax', 'faults'])
  const { actions, faultsMax, faults = CRASHES } = scope
  if (!Array.isArray(actions) || actions.length === 0) {
    throw new TypeError('actions of a scope names one for each device')
  }
  if (!(Number.isSafeInteger(faultsMax) && faultsMax >= 0)) {
    throw new TypeError(`faultsMax is a whole number from 0, not ${faultsMax}`)
  }
  const unknown = faults.find((fault) => !FAULTS.includes(fault))
  if (unknown === undefined) return
  throw new TypeError(`There is no fault ${unknown}; there are ${FAULTS.join(', ')}`)
}

/** Longer than anything takes. */
export const RETENTION_MS = 3_600_000_000

/** Its world: nothing takes longer than anything else. */
export function planOf({ actions, resolver }: SmallScope): Plan {
  return {
    seed: 1,
    config: {
      devices: actions.length,
      versions: actions.map(() => 1),
      resolvers: actions.map(() => resolver),
      latencyMs: [1, 1],
      flushMs: [2, 2],
      faultRate: 0,
      maxOpsPerPush: 100,
      maxPullOps: 100,
      maxConflictBytes: 1_000_000,
      retentionMs: RETENTION_MS,
      pollIntervalMs: 60_000,
      stream: false,
      tokenLifeMs: 3_600_000_000,
    },
    steps: [],
  }
}

/** The names of its devices. */
export function devicesOf({ actions }: SmallScope): readonly string[] {
  return actions.map((_, i) => deviceName(i))
}
