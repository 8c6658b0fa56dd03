/** The errors that a request can be answered with, made in one place. Messages name no tenant's data. */
import { EntiDBError } from '@entidb/core'
import { type HistoryEntry, PROTOCOL_VERSION } from '@entidb/protocol'

export function unauthenticated(): EntiDBError {
  return new EntiDBError('unauthenticated', 'Send a valid bearer token', { retry: 'after-auth' })
}

export function forbidden(): EntiDBError {
  return new EntiDBError('forbidden', 'The token does not allow this')
}

export function unknownDatabase(): EntiDBError {
  return new EntiDBError('unknown_database', 'There is no such database on this server')
}

export function unsupportedProtocol(): EntiDBError {
  const [major, minor] = PROTOCOL_VERSION
  return new EntiDBError(
    'unsupported_protocol',
    `This server speaks protocol version ${major}.${minor}`,
    {
      details: { supported: [PROTOCOL_VERSION] },
    },
  )
}

export function deviceConflict(): EntiDBError {
  return new EntiDBError(
    'device_conflict',
    'Another installation has taken over this deviceId: go on under a new one',
  )
}

export function deviceOfAnother(): EntiDBError {
  return new EntiDBError(
    'device_conflict',
    'The deviceId belongs to another user: go on under a new one',
  )
}

export function epochMismatch(history: readonly HistoryEntry[]): EntiDBError {
  return new EntiDBError('epoch_mismatch', 'The server has begun a new epoch: shake hands first', {
    details: { history },
  })
}

export function cursorAhead(): EntiDBError {
  return new EntiDBError(
    'cursor_ahead',
    'The cursor is past the head of this epoch: the operator must begin a new epoch',
  )
}

export function cursorExpired(): EntiDBError {
  return new EntiDBError(
    'cursor_expired',
    'Deletes after this cursor were purged: pull again from 0',
  )
}

export function cursorMoved(): EntiDBError {
  return new EntiDBError('cursor_moved', 'The cursor is not the head: pull and ask again', {
    retry: 'later',
  })
}

export function opIdReused(lastOpId: number): EntiDBError {
  return new EntiDBError(
    'op_id_reused',
    'An opId was used before with other content: give undecided operations new opIds',
    { details: { lastOpId } },
  )
}

export function tooLarge(what: string, limit: number): EntiDBError {
  return new EntiDBError('too_large', `${what} exceeds the limit of ${limit}`, {
    details: { limit },
  })
}

export function invalidRequest(message: string): EntiDBError {
  return new EntiDBError('invalid_request', message)
}

export function unavailable(message: string): EntiDBError {
  return new EntiDBError('unavailable', message, { retry: 'later' })
}

/** Whatever keeps a database from being opened is no fault of the request, which may succeed once it is mended. */
export function cannotOpen(cause: unknown): EntiDBError {
  return new EntiDBError('unavailable', 'The database cannot be opened at the moment', {
    retry: 'later',
    cause,
  })
}

export function rateLimited(message: string): EntiDBError {
  return new EntiDBError('rate_limited', message, { retry: 'later' })
}
