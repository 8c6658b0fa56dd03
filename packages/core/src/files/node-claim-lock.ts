/**
 * Lock of a directory where files cannot be opened exclusively (Linux). Design and alternatives:
 * docs/decisions/0003-directory-lock.md.
 *
 * The owner's claim is the one entry of the directory `.lock`: a socket on which its process listens.
 * It is prepared beside it (`.lock-<id>/<id>`) and put in place by renaming its directory to `.lock`,
 * which the system does only while `.lock` is absent or empty.
 *
 * Invariants:
 * - An id is used once. Removing the claim of a dead process by its name can therefore never remove
 *   another one, however late it happens.
 * - What is in `.lock` was listening when it came there, so a refused connection means a dead process.
 */

import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { EntiDBError } from '../errors/entidb-error.ts'
import { directoryLockedError, type LockHolder } from './directory-locked.ts'
import type { DirectoryLock } from './file-system.ts'
import { systemCodeOf, toOpenError } from './node-io-error.ts'
import { checkLife, type SignOfLife, showLife } from './node-local-socket.ts'

const claimDirectoryName = '.lock'
const preparedPrefix = '.lock-'

/** Each lost attempt means that another process got on; this only ends what can never succeed. */
const attemptsMax = 100

export type ShowLife = typeof showLife

export async function lockByClaim(
  directory: string,
  listen: ShowLife = showLife,
): Promise<DirectoryLock> {
  try {
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      const lock = await tryLock(directory, listen)
      if (lock !== undefined) return lock
    }
    throw new Error('its file system does not put a directory in place of another')
  } catch (cause) {
    throw cause instanceof EntiDBError ? cause : toOpenError(cause, claimDirectoryName, 'lock')
  }
}

async function tryLock(directory: string, listen: ShowLife): Promise<DirectoryLock | undefined> {
  const claimed = join(directory, claimDirectoryName)
  await removeDeadClaims(directory, claimed)
  const id = `${process.pid}-${randomBytes(4).toString('hex')}`
  const prepared = join(directory, preparedPrefix + id)
  const signOfLife = await prepareClaim(prepared, id, listen)
  if (signOfLife === undefined) return undefined
  if (!putInPlace(prepared, claimed, id)) {
    removeClaim(prepared, id)
    await signOfLife.end()
    return undefined
  }
  await tidy(() => removeAbandonedPreparations(directory))
  return {
    release: async () => {
      await tidy(() => removeClaim(claimed, id))
      await signOfLife.end()
    },
  }
}

/** What it leaves behind when it fails harms nobody: it is as dead as if the process had been killed. */
async function tidy(action: () => void | Promise<void>): Promise<void> {
  try {
    await action()
  } catch {
    // See above.
  }
}

/** Throws `database_locked` when one is alive. */
async function removeDeadClaims(directory: string, claimed: string): Promise<void> {
  for (const id of entriesOf(claimed)) {
    if (await isAlive(claimed, id)) throw directoryLockedError(directory, holderOf(id))
    removeClaim(claimed, id)
  }
}

/** Undefined when the owner of the directory, tidying up, took this preparation for an abandoned one. */
async function prepareClaim(
  prepared: string,
  id: string,
  listen: ShowLife,
): Promise<SignOfLife | undefined> {
  fs.mkdirSync(prepared)
  try {
    return (
      (await prepareSocket(prepared, id, listen)) ??
      (await prepareAbstractSocket(prepared, id, listen))
    )
  } catch (error) {
    if (!fs.existsSync(prepared)) return undefined
    removeClaim(prepared, id)
    throw error
  }
}

/** How file systems that have no sockets (FAT, shared folders of virtual machines) refuse one. */
const noSocketCodes: readonly string[] = ['EPERM', 'EINVAL', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP']

async function prepareSocket(
  prepared: string,
  id: string,
  listen: ShowLife,
): Promise<SignOfLife | undefined> {
  try {
    return await listen(join(prepared, id))
  } catch (error) {
    if (noSocketCodes.includes(systemCodeOf(error) ?? '')) return undefined
    throw error
  }
}

/** The claim is an empty file then, and a socket without a file, of the same id, shows life. */
async function prepareAbstractSocket(
  prepared: string,
  id: string,
  listen: ShowLife,
): Promise<SignOfLife> {
  const signOfLife = await listen(abstractAddress(id))
  try {
    fs.writeFileSync(join(prepared, id), '')
    return signOfLife
  } catch (error) {
    await signOfLife.end()
    throw error
  }
}

/** As long as an address can be: a shorter one means different things to different versions of Node. */
function abstractAddress(id: string): string {
  return `\0entidb-lock-${id}`.padEnd(abstractAddressBytes, '.')
}

const abstractAddressBytes = 108

function putInPlace(prepared: string, claimed: string, id: string): boolean {
  const renamed = unlessCode(['ENOTEMPTY', 'EEXIST', 'ENOENT'], () => {
    fs.renameSync(prepared, claimed)
    return true
  })
  // It may have been tidied away in the instant between being bound and listening.
  return renamed === true && fs.existsSync(join(claimed, id))
}

/** Remains of processes that died while they prepared a claim. */
async function removeAbandonedPreparations(directory: string): Promise<void> {
  for (const name of fs.readdirSync(directory)) {
    if (!name.startsWith(preparedPrefix)) continue
    const id = name.slice(preparedPrefix.length)
    const prepared = join(directory, name)
    if (!(await isAlive(prepared, id))) removeClaim(prepared, id)
  }
}

async function isAlive(parent: string, id: string): Promise<boolean> {
  const path = join(parent, id)
  const stats = fs.lstatSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return false
  return checkLife(stats.isSocket() ? path : abstractAddress(id))
}

/** Removes just this claim, and its directory unless there is another in it by now. */
function removeClaim(parent: string, id: string): void {
  unlessCode(['ENOENT'], () => fs.unlinkSync(join(parent, id)))
  unlessCode(['ENOENT', 'ENOTEMPTY', 'EEXIST'], () => fs.rmdirSync(parent))
}

function entriesOf(claimed: string): readonly string[] {
  // Asked first: an error takes longer than all the rest of this.
  if (!fs.existsSync(claimed)) return []
  return unlessCode(['ENOENT'], () => fs.readdirSync(claimed)) ?? []
}

function holderOf(id: string): LockHolder | undefined {
  const pid = Number.parseInt(id, 10)
  return Number.isNaN(pid) ? undefined : { pid }
}

function unlessCode<T>(codes: readonly string[], action: () => T): T | undefined {
  try {
    return action()
  } catch (error) {
    if (codes.includes(systemCodeOf(error) ?? '')) return undefined
    throw error
  }
}
