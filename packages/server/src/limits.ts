/** What one server allows. The first five are told to clients in the handshake, in the same units. */
import { assertOptions } from '@entidb/core'
import { DEFAULT_LIMITS, type Limits } from '@entidb/protocol'

/** Bounds of a server: those of the protocol, and of its resources. */
export interface ServerLimits extends Limits {
  /** A pull page stops growing at this many bytes of operations; one group may exceed it. */
  readonly maxPullBytes: number
  /**
   * An answer to a push tells so many bytes of entities in its conflicts; one conflict may exceed it. A push that
   * would be told more is `too_large`.
   */
  readonly maxConflictBytes: number
  /**
   * Requests of one subject at a time, event streams aside, from the token on until the answer was taken; one more is
   * `rate_limited`.
   */
  readonly maxRequestsPerSubject: number
  /** Open event streams of the process. */
  readonly maxStreams: number
  /** Open event streams of one subject. */
  readonly maxStreamsPerSubject: number
  /** Open sockets of the process. */
  readonly maxConnections: number
  /**
   * A connection on which no byte moves for so long, in milliseconds, has to end, and is cut after twice that: also one
   * that does not take its answers. Longer than the 15 seconds between two bytes of an event stream.
   */
  readonly idleConnectionMs: number
  /** Open databases of the process: the least recently used is closed for another one, requests wait if all are in use. */
  readonly maxOpenDatabases: number
  /** Bytes of each open database kept in memory. */
  readonly maxDatabaseCacheBytes: number
  /** A database that no request used for so long, in milliseconds, is closed. */
  readonly idleDatabaseMs: number
}

/** The bounds of a server that is not told others. */
export const DEFAULT_SERVER_LIMITS: ServerLimits = {
  ...DEFAULT_LIMITS,
  maxPullBytes: 4 * 1024 * 1024,
  maxConflictBytes: 32 * 1024 * 1024,
  maxRequestsPerSubject: 100,
  maxStreams: 10_000,
  maxStreamsPerSubject: 100,
  maxConnections: 10_000,
  idleConnectionMs: 60_000,
  maxOpenDatabases: 100,
  maxDatabaseCacheBytes: 32 * 1024 * 1024,
  idleDatabaseMs: 5 * 60 * 1000,
}

/** Bytes of a push request around the bytes of its largest entity: the names may be long. */
const ENVELOPE_BYTES = 4 * 1024

/** Levels that the CBOR codec of the engine can read. */
const DEPTH_MAX = 64

/** The defaults with `overrides`; a `TypeError` for values that no client could work with. */
export function resolveLimits(overrides: Partial<ServerLimits> = {}): ServerLimits {
  assertOptions('limits', overrides, Object.keys(DEFAULT_SERVER_LIMITS))
  const limits = { ...DEFAULT_SERVER_LIMITS, ...overrides }
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new TypeError(`limits.${name} must be a positive integer, not ${String(value)}`)
    }
  }
  if (limits.maxDepth > DEPTH_MAX) {
    throw new TypeError(`limits.maxDepth must be at most ${DEPTH_MAX}, not ${limits.maxDepth}`)
  }
  if (limits.maxBodyBytes < limits.maxEntityBytes + ENVELOPE_BYTES) {
    throw new TypeError(
      `limits.maxBodyBytes must be at least ${ENVELOPE_BYTES} more than limits.maxEntityBytes: an entity of the largest size must fit a body`,
    )
  }
  return limits
}

/** What the handshake tells of them. */
export function announcedLimits(limits: ServerLimits): Limits {
  const { maxOpsPerPush, maxPullOps, maxBodyBytes, maxEntityBytes, maxDepth } = limits
  return { maxOpsPerPush, maxPullOps, maxBodyBytes, maxEntityBytes, maxDepth }
}
