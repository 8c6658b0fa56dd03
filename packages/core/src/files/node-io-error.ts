/** Translates what the operating system reports into the errors of the FileSystem port. */

import { EntiDBError, type Retry } from '../errors/entidb-error.ts'

export function systemCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** No room on the disk, for the user, or in the file: of EFBIG the limit is that of `ulimit -f` or of the file system. */
const diskFullCodes: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])
const readOnlyCodes: ReadonlySet<string | undefined> = new Set(['EROFS', 'EACCES', 'EPERM'])

/** `disk_full` or `io_failed`. */
export function toFileError(
  cause: unknown,
  file: string,
  operation: string,
  retry?: Retry,
): EntiDBError {
  const systemCode = systemCodeOf(cause)
  const full = diskFullCodes.has(systemCode)
  const reason = full ? `the disk is full (${systemCode})` : (systemCode ?? String(cause))
  const message = `Cannot ${operation} ${file}: ${reason}`
  return new EntiDBError(full ? 'disk_full' : 'io_failed', message, {
    cause,
    retry: retry ?? (full ? 'later' : 'no'),
    details: { file, operation, systemCode },
  })
}

/** `read_only` when the system does not let us write here, else as `toFileError`. */
export function toOpenError(cause: unknown, file: string, operation: string): EntiDBError {
  const systemCode = systemCodeOf(cause)
  if (!readOnlyCodes.has(systemCode)) return toFileError(cause, file, operation)
  return new EntiDBError('read_only', `Cannot ${operation} ${file} for writing: ${systemCode}`, {
    cause,
    details: { file, operation, systemCode },
  })
}
