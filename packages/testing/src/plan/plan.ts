/** A run, written down: what can be repeated, shortened and kept. */
import type { PlannedFault } from '../network/faults.ts'

/** How the world of a run is. Drawn anew for each seed: bugs hide from any one configuration. */
export interface WorldConfig {
  /** How many there are. */
  readonly devices: number
  /** Which version of the application each begins with, from 1. */
  readonly versions: readonly number[]
  /** Names of the application's resolvers, one for each device. */
  readonly resolvers: readonly string[]
  /** Shortest and longest way of a message, in milliseconds. */
  readonly latencyMs: readonly [number, number]
  /** Shortest and longest flush of a disk, in milliseconds. */
  readonly flushMs: readonly [number, number]
  /** Part of the requests that meet a fault. */
  readonly faultRate: number
  /** Limit of the server. */
  readonly maxOpsPerPush: number
  /** Limit of the server. */
  readonly maxPullOps: number
  /** Limit of the server. */
  readonly maxConflictBytes: number
  /** How long the server remembers deletes, and devices that are silent. */
  readonly retentionMs: number
  /** Setting of the clients. */
  readonly pollIntervalMs: number
  /** Setting of the clients. */
  readonly stream: boolean
  /** How long a bearer token is accepted. */
  readonly tokenLifeMs: number
}

/** Something that is done to the world at some time. */
export type Step = { readonly atMs: number } & (
  | {
      readonly kind: 'act'
      readonly device: string
      readonly action: string
      readonly dice: number
    }
  | { readonly kind: 'sync'; readonly device: string }
  | { readonly kind: 'decide'; readonly device: string; readonly dice: number }
  | { readonly kind: 'discard'; readonly device: string }
  | { readonly kind: 'partition'; readonly device: string; readonly forMs: number }
  | { readonly kind: 'cutStream'; readonly device: string }
  /** Dies now, or at one of the next operations of its disk, and comes back. */
  | {
      readonly kind: 'crash'
      /** A device, or `server`. */
      readonly of: string
      readonly power: boolean
      readonly inOperations: number
      readonly forMs: number
    }
  /** Copies the files of a running device or of the server. */
  | { readonly kind: 'backup'; readonly of: string }
  /** Goes back to the last copy. */
  | { readonly kind: 'restore'; readonly of: string; readonly forMs: number }
  /** A device goes on with a copy of another one's files, which goes on too. */
  | {
      readonly kind: 'clone'
      readonly device: string
      readonly from: string
      readonly forMs: number
    }
  /** A device goes on with the next version of the application. */
  | { readonly kind: 'upgrade'; readonly device: string; readonly forMs: number }
  | { readonly kind: 'clock'; readonly of: string; readonly offsetMs: number }
  /** Everything sleeps: by all clocks so much time has passed, and nothing else happened. */
  | { readonly kind: 'sleep'; readonly forMs: number }
  /** The server clears away all that it may. By itself it does so when that is worth it. */
  | { readonly kind: 'maintain' }
)

/** All that decides about a run. */
export interface Plan {
  readonly seed: number
  readonly config: WorldConfig
  /** In order of time. */
  readonly steps: readonly Step[]
  /** Absent: drawn from the seed. */
  readonly faults?: readonly PlannedFault[]
}

/** `d1`, `d2`... */
export function deviceName(index: number): string {
  return `d${index + 1}`
}
