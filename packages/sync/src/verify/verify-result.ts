/** What `sync.verify` finds. */
import type { EntityRef } from '../entity-ref.ts'

/** Options of `verify`. */
export interface VerifyOptions {
  /** Store the server's state of every entity that diverges. Default false. */
  readonly repair?: boolean
  /** Ends it; what was repaired by then stays. */
  readonly signal?: AbortSignal
}

/** How an entity here differs from the server's. */
export type Difference =
  /** The server has it, this device does not. */
  | 'missing'
  /** This device has it, the server does not. */
  | 'extra'
  /** Both have it, under different revisions. */
  | 'revision'
  /** Both have it under one revision, with different bytes. */
  | 'bytes'

/** An entity that is not what the server has, without a local edit that would explain it. */
export interface DivergentEntity extends EntityRef {
  readonly difference: Difference
  /** The revision here; 0: none. */
  readonly localVersion: number
  /** The revision on the server, also of a delete; 0: it never had the entity, or forgot it. */
  readonly serverVersion: number
}

/** Why the question was not put to the server. */
export type NotAskedReason =
  /** Local edits are not decided yet. */
  | 'pending'
  /** Conflicts or rejections wait for someone to settle them. */
  | 'held'
  /** The server keeps no digest, or this token sees only a part of the database. */
  | 'notOffered'
  /** Other devices wrote between each cycle and its question, ten times in a row. */
  | 'moving'

/** The answer of `verify`. */
export type VerifyResult =
  | {
      readonly outcome: 'converged'
      /** Everything up to here is the same on both sides. */
      readonly cursor: number
      /** Live entities that were compared, evicted ones included. */
      readonly entities: number
    }
  | {
      readonly outcome: 'repaired'
      readonly cursor: number
      readonly entities: number
      /** Entities that diverged and have the server's state now. */
      readonly repaired: readonly DivergentEntity[]
    }
  | {
      readonly outcome: 'diverged'
      readonly cursor: number
      /** Collections whose digest is not the server's. */
      readonly collections: readonly string[]
      /**
       * The entities, at most 10,000. None: the server's digest is not that of what it serves, or its newer
       * operations hide the difference; then verifying again tells more.
       */
      readonly divergent: readonly DivergentEntity[]
      /** There are more than `divergent` names. */
      readonly more: boolean
      /** What was repaired before `repair` came to its end. */
      readonly repaired: readonly DivergentEntity[]
    }
  | {
      readonly outcome: 'notAsked'
      readonly reason: NotAskedReason
      readonly message: string
      /** What was repaired before there was no answer any more. */
      readonly repaired: readonly DivergentEntity[]
    }
