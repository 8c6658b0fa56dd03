/**
 * What goes out when something goes wrong. A client learns the code, a message made for it and the
 * details of the protocol; never a stack, a path, or what the engine said.
 */
import { type EntiDBError, isEntiDBError, type WireErrorCode } from '@entidb/core'
import {
  type ErrorDetails,
  type ErrorResponse,
  encodeErrorResponse,
  type HistoryEntry,
  httpStatusOf,
} from '@entidb/protocol'
import type { Logger } from '../logger.ts'
import { plainCborResponse } from './cbor-response.ts'

/** How long a client waits at least before it asks again, when the server is in trouble. */
const RETRY_AFTER_MS = 5_000

/** Trouble of the engine that passes, or that the operator has to end: the client tries again later. */
const UNAVAILABLE_CODES: readonly string[] = [
  'disk_full',
  'io_failed',
  'commit_unknown',
  'database_failed',
  'database_closed',
  'database_locked',
]

export function errorResponse(error: unknown, logger: Logger, fields: object): Response {
  const answer = answerOf(error)
  const status = httpStatusOf(answer.code)
  if (status >= 500) logger.error({ ...fields, error, code: answer.code }, 'request failed')
  else logger.debug({ ...fields, code: answer.code }, 'request refused')
  return plainCborResponse(status, encodeErrorResponse(answer), headersOf(answer, error))
}

type Answer = ErrorResponse & { readonly code: WireErrorCode }

function answerOf(error: unknown): Answer {
  if (!isEntiDBError(error)) return { code: 'internal', message: 'The server failed' }
  if (UNAVAILABLE_CODES.includes(error.code)) {
    return {
      code: 'unavailable',
      message: 'The database cannot be written at the moment',
      retryAfterMs: RETRY_AFTER_MS,
    }
  }
  if (!isWireCode(error.code)) return { code: 'internal', message: 'The server failed' }
  const details = detailsOf(error)
  return {
    code: error.code,
    message: error.message,
    ...(error.retry === 'later' ? { retryAfterMs: RETRY_AFTER_MS } : {}),
    ...(details === undefined ? {} : { details }),
  }
}

/** The engine's codes travel as `internal`: they would mean something else to a client. */
function isWireCode(code: string): code is WireErrorCode {
  // A record lookup: the status is undefined for codes that are not of the wire.
  return httpStatusOf(code as WireErrorCode) !== undefined
}

function detailsOf(error: EntiDBError): ErrorDetails | undefined {
  const { history, supported, lastOpId, limit } = error.details
  const known: ErrorDetails = {
    ...(isHistory(history) ? { history } : {}),
    ...(isVersions(supported) ? { supported } : {}),
    ...(typeof lastOpId === 'number' ? { lastOpId } : {}),
    ...(typeof limit === 'number' ? { limit } : {}),
  }
  return Object.keys(known).length === 0 ? undefined : known
}

function isHistory(value: unknown): value is readonly HistoryEntry[] {
  return Array.isArray(value)
}

function isVersions(value: unknown): value is readonly (readonly [number, number])[] {
  return Array.isArray(value)
}

function headersOf(answer: Answer, error: unknown): Record<string, string> {
  if (answer.code === 'unauthenticated') return { 'www-authenticate': 'Bearer realm="entidb"' }
  if (answer.code === 'method_not_allowed' && isEntiDBError(error)) {
    const { allow } = error.details
    return { allow: String(allow) }
  }
  if (answer.retryAfterMs !== undefined) {
    return { 'retry-after': String(Math.ceil(answer.retryAfterMs / 1000)) }
  }
  return {}
}
