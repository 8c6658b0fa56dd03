/**
 * The sync semantics of one database, without HTTP: SyncProtocol v1 over an EntiDB of the server's own.
 * Requests come decoded and with the dbId already checked against the token.
 *
 * Keeps: one transaction per push; revisions are cursors, assigned in commit order and visible only
 * when durable (pulls read snapshots); a new epoch before the first push after opening, so that files
 * put back from a backup never pass for the originals.
 */
import { EntiDB, EntiDBError, isEntiDBError, type Scheduler, type Storage } from '@entidb/core'
import type {
  HandshakeRequest,
  HandshakeResponse,
  PullPage,
  PullRequest,
  PushRequest,
  PushResponse,
  SnapshotPage,
  VerifyRequest,
  VerifyResponse,
} from '@entidb/protocol'
import type { Identity } from '../auth/identity.ts'
import type { ServerLimits } from '../limits.ts'
import type { Logger } from '../logger.ts'
import type { Timers } from '../timers.ts'
import { cursorMoved, forbidden, unknownDatabase } from '../wire-error.ts'
import {
  type ServerDatabase,
  type ServerSnapshot,
  type ServerTransaction,
  serverCollections,
} from './collections.ts'
import {
  assertNotSuperseded,
  assertOwnedBy,
  newDevice,
  ownedBy,
  readDevice,
  takeOver,
  takesOver,
  withSeen,
} from './devices.ts'
import { assertProtocol, handshakeResponse } from './handshake.ts'
import type { HeadListener, HeadListeners } from './head-listeners.ts'
import { Housekeeping, type HousekeepingReport } from './housekeeping.ts'
import { KnownTotals } from './known-totals.ts'
import { beginEpoch, type RandomBytes, readMeta } from './meta.ts'
import { Permissions } from './permissions.ts'
import type { Policy } from './policy.ts'
import { runPull } from './pull.ts'
import { assertSnapshotPlace, reachedCursor } from './pull-checks.ts'
import { isForSnapshot, pullSnapshot } from './pull-snapshot.ts'
import { runPush } from './push.ts'
import { Resyncs } from './resyncs.ts'
import { SeenDevices } from './seen-devices.ts'
import { type DatabaseStats, readStats } from './stats.ts'
import { verifyDigest } from './verify.ts'

export interface SyncDatabaseOptions {
  readonly dbId: string
  readonly storage: Storage
  readonly limits: ServerLimits
  readonly policy: Policy
  readonly logger: Logger
  /** Milliseconds since 1970: shown and used for retention, never to decide. */
  readonly clock: () => number
  readonly timers: Timers
  /** How long deletes and silent devices are remembered. */
  readonly retentionMs: number
  readonly randomBytes: RandomBytes
  /** Default: the host's timers. */
  readonly scheduler?: Scheduler
  /** Whether a deviceId belongs to the subject that used it first. */
  readonly bindDevices: boolean
  /** False: a storage that holds no database yet is `unknown_database`. */
  readonly create: boolean
  /** Who hears of new heads. They are not ended when the database is closed. */
  readonly heads: HeadListeners
  /** What `close` answered, of a database that this process had open before. */
  readonly closedFiles?: ClosedFiles
  /** The engine stopped writing until it is opened again. May be called more than once. */
  readonly onFailed: () => void
}

/**
 * Names the files of a database as they were when it was closed: its epoch, in hex, and the number of commits in its
 * life. Files that were changed, or put back, since then have another epoch or another number.
 */
export interface ClosedFiles {
  readonly epoch: string
  readonly commits: number
}

const FAILED_CODES: readonly string[] = ['io_failed', 'commit_unknown', 'database_failed']

/** Rows with bytes are never cached, and a server has many databases open. */
const CACHE_BYTES_MAX = 4 * 1024 * 1024
/** Collection and entityId in one key. */
const KEY_BYTES_MAX = 1024

