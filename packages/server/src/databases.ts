/**
 * The databases of one server, opened on demand. One that nobody has used for a while is closed, so that a process
 * serves many more than it has open; a request waits when as many as may be are all in use. Streams outlive the closing:
 * they listen here.
 */
import { join } from 'node:path'
import { isEntiDBError, type Storage } from '@entidb/core'
import { fileStorage } from '@entidb/core/node'
import { type Identity, mayKnowDatabase, opensDatabase } from './auth/identity.ts'
import { HeadListeners } from './database/head-listeners.ts'
import {
  type ClosedFiles,
  SyncDatabase,
  type SyncDatabaseOptions,
} from './database/sync-database.ts'
import { assertHoldsDatabase } from './database-folder.ts'
import { longestOpen, type OpenDatabase, untilUnused } from './open-database.ts'
import { OpenSlots } from './open-slots.ts'
import { cannotOpen, forbidden, unavailable, unknownDatabase } from './wire-error.ts'

export interface DatabasesOptions
  extends Omit<
    SyncDatabaseOptions,
    'dbId' | 'storage' | 'create' | 'heads' | 'closedFiles' | 'onFailed'
  > {
  /** Databases are folders in here, named by their dbId. */
  readonly dataDir?: string
  /** Instead of `dataDir`. */
  readonly storage?: (dbId: string) => Storage
  /** Whether a token with write access may create a database by using it. */
  readonly createDatabases: boolean
  readonly bindDevices: boolean
  /** False: databases stay open until the server closes. */
  readonly closesIdle: boolean
}

/** How long a request waits for a place before one is freed that is always in use. */
const PATIENCE_MS = 1_000

/** What is remembered of databases that were closed, so that opening them again begins no epoch. */
const CLOSED_MAX = 10_000

export class Databases {
  readonly #options: DatabasesOptions
  /** Least recently used first. */
  readonly #openById = new Map<string, OpenDatabase>()
  /** Databases on their way out: the files are theirs until then. */
  readonly #leavingById = new Map<string, Promise<void>>()
  readonly #closedById = new Map<string, ClosedFiles>()
  readonly #headsById = new Map<string, HeadListeners>()
  readonly #slots: OpenSlots
  #openFiles = 0
  #turns = 0
  #closing = false

  constructor(options: DatabasesOptions) {
    this.#options = options
    const { maxOpenDatabases } = options.limits
    this.#slots = new OpenSlots(options.closesIdle ? maxOpenDatabases : Number.POSITIVE_INFINITY)
  }

  /** Databases whose files are open. */
  get openCount(): number {
    return this.#openFiles
  }

  /** Databases whose heads somebody waits for, or may: those that are open, and those with streams. */
  get headsCount(): number {
    return this.#headsById.size
  }

  /**
   * Lets `work` use the database, for this identity; `dbId` is well-formed. Errors: `forbidden` when the token does
   * not open it or may not know that it is missing, `unknown_database`, `unavailable` while closing or when it cannot
   * be opened.
   */
  async useFor<T>(
    dbId: string,
    identity: Identity,
    work: (database: SyncDatabase) => Promise<T>,
  ): Promise<T> {
    if (!opensDatabase(identity, dbId)) throw forbidden()
    const create = this.#options.createDatabases && identity.access === 'write'
    let open: OpenDatabase
    try {
      open = await this.#take(dbId, create)
    } catch (error) {
      if (isEntiDBError(error, 'unavailable')) throw error
      if (!isEntiDBError(error, 'unknown_database')) {
        throw isOfFiles(error) ? cannotOpen(error) : error
      }
      throw mayKnowDatabase(identity, dbId) ? unknownDatabase() : forbidden()
    }
    return this.#using(open, work)
  }

  /** Lets `work` use a database that is there. Errors: `unknown_database`, `unavailable` while closing. */
  async use<T>(dbId: string, work: (database: SyncDatabase) => Promise<T>): Promise<T> {
    return this.#using(await this.#take(dbId, false), work)
  }

