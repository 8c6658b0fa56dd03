/** The one error of a directory that has an owner. */

import { EntiDBError } from '../errors/entidb-error.ts'

export interface LockHolder {
  /** Process id, as the holder itself sees it: in another container it means another process. */
  readonly pid: number
}

export function directoryLockedError(directory: string, holder?: LockHolder): EntiDBError {
  const owner = holder === undefined ? '' : ` by process ${holder.pid}`
  return new EntiDBError('database_locked', `${directory} is already open${owner}`, {
    retry: 'later',
    details: holder === undefined ? { directory } : { directory, holder },
  })
}
