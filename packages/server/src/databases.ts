/** The databases of one server, opened on demand and kept open. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isEntiDBError, type Storage } from '@entidb/core'
import { fileStorage } from '@entidb/core/node'
import { type Identity, mayKnowDatabase, opensDatabase } from './auth/identity.ts'
import { SyncDatabase, type SyncDatabaseOptions } from './database/sync-database.ts'
import { forbidden, unavailable, unknownDatabase } from './wire-error.ts'

export interface DatabasesOptions
  extends Omit<SyncDatabaseOptions, 'dbId' | 'storage' | 'create' | 'onFailed'> {
  /** Databases are folders in here, named by their dbId. */
  readonly dataDir?: string
  /** Instead of `dataDir`. */
  readonly storage?: (dbId: string) => Storage
  /** Whether a token with write access may create a database by using it. */
  readonly createDatabases: boolean
}

export class Databases {
  readonly #options: DatabasesOptions
  /** One promise for each, so that nothing is opened twice at a time. */
  readonly #openById = new Map<string, Promise<SyncDatabase>>()
  /** Databases that failed and are on their way out: the files are theirs until then. */
  readonly #leavingById = new Map<string, Promise<void>>()
  #closing = false

  constructor(options: DatabasesOptions) {
    this.#options = options
  }

  /** Databases that are open or opening. */
  get openCount(): number {
    return this.#openById.size
  }

  /**
   * The database, for this identity; `dbId` is well-formed. Errors: `forbidden` when the token does not open it or
   * may not know that it is missing, `unknown_database`, `unavailable` while closing.
   */
  async openFor(dbId: string, identity: Identity): Promise<SyncDatabase> {
    if (!opensDatabase(identity, dbId)) throw forbidden()
    const create = this.#options.createDatabases && identity.access === 'write'
    try {
      return await this.open(dbId, create)
    } catch (error) {
      if (!isEntiDBError(error, 'unknown_database')) throw error
      throw mayKnowDatabase(identity, dbId) ? unknownDatabase() : forbidden()
    }
  }

  /** Error: `unknown_database` when there is none and `create` is false. */
  async open(dbId: string, create: boolean): Promise<SyncDatabase> {
    if (this.#closing) throw unavailable('The server is closing')
    const open = this.#openById.get(dbId)
    if (open !== undefined) return this.#openOrAgain(open, dbId, create)
    const opening: Promise<SyncDatabase> = this.#openNow(dbId, create, () =>
      this.#leave(dbId, opening),
    )
    this.#openById.set(dbId, opening)
    try {
      return await opening
    } catch (error) {
      this.#openById.delete(dbId)
      throw error
    }
  }

  /** Waits for what is being written, then closes all. The first error is thrown when all are closed. */
  async close(): Promise<void> {
    this.#closing = true
    const results = await Promise.allSettled(
      [...this.#openById.values()].map(async (opening) => {
        const database = await opening.catch(() => undefined)
        await database?.close()
      }),
    )
    await Promise.all(this.#leavingById.values())
    this.#openById.clear()
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  /** An opening that someone began who may not create does not decide for one who may. */
  async #openOrAgain(
    open: Promise<SyncDatabase>,
    dbId: string,
    create: boolean,
  ): Promise<SyncDatabase> {
    try {
      return await open
    } catch (error) {
      if (!create || !isEntiDBError(error, 'unknown_database')) throw error
      return this.open(dbId, create)
    }
  }

  /** Opening anew is what makes a failed database writable again: the next request does it. */
  #leave(dbId: string, failed: Promise<SyncDatabase>): void {
    if (this.#openById.get(dbId) !== failed) return
    this.#openById.delete(dbId)
    const { logger } = this.#options
    const leaving = failed
      .then((database) => database.close())
      .catch((error: unknown) => logger.warn({ error, dbId }, 'closing a failed database'))
      .finally(() => this.#leavingById.delete(dbId))
    this.#leavingById.set(dbId, leaving)
    logger.error({ dbId }, 'database failed, it will be opened anew')
  }

  async #openNow(dbId: string, create: boolean, onFailed: () => void): Promise<SyncDatabase> {
    await this.#leavingById.get(dbId)
    const { dataDir, storage, createDatabases: _, ...common } = this.#options
    const options = { ...common, dbId, create, onFailed }
    if (storage !== undefined) return SyncDatabase.open({ ...options, storage: storage(dbId) })
    const directory = join(dataDir ?? '.', dbId)
    if (!create && !(await isDirectory(directory))) throw unknownDatabase()
    return SyncDatabase.open({ ...options, storage: fileStorage(directory) })
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
}