  /** A database that is there, which stays open from now on. Errors as those of `use`. */
  async pin(dbId: string): Promise<SyncDatabase> {
    const open = await this.#take(dbId, false)
    if (!open.isPinned) {
      open.isPinned = true
      this.#slots.giveBack()
    }
    return this.#using(open, async (database) => database)
  }

  /** Waits for what is being written, then closes all. The first error is thrown when all are closed. */
  async close(): Promise<void> {
    this.#closing = true
    this.#slots.refuse(unavailable('The server is closing'))
    for (const heads of this.#headsById.values()) heads.endAll()
    const results = await Promise.allSettled(
      [...this.#openById.values()].map(async ({ opening, stopTimer }) => {
        stopTimer()
        const database = await opening.catch(() => undefined)
        await database?.close()
      }),
    )
    await Promise.all(this.#leavingById.values())
    this.#openById.clear()
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  async #using<T>(open: OpenDatabase, work: (database: SyncDatabase) => Promise<T>): Promise<T> {
    try {
      return await work(await open.opening)
    } finally {
      this.#giveBack(open)
    }
  }

  /** Counts a user, who has to give it back. Error: `unknown_database` when there is none and `create` is false. */
  async #take(dbId: string, create: boolean): Promise<OpenDatabase> {
    this.#assertServing()
    const known = this.#openById.get(dbId)
    const open = known ?? this.#begin(dbId, create)
    open.users++
    open.stopTimer()
    this.#openById.delete(dbId)
    this.#openById.set(dbId, open)
    try {
      await open.opening
      return open
    } catch (error) {
      // An opening that someone began who may not create does not decide for one who may.
      const mayBeMade = known !== undefined && create && isEntiDBError(error, 'unknown_database')
      if (!mayBeMade) throw error
      return this.#take(dbId, create)
    }
  }

  #assertServing(): void {
    if (this.#closing) throw unavailable('The server is closing')
  }

  #giveBack(open: OpenDatabase): void {
    open.users--
    if (open.users === 0) open.onUnused()
    if (!this.#isIdle(open)) return
    // Who waits gets the place of the first that is free.
    if (this.#isTooFull) this.#closeIdle(open)
    else if (this.#options.closesIdle) {
      const { timers, limits } = this.#options
      open.stopTimer = timers.set(() => this.#closeIdle(open), limits.idleDatabaseMs)
    }
  }

  #isIdle(open: OpenDatabase): boolean {
    return open.users === 0 && !open.isPinned && this.#openById.get(open.dbId) === open
  }

  #begin(dbId: string, create: boolean): OpenDatabase {
    const open: OpenDatabase = {
      dbId,
      opening: this.#open(dbId, create, () => this.#leave(open)),
      users: 0,
      isPinned: false,
      stopTimer: () => {},
      turn: undefined,
      onUnused: () => {},
    }
    this.#openById.set(dbId, open)
    open.opening.then(
      () => {
        open.turn = ++this.#turns
        // While it was opening there was perhaps none to be freed.
        if (this.#isTooFull) this.#retireLater()
      },
      () => {
        if (this.#openById.get(dbId) === open) this.#openById.delete(dbId)
      },
    )
    return open
  }

  async #open(dbId: string, create: boolean, onFailed: () => void): Promise<SyncDatabase> {
    await this.#leavingById.get(dbId)
    const { dataDir, storage, createDatabases: _, closesIdle: __, ...common } = this.#options
    const directory = join(dataDir ?? '.', dbId)
    if (storage === undefined && !create) await assertHoldsDatabase(directory)
    await this.#takePlace()
    try {
      const closedFiles = this.#closedById.get(dbId)
      const heads = this.#headsOf(dbId)
      const database = await SyncDatabase.open({
        ...common,
        dbId,
        create,
        onFailed,
        storage:
          storage?.(dbId) ??
          fileStorage(directory, { cacheBytes: common.limits.maxDatabaseCacheBytes }),
        heads,
        ...(closedFiles === undefined ? {} : { closedFiles }),
      })
      this.#openFiles++
      this.#closedById.delete(dbId)
      // A stream that stays open says that the server is still the one it was.
      if (!database.isKnown) heads.endAll()
      return database
    } catch (error) {
      this.#forgetHeads(dbId)
      this.#slots.giveBack()
      throw error
    }
  }

  async #takePlace(): Promise<void> {
    this.#assertServing()
    if (!this.#slots.isFull) return this.#slots.take()
    this.#closeLeastRecentlyUsed()
    await this.#slots.take().finally(this.#retireLater())
  }

  /** More wait for a place than are being freed. */
  get #isTooFull(): boolean {
    return this.#slots.waiting > this.#leavingById.size
  }

