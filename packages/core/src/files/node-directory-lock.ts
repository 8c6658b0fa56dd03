/**
 * Ownership of a directory, by one opener at a time among all processes of the machine, freed by the
 * system when the owner dies. Which means serves depends on the system: docs/decisions/0003-directory-lock.md.
 */

import type { DirectoryLock } from './file-system.ts'
import { lockByClaim } from './node-claim-lock.ts'
import { hasExclusiveOpen, lockByExclusiveOpen } from './node-exclusive-lock.ts'
import type { NodeSystemCalls } from './node-system-calls.ts'

/** `directory` exists. Errors: `database_locked`, `read_only`, `io_failed`, `disk_full`. */
export async function lockDirectory(
  fs: NodeSystemCalls,
  directory: string,
): Promise<DirectoryLock> {
  return hasExclusiveOpen(process.platform)
    ? lockByExclusiveOpen(fs, directory, process.platform)
    : lockByClaim(directory)
}
