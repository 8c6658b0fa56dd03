/** How messages travel: versions, paths, media type, statuses, limits. */
import type { WireErrorCode } from '@entidb/core'
import type { Limits } from './messages.ts'

/** `[major, minor]` of what this package speaks. */
export const PROTOCOL_VERSION: readonly [number, number] = [1, 0]

/** The only type of a body. */
export const MEDIA_TYPE = 'application/cbor'

/** POST: handshake. */
export const HANDSHAKE_PATH = '/v1/handshake'
/** POST: pull. */
export const PULL_PATH = '/v1/pull'
/** POST: push. */
export const PUSH_PATH = '/v1/push'
/** POST: verify. */
export const VERIFY_PATH = '/v1/verify'
/** GET: the stream of wake-ups. */
export const STREAM_PATH = '/v1/stream'

/** Name of the stream's event; its `data` is the head in decimal. */
export const STREAM_EVENT = 'cursor'

/** A new epoch raises the head to the next greater multiple of this. */
export const EPOCH_STRIDE: number = 2 ** 28

/** What a server allows unless told otherwise, and what a client assumes before a handshake. */
export const DEFAULT_LIMITS: Limits = {
  maxOpsPerPush: 1_000,
  maxPullOps: 5_000,
  maxBodyBytes: 8 * 1024 * 1024,
  maxEntityBytes: 1024 * 1024,
  maxDepth: 64,
}

const STATUS_BY_CODE: Readonly<Record<WireErrorCode, number>> = {
  invalid_request: 400,
  unsupported_protocol: 400,
  unauthenticated: 401,
  forbidden: 403,
  unknown_database: 404,
  not_found: 404,
  method_not_allowed: 405,
  not_acceptable: 406,
  op_id_reused: 409,
  device_conflict: 409,
  epoch_mismatch: 409,
  cursor_moved: 409,
  cursor_expired: 410,
  too_large: 413,
  unsupported_media_type: 415,
  cursor_ahead: 422,
  rate_limited: 429,
  internal: 500,
  unavailable: 503,
}

/** The HTTP status that goes with an error code. */
export function httpStatusOf(code: WireErrorCode): number {
  return STATUS_BY_CODE[code]
}

/** Whether a code is one that this version of the protocol puts on the wire. */
export function isWireErrorCode(code: string): code is WireErrorCode {
  return Object.hasOwn(STATUS_BY_CODE, code)
}