/** One database of the server: handshake, pull, push and verify, without HTTP. */
export class SyncDatabase {
  /** Its name. */
  readonly dbId: string
  /** @internal Its files are those that devices have synced with: of a new database, or as this process closed them. */
  readonly isKnown: boolean
  readonly #db: ServerDatabase
  readonly #options: SyncDatabaseOptions
  readonly #heads: HeadListeners
  readonly #seen = new SeenDevices()
  readonly #resyncs = new Resyncs()
  readonly #totals = new KnownTotals()
  readonly #housekeeping: Housekeeping
  /** Set once an epoch began, or begins, since the database was opened. */
  #epochBegun: Promise<void> | undefined

  private constructor(db: ServerDatabase, options: SyncDatabaseOptions, isKnown: boolean) {
    this.dbId = options.dbId
    this.isKnown = isKnown
    this.#heads = options.heads
    this.#db = db
    this.#options = options
    this.#housekeeping = new Housekeeping({
      read: (work) => this.#read(work),
      write: (work) => this.#write(work),
      seen: this.#seen,
      resyncs: this.#resyncs,
      totals: this.#totals,
      retentionMs: options.retentionMs,
      clock: options.clock,
      timers: options.timers,
      logger: options.logger,
    })
    if (isKnown) this.#epochBegun = Promise.resolve()
  }

  /**
   * Opens the database of `dbId` in its storage; a new one begins its first epoch at once. Errors:
   * `unknown_database` when there is none and `create` is false, and those of `EntiDB.open`.
   */
  static async open(options: SyncDatabaseOptions): Promise<SyncDatabase> {
    const db = await EntiDB.open({
      storage: options.storage,
      collections: serverCollections,
      limits: {
        maxIdBytes: KEY_BYTES_MAX,
        // What rows hold was bounded when it was pushed, by the limits of that day.
        maxEntityBytes: Number.MAX_SAFE_INTEGER,
        maxCacheBytes: CACHE_BYTES_MAX,
      },
      clock: options.clock,
      randomBytes: options.randomBytes,
      ...(options.scheduler === undefined ? {} : { scheduler: options.scheduler }),
    })
    try {
      return new SyncDatabase(db, options, await prepare(db, options))
    } catch (error) {
      await db.close()
      throw error
    }
  }

  /**
   * Errors: `unsupported_protocol`, `device_conflict`. A replicaId the deviceId did not have before
   * takes it over.
   */
  async handshake(request: HandshakeRequest, identity: Identity): Promise<HandshakeResponse> {
    assertProtocol(request)
    const permissions = this.#permissions(identity)
    const { deviceId, replicaId } = request
    const subject = this.#ownerOf(identity)
    const isKnown = await this.#read(async (snapshot) => {
      const device = await readDevice(snapshot, deviceId)
      assertOwnedBy(device, subject)
      await assertNotSuperseded(snapshot, deviceId, device, replicaId)
      if (device === undefined || takesOver(device, replicaId)) return false
      return device === ownedBy(device, subject)
    })
    if (!isKnown) await this.#introduce(request, subject)
    else this.#noteSeen(deviceId, undefined)
    return this.#read(async (snapshot) => {
      const meta = await readMeta(snapshot)
      const device = await readDevice(snapshot, deviceId)
      return handshakeResponse(snapshot, meta, device, permissions, this.#options.limits)
    })
  }

  /**
   * A page of encoded operations by cursor. Errors: `invalid_request`, `device_conflict`, `epoch_mismatch` (details:
   * history), `cursor_ahead`, `cursor_expired`.
   */
  async pull(request: PullRequest, identity: Identity): Promise<PullPage> {
    const { limits, clock } = this.#options
    const permissions = this.#permissions(identity)
    const subject = this.#ownerOf(identity)
    const context = { limits, permissions, resyncs: this.#resyncs, subject, nowMs: clock() }
    const page = await this.#pulled(request, (snapshot) => runPull(snapshot, request, context))
    // Also where it names a place of a snapshot, which it is not given.
    this.#notePulled(request, request.sinceCursor)
    return page
  }

  /** The page of a snapshot that is asked for; undefined: the answer is a page by cursor. Errors: as `pull`. */
  async pullSnapshot(request: PullRequest, identity: Identity): Promise<SnapshotPage | undefined> {
    if (!isForSnapshot(request, this.#permissions(identity))) return undefined
    const { limits } = this.#options
    const page = await this.#pulled(request, (reader) =>
      pullSnapshot(reader, request, limits, this.#ownerOf(identity)),
    )
    // From the first page on, the deletes behind `through` are kept for its device.
    this.#notePulled(request, page.snapshot.through)
    return page
  }

  /**
   * Every operation is committed, in conflict or rejected when this resolves, and that is durable.
   * Errors, with nothing written: `forbidden`, `device_conflict`, `epoch_mismatch` (details: history),
   * `cursor_ahead`, `invalid_request`, `too_large`, `op_id_reused` (details: lastOpId).
   */
  async push(request: PushRequest, identity: Identity): Promise<PushResponse> {
    if (identity.access !== 'write') throw forbidden()
    const { limits, policy, clock } = this.#options
    const permissions = this.#permissions(identity)
    const subject = this.#ownerOf(identity)
    await this.#beginEpochOnce()
    const response = await this.#write((tx) =>
      runPush(tx, request, { limits, policy, permissions, subject, nowMs: clock() }),
    )
    if (response.head !== undefined) this.#heads.publish(response.head)
    // Of any other its own transaction stores it.
    if (request.ops.length === 0) this.#noteSeen(request.deviceId, request.sinceCursor)
    this.#housekeeping.nudge(request.ops.length)
    return response
  }

  /**
   * Does the client hold what the server holds? Errors: `cursor_moved` unless `cursor` is the head,
   * `forbidden` for identities that do not see everything.
   */
  async verify(request: VerifyRequest, identity: Identity): Promise<VerifyResponse> {
    if (!this.#permissions(identity).readsAll) throw forbidden()
    await this.#beginEpochIfBeyondHead(request.cursor)
    return this.#read(async (snapshot) => {
      const meta = await readMeta(snapshot)
      if (request.cursor !== meta.head) throw cursorMoved()
      return verifyDigest(snapshot, meta, this.#totals, request.digest)
    })
  }

  /** The last durable head. */
  async head(): Promise<number> {
    return this.#read(async (snapshot) => (await readMeta(snapshot)).head)
  }

  /** Hears of each new head once it is durable, and at once of the last; the answer ends it. */
  subscribe(listener: HeadListener): () => void {
    return this.#heads.add(listener)
  }

  /** Where it stands. */
  async stats(): Promise<DatabaseStats> {
    return this.#read((snapshot) => readStats(snapshot, this.#totals))
  }

  /**
   * Clears what the rules allow now: superseded operations below what live devices have pulled, tombstones beyond the
   * retention, records nobody can ask for. The server does it by itself when it is worth it.
   */
  housekeep(): Promise<HousekeepingReport> {
    return this.#housekeeping.run()
  }

  /** @internal Before it is closed to make room, and not because the server ends. */
  finishHousekeeping(): Promise<void> {
    return this.#housekeeping.finish()
  }

  /**
   * Waits for the requests that are being written. With what it answers the same process can open these files again
   * without beginning an epoch; undefined when none began since they were opened.
   */
  async close(): Promise<ClosedFiles | undefined> {
    await this.#housekeeping.stop()
    const files = await this.#files().catch(() => undefined)
    await this.#db.close()
    return files
  }

  async #files(): Promise<ClosedFiles | undefined> {
    if (this.#epochBegun === undefined) return undefined
    await this.#epochBegun
    const { epoch } = await this.#read(readMeta)
    const { store } = await this.#db.stats()
    return { epoch: hexOf(epoch), commits: store.lastLsn }
  }

  #ownerOf({ subject }: Identity): string | undefined {
    return this.#options.bindDevices ? subject : undefined
  }

  #permissions(identity: Identity): Permissions {
    return new Permissions(this.#options.policy, identity)
  }

  async #read<T>(read: (snapshot: ServerSnapshot) => Promise<T>): Promise<T> {
    const snapshot = this.#db.snapshot()
    try {
      return await read(snapshot)
    } finally {
      snapshot.release()
    }
  }

  async #write<T>(work: (tx: ServerTransaction) => Promise<T>): Promise<T> {
    try {
      return await this.#db.transaction(work)
    } catch (error) {
      if (isEntiDBError(error) && FAILED_CODES.includes(error.code)) this.#options.onFailed()
      throw error
    }
  }

  /** A new device, a new installation of a known one, or one that belongs to nobody yet. */
  async #introduce(
    { deviceId, replicaId }: HandshakeRequest,
    subject: string | undefined,
  ): Promise<void> {
    const nowMs = this.#options.clock()
    await this.#write(async (tx) => {
      const meta = await readMeta(tx)
      const known = await readDevice(tx, deviceId)
      assertOwnedBy(known, subject)
      await assertNotSuperseded(tx, deviceId, known, replicaId)
      const device = ownedBy(known ?? newDevice(deviceId, meta), subject)
      const owned =
        replicaId !== undefined && takesOver(device, replicaId)
          ? await takeOver(tx, device, replicaId, nowMs)
          : device
      await tx.collection('device_state').put(withSeen(owned, meta, undefined, nowMs))
    })
  }

  async #pulled<T>(request: PullRequest, read: (reader: ServerSnapshot) => Promise<T>): Promise<T> {
    assertSnapshotPlace(request)
    await this.#beginEpochIfBeyondHead(reachedCursor(request))
    return this.#read(read)
  }

  #notePulled({ deviceId }: PullRequest, reached: number): void {
    if (deviceId !== undefined) this.#noteSeen(deviceId, reached)
  }

  #noteSeen(deviceId: string, cursor: number | undefined): void {
    this.#seen.note(deviceId, cursor, this.#options.clock())
    this.#housekeeping.nudge()
  }

  async #beginEpochIfBeyondHead(cursor: number): Promise<void> {
    if (this.#epochBegun === undefined && cursor > (await this.head())) await this.#beginEpochOnce()
  }

  #beginEpochOnce(): Promise<void> {
    this.#epochBegun ??= this.#beginEpoch().catch((error: unknown) => {
      this.#epochBegun = undefined
      throw error
    })
    return this.#epochBegun
  }

  async #beginEpoch(): Promise<void> {
    const { randomBytes } = this.#options
    const meta = await this.#write((tx) => beginEpoch(tx, this.dbId, randomBytes))
    this.#heads.publish(meta.head)
  }
}

/**
 * Makes a new database one of ours, or checks that it is. Answers whether its files are known to be the ones that
 * devices have synced with: those of a new database, and those that this process closed.
 */
async function prepare(db: ServerDatabase, options: SyncDatabaseOptions): Promise<boolean> {
  const meta = await db.collection('meta').get('database')
  if (meta === undefined) {
    if (!options.create) throw unknownDatabase()
    await db.transaction((tx) => beginEpoch(tx, options.dbId, options.randomBytes))
    return true
  }
  if (meta.dbId === options.dbId) {
    const { closedFiles } = options
    return closedFiles?.epoch === hexOf(meta.epoch) && closedFiles.commits === db.recovery.lastLsn
  }
  // A file system that does not tell upper from lower case would open one tenant's files for another.
  throw new EntiDBError('unknown_database', 'The files belong to another database', {
    details: { dbId: options.dbId },
  })
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
