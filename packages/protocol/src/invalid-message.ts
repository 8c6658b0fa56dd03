/**
 * How bytes can fail to be a message: the one error of every decoder here. A bad request is
 * `invalid_request`, a bad answer `invalid_response`; `details` says where and why.
 */
import { EntiDBError } from '@entidb/core'
import type { InvalidCborReason } from '@entidb/core/cbor'

/** Which side wrote the bad bytes. */
export type MessageErrorCode = 'invalid_request' | 'invalid_response'

/** `details.reason` of an `invalid_request` or `invalid_response` error. */
export type InvalidMessageReason =
  | InvalidCborReason
  | 'missing_field'
  | 'unexpected_field'
  | 'unexpected_value'
  | 'out_of_range'
  | 'wrong_length'
  | 'invalid_db_id'
  | 'invalid_device_id'
  | 'reserved_device_id'
  | 'invalid_collection'
  | 'invalid_entity_id'
  | 'put_without_entity'
  | 'delete_with_entity'
  | 'absent_with_entity'
  | 'not_increasing'
  | 'entity_repeated'
  | 'op_repeated'
  | 'differs_from_request'
  | 'differs_from_client_op'

export type PathSegment = string | number

/** What is wrong with a value, and where inside it. */
export interface Problem {
  readonly path: readonly PathSegment[]
  readonly reason: InvalidMessageReason
}

export interface MessagePlace {
  readonly path: readonly PathSegment[]
  /** Index of the byte where the item at fault begins, where there is one. */
  readonly offset?: number
}

/** `details: { path, reason, offset? }`, the path as `ops[3].entityVersion`, empty for the message itself. */
export function invalidMessage(
  code: MessageErrorCode,
  reason: InvalidMessageReason,
  place: MessagePlace,
): EntiDBError {
  const path = pathText(place.path)
  const kind = code === 'invalid_request' ? 'request' : 'response'
  const where = path === '' ? '' : ` at ${path}`
  return new EntiDBError(code, `Invalid ${kind}${where}: ${reason.replaceAll('_', ' ')}`, {
    details: { path, reason, ...(place.offset === undefined ? {} : { offset: place.offset }) },
  })
}

/** `['ops', 3, 'opId']` as `ops[3].opId`. */
export function pathText(path: readonly PathSegment[]): string {
  let text = ''
  for (const segment of path) {
    if (typeof segment === 'number') text += `[${segment}]`
    else text += text === '' ? segment : `.${segment}`
  }
  return text
}
