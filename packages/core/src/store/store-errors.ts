/** Errors that more than one part of the store raises. */
import { EntiDBError, isEntiDBError } from '../errors/entidb-error.ts'

export function corrupt(file: string, offset: number, what: string): EntiDBError {
  return new EntiDBError('corrupt', `${file} is damaged at offset ${offset}: ${what}`, {
    details: { file, offset },
  })
}

export function ioFailed(cause: unknown): EntiDBError {
  const details = isEntiDBError(cause) ? cause.details : {}
  return new EntiDBError(
    'io_failed',
    'A write or flush failed; the database stopped accepting changes. Close and reopen it.',
    { cause, details, retry: 'after-reopen' },
  )
}

export function databaseFailed(cause: unknown): EntiDBError {
  return new EntiDBError(
    'database_failed',
    'An earlier write or flush failed; the database accepts no changes until it is reopened.',
    { cause, retry: 'after-reopen' },
  )
}

export function commitUnknown(cause: unknown): EntiDBError {
  return new EntiDBError(
    'commit_unknown',
    'A commit before this one failed; whether this one survived shows after reopening.',
    { cause, retry: 'after-reopen' },
  )
}

export function diskFull(cause: unknown): EntiDBError {
  const details = isEntiDBError(cause) ? cause.details : {}
  return new EntiDBError('disk_full', 'No space left: nothing of this commit was applied.', {
    cause,
    details,
    retry: 'later',
  })
}

export function databaseClosed(): EntiDBError {
  return new EntiDBError('database_closed', 'The database is closed.', { retry: 'after-reopen' })
}

export function backupAbandoned(): EntiDBError {
  return new EntiDBError(
    'backup_abandoned',
    'Nobody read the backup while much was written: its space was taken back. Begin a new one.',
    { retry: 'later' },
  )
}

export function readOnly(): EntiDBError {
  return new EntiDBError('read_only', 'The store was opened for reading only.')
}