  /** Returns a function that ends the waiting. */
  #retireLater(): () => void {
    return this.#options.timers.set(() => this.#retireOne(), PATIENCE_MS)
  }

  #headsOf(dbId: string): HeadListeners {
    const heads = this.#headsById.get(dbId) ?? new HeadListeners()
    this.#headsById.set(dbId, heads)
    return heads
  }

  /** Unless somebody listens. */
  #forgetHeads(dbId: string): void {
    if (this.#headsById.get(dbId)?.count === 0) this.#headsById.delete(dbId)
  }

  #closeLeastRecentlyUsed(): void {
    const idle = [...this.#openById.values()].find((open) => this.#isIdle(open))
    if (idle !== undefined) this.#closeIdle(idle)
  }

  /** Who asks for it from now on waits in line: one that is always in use would never make room otherwise. */
  #retireOne(): void {
    if (!this.#isTooFull) return
    const open = longestOpen(this.#openById.values())
    if (open !== undefined) this.#closeUnused(open)
  }

  #closeIdle(open: OpenDatabase): void {
    if (this.#isIdle(open)) this.#closeUnused(open)
  }

  /** As soon as the requests that are using it have their answers. */
  #closeUnused(open: OpenDatabase): void {
    open.stopTimer()
    const unused = untilUnused(open)
    this.#letGo(open, async (database) => {
      await unused
      this.#forgetHeads(open.dbId)
      await database.finishHousekeeping()
      const files = await database.close()
      if (files === undefined) return
      this.#closedById.set(open.dbId, files)
      for (const oldest of this.#closedById.keys()) {
        if (this.#closedById.size <= CLOSED_MAX) return
        this.#closedById.delete(oldest)
      }
    })
  }

  /** Opening anew is what makes a failed database writable again: the next request does it. */
  #leave(open: OpenDatabase): void {
    if (this.#openById.get(open.dbId) !== open) return
    open.stopTimer()
    this.#headsById.get(open.dbId)?.endAll()
    this.#letGo(open, async (database) => void (await database.close()))
    this.#options.logger.error({ dbId: open.dbId }, 'database failed, it will be opened anew')
  }

  #letGo(open: OpenDatabase, close: (database: SyncDatabase) => Promise<void>): void {
    const { dbId } = open
    this.#openById.delete(dbId)
    const leaving = open.opening
      .then((database) =>
        close(database).finally(() => {
          this.#openFiles--
          if (!open.isPinned) this.#slots.giveBack()
        }),
      )
      .catch((error: unknown) => this.#options.logger.warn({ error, dbId }, 'closing a database'))
      .finally(() => {
        this.#leavingById.delete(dbId)
        if (this.#slots.waiting > 0) this.#closeLeastRecentlyUsed()
      })
    this.#leavingById.set(dbId, leaving)
  }
}

/** What the engine says of them, or the operating system. */
function isOfFiles(error: unknown): boolean {
  return isEntiDBError(error) || (error instanceof Error && 'syscall' in error)
}
