/**
 * What an answer other than 200 means. The code is the server's where it speaks the protocol. What does not, comes from
 * something in between: it decides nothing about an edit, and is asked again later.
 */
import { EntiDBError, type ErrorCode, type Retry } from '@entidb/core'
import { decodeErrorResponse, type ErrorResponse } from '@entidb/protocol'

const CODES: ReadonlySet<string> = new Set<ErrorCode>([
  'invalid_request',
  'unsupported_protocol',
  'unauthenticated',
  'forbidden',
  'unknown_database',
  'not_found',
  'method_not_allowed',
  'not_acceptable',
  'unsupported_media_type',
  'op_id_reused',
  'device_conflict',
  'epoch_mismatch',
  'cursor_moved',
  'cursor_expired',
  'too_large',
  'cursor_ahead',
  'rate_limited',
  'internal',
  'unavailable',
])

/** Of an error of the protocol whose code is not known here. */
const CODE_BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: 'invalid_request',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  406: 'not_acceptable',
  408: 'unavailable',
  410: 'cursor_expired',
  413: 'too_large',
  415: 'unsupported_media_type',
  429: 'rate_limited',
  500: 'internal',
  501: 'not_found',
}

/** Of what is no error of the protocol. Proxies that take less than the server does are told apart: requests get smaller. */
const CODE_BY_BARE_STATUS: Readonly<Record<number, ErrorCode>> = {
  408: 'unavailable',
  413: 'too_large',
  429: 'rate_limited',
}

/**
 * `body`: of an answer in CBOR; nothing else is read. `details` holds `status` and whatever the server's details hold;
 * `retryAfterMs` when it named a delay.
 */
export function responseError(
  status: number,
  body: Uint8Array | undefined,
  retryAfter: string | null,
): EntiDBError {
  const answer = body === undefined ? undefined : decoded(body)
  const code = codeOf(status, answer)
  const retryAfterMs = answer?.retryAfterMs ?? secondsToMs(retryAfter)
  return new EntiDBError(code, messageOf(status, answer), {
    retry: retryOf(code),
    details: {
      ...answer?.details,
      status,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    },
  })
}

function decoded(body: Uint8Array): ErrorResponse | undefined {
  try {
    return decodeErrorResponse(body)
  } catch {
    return undefined
  }
}

function codeOf(status: number, answer: ErrorResponse | undefined): ErrorCode {
  if (answer === undefined) {
    return CODE_BY_BARE_STATUS[status] ?? (status >= 500 ? 'unavailable' : 'invalid_response')
  }
  // Only known codes count, and the set holds nothing but codes.
  if (CODES.has(answer.code)) return answer.code as ErrorCode
  const known = CODE_BY_STATUS[status]
  if (known !== undefined) return known
  if (status >= 500) return 'unavailable'
  return status >= 400 ? 'invalid_request' : 'invalid_response'
}

function messageOf(status: number, answer: ErrorResponse | undefined): string {
  return answer === undefined
    ? `The server answered with status ${status}`
    : `The server answered ${answer.code}: ${answer.message}`
}

function retryOf(code: ErrorCode): Retry {
  switch (code) {
    case 'internal':
    case 'unavailable':
    case 'rate_limited':
    case 'invalid_response':
    // Answered by a handshake, a re-sync and new opIds, when there is time for it.
    case 'epoch_mismatch':
    case 'cursor_expired':
    case 'op_id_reused':
      return 'later'
    case 'unauthenticated':
      return 'after-auth'
    default:
      return 'no'
  }
}

function secondsToMs(retryAfter: string | null): number | undefined {
  return retryAfter !== null && /^\d{1,6}$/.test(retryAfter.trim())
    ? Number(retryAfter) * 1000
    : undefined
}
