/**
 * The native store: a write-ahead log and a copy-on-write B+tree over a FileSystem. Its files are
 * specified in `docs/format.md`.
 *
 * Two heads: the working head is what the next writer builds on, the visible head is what snapshots
 * see. A commit moves the working head when it is handed over and the visible head when it is durable.
 *
 * Invariants
 * 1. Acknowledged commits are a subset of the recovered ones, these a prefix of the commits in
 *    order, each whole (`crash.test.ts`).
 * 2. After a failed flush nothing is written any more (`write-failure.test.ts`).
 * 3. Every unit of the data file is reachable from the superblock or free, never both (`crash.test.ts`).
 */

import { assertInvariant } from '../errors/assert.ts'
import { isEntiDBError } from '../errors/entidb-error.ts'
import type { DirectoryLock, File, FileSystem } from '../files/file-system.ts'
import { Checkpointer } from './checkpoint.ts'
import { isCheckpointDue, roomForWriters } from './checkpoint-due.ts'
import { openDataFile } from './data-file.ts'
import { UNIT_BYTES } from './extent.ts'
import type { Head } from './head.ts'
import { HeldNodes } from './held-nodes.ts'
import type {
  KeyValueStore,
  RecoveryReport,
  StoreMaintenance,
  StoreSnapshot,
  StoreStats,
  WriteTransaction,
} from './key-value-store.ts'
import { Mutex } from './mutex.ts'
import { OpenSnapshots } from './open-snapshots.ts'
import { Pace } from './pace.ts'
import { type Recovered, recover } from './recovery.ts'
import { pause } from './scheduler.ts'
import { startLog } from './start-log.ts'
import { databaseClosed, databaseFailed, diskFull, ioFailed } from './store-errors.ts'
import { TreeSnapshot } from './store-snapshot.ts'
import { type Pin, TreeMaintenance } from './tree-maintenance.ts'
import { settingsOf, type TreeStoreOptions, type TreeStoreSettings } from './tree-store-options.ts'
import { createWal, removeWalsBelow } from './wal-directory.ts'
import type { WalFile } from './wal-file.ts'
import { SALT_BYTES } from './wal-format.ts'
import { WalWriter } from './wal-writer.ts'
import { type WriteLoad, WriteThrottle } from './write-throttle.ts'
import { type TransactionResult, TreeTransaction } from './write-transaction.ts'

/**
 * Opens the store in the directory, creating it when the directory holds none, and brings it to the
 * last commit. Nothing is written before the files were understood; and before the first commit nothing
 * at all, to a store that was closed cleanly.
 *
 * Errors: `database_locked`, `not_a_database`, `format_too_new`, `corrupt`, `disk_full`, `io_failed`.
 */
export async function openTreeStore(
  fileSystem: FileSystem,
  options: TreeStoreOptions,
): Promise<KeyValueStore> {
  const settings = settingsOf(options)
  const lock = await fileSystem.lock()
  let data: File | undefined
  try {
    data = await openDataFile(fileSystem, settings.checksum, settings.randomBytes)
    const recovered = await recover(fileSystem, data, settings)
    return await createStore(fileSystem, lock, recovered, settings)
  } catch (error) {
    await data?.close().catch(() => {})
    await lock.release()
    throw error
  }
}

async function createStore(
  fileSystem: FileSystem,
  lock: DirectoryLock,
  recovered: Recovered,
  settings: TreeStoreSettings,
): Promise<TreeStore> {
  const { head, pages, space, retired, superblock } = recovered
  const { checksum, scheduler } = settings
  const checkpointer = new Checkpointer({ pages, space, retired, superblock, checksum, scheduler })
  const start = (): Promise<WalFile> => startLog(fileSystem, recovered, checkpointer, settings)
  const wal = recovered.wasClosedCleanly ? start : await start()
  // Nobody reads yet, and the superblocks do not need it any more.
  retired.release(head.lsn, Number.POSITIVE_INFINITY, space)
  return new TreeStore(fileSystem, lock, recovered, checkpointer, wal, settings)
}

/** Cutting the file for less would only make it grow again. */
const CUT_BYTES_MIN = 4 * 1024 * 1024

class TreeStore implements KeyValueStore {
  readonly recovery: RecoveryReport
  readonly #maintenance: TreeMaintenance
  readonly #fileSystem: FileSystem
  readonly #lock: DirectoryLock
  readonly #recovered: Recovered
  readonly #checkpointer: Checkpointer
  readonly #settings: TreeStoreSettings
  readonly #wal: WalWriter
  readonly #writers = new Mutex()
  readonly #snapshots = new OpenSnapshots()
  /** States of the file that are being read as a whole. */
  readonly #pins = new Set<Pin>()
  #working: Head
  #visible: Head
  /** Counts how often the working head was thrown away because the disk was full. */
  #setbacks = 0
  #failure: unknown
  #closing: Promise<void> | undefined
  #state: StoreStats['state'] = 'open'
  #checkpointing: Promise<void> | undefined
  /** While a checkpoint is under way: the last state that may be the one it writes. */
  #writingLsn: number | undefined
  #checkpoints = 0
  /** Logs before the present one that the superblock still needs. */
  #olderWals: {
    readonly generation: number
    readonly frameBytes: number
    readonly fileBytes: number
  }[] = []
  #walGeneration: number
  /** What only writers need has been read. */
  #mayWrite = false
  readonly #heldNodes: HeldNodes
  readonly #throttle = new WriteThrottle()
  /** No automatic checkpoint below this size of the log: the last one found no space. */
  #checkpointBytesMin = 0

  constructor(
    fileSystem: FileSystem,
    lock: DirectoryLock,
    recovered: Recovered,
    checkpointer: Checkpointer,
    /** The log, or how to start it. */
    wal: WalFile | (() => Promise<WalFile>),
    settings: TreeStoreSettings,
  ) {
    this.#fileSystem = fileSystem
    this.#lock = lock
    this.#recovered = recovered
    this.#checkpointer = checkpointer
    this.#settings = settings
    this.recovery = recovered.report
    this.#working = recovered.head
    this.#visible = recovered.head
    this.#walGeneration = recovered.walGeneration + 1
    this.#heldNodes = new HeldNodes(recovered.pages, settings.nodeBytes, recovered.unwrittenNodes)
    this.#maintenance = new TreeMaintenance(this, recovered, settings, {
      tables: () => this.#visible.tables(),
      superblock: () => this.#checkpointer.superblock,
      pins: this.#pins,
      assertNotClosed: this.#assertNotClosed,
    })
    this.#wal = new WalWriter(wal, recovered.head.lsn, {
      ...settings,
      isAnyoneWriting: () => this.#writers.isHeld,
      onDiskFull: () => this.#setBack(),
      onFailure: (error) => this.#fail(error),
    })
  }

  get maintenance(): StoreMaintenance {
    return this.#maintenance
  }

  async begin(): Promise<WriteTransaction> {
    if (this.#closing !== undefined) throw databaseClosed()
    await this.#writers.acquire()
    await this.#waitForCheckpoint()
    if (this.#failure !== undefined) {
      this.#writers.release()
      throw databaseFailed(this.#failure)
    }
    const base = this.#working
    const setbacks = this.#setbacks
    const { names, pages } = this.#recovered
    return new TreeTransaction(base, names, pages, this.#settings, {
      commit: (result) => this.#accept(base, setbacks, result),
      rollback: () => this.#writers.release(),
    })
  }

  snapshot(): StoreSnapshot {
    this.#assertNotClosed()
    const snapshot = new TreeSnapshot(
      this.#visible,
      this.#recovered.pages,
      this.#assertNotClosed,
      this.#forgetSnapshot,
    )
    this.#snapshots.add(snapshot)
    return snapshot
  }

  async checkpoint(): Promise<void> {
    if (this.#closing !== undefined) throw databaseClosed()
    // One under way may have begun before commits that this one has to cover.
    while (this.#checkpointing !== undefined) await this.#checkpointing.catch(() => {})
    if (this.#closing !== undefined) throw databaseClosed()
    await this.#startCheckpoint()
  }

  stats(): StoreStats {
    const tables = this.#visible.tables()
    const { file } = this.#recovered.pages
    const wals = this.#olderWals
    const wal = this.#wal.file
    const isOpen = this.#state !== 'closed'
    return {
      state: this.#state,
      lastLsn: this.#visible.lsn,
      tables: tables.length,
      entries: tables.reduce((sum, [, table]) => sum + table.count, 0),
      walBytes: this.#walBytes(),
      fileBytes: isOpen
        ? wals.reduce((sum, wal) => sum + wal.fileBytes, file.size() + (wal?.fileBytes ?? 0))
        : 0,
      cacheBytes: this.#recovered.pages.cacheBytes,
      openSnapshots: this.#snapshots.size,
      checkpoints: this.#checkpoints,
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** The transaction ended in a commit: the next writer may begin. */
  async #accept(base: Head, setbacks: number, result: TransactionResult): Promise<void> {
    if (this.#failure !== undefined) {
      this.#writers.release()
      throw databaseFailed(this.#failure)
    }
    if (setbacks !== this.#setbacks) {
      this.#writers.release()
      throw diskFull(new Error('a commit that this one builds on found no space'))
    }
    const hasChanges = result.changes !== undefined
    if (hasChanges && !this.#mayWrite) await this.#prepareToWrite()
    const head = hasChanges ? base.with(base.lsn + 1, result.roots) : base
    this.#working = head
    const apply = (): void => {
      if (hasChanges) this.#show(head, result)
    }
    // The next writer goes on after this turn: its commit comes behind this one.
    this.#writers.release()
    return this.#wal.append({ changes: result.changes, apply })
  }

  #show(head: Head, result: TransactionResult): void {
    this.#visible = head
    const { retired, pages } = this.#recovered
    retired.add(head.lsn, result.replaced, result.droppedTrees, this.#writingLsn)
    const kept = pages.noteReplaced(result.replaced, this.#writingLsn)
    this.#heldNodes.noteCommit(result.nodesAdded, kept)
    this.#checkpointIfDue()
  }

  #checkpointIfDue(): void {
    const isIdle = this.#checkpointing === undefined && this.#closing === undefined
    // One that fails at once would be due again at once, and nobody else would have a turn.
    if (!isIdle || this.#failure !== undefined || !this.#isCheckpointDue()) return
    // A failure is latched, or shows at the next explicit checkpoint.
    this.#startCheckpoint().catch(() => {})
  }

  /** Before the first change. Error: `corrupt`, when the list of free space is damaged. */
  async #prepareToWrite(): Promise<void> {
    try {
      await this.#recovered.readFreeSpace()
    } catch (error) {
      this.#writers.release()
      throw error
    }
    this.#mayWrite = true
  }

  /** Writers wait for a checkpoint under way rather than outrun it. */
  async #waitForCheckpoint(): Promise<void> {
    const { cacheBytes, scheduler } = this.#settings
    while (this.#checkpointing !== undefined) {
      const load = this.#load()
      if (load.nodeBytes > cacheBytes) await this.#checkpointing.catch(() => {})
      else if (this.#isAhead(load)) await pause(scheduler)
      else return
    }
  }

  #isAhead(load: WriteLoad): boolean {
    const { nodesWritten } = this.#checkpointer
    return nodesWritten !== undefined && this.#throttle.isAhead(load, nodesWritten)
  }

  /** Nothing since the visible head was written: whoever built on it is refused. */
  #setBack(): void {
    this.#setbacks++
    this.#working = this.#visible
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return
    this.#failure = error
    if (this.#state === 'open') this.#state = 'failed'
    this.#writers.refuseWaiting(databaseFailed(error))
  }

  #walBytes(): number {
    const frameBytes = this.#wal.file?.frameBytes ?? 0
    return this.#olderWals.reduce((sum, wal) => sum + wal.frameBytes, frameBytes)
  }

  #load(): WriteLoad {
    return { walBytes: this.#walBytes(), nodeBytes: this.#heldNodes.bytes }
  }

  #isCheckpointDue(): boolean {
    const load = this.#load()
    if (load.walBytes <= this.#checkpointBytesMin) return false
    return isCheckpointDue(load, this.#dataBytes(), this.#settings)
  }

  /** Of the data file, in use. */
  #dataBytes(): number {
    const { endUnit, freeUnits } = this.#recovered.space
    return (endUnit - freeUnits) * UNIT_BYTES
  }

  #startCheckpoint(): Promise<void> {
    this.#writingLsn = Number.POSITIVE_INFINITY
    const running = this.#checkpointNow().finally(() => {
      this.#checkpointing = undefined
      this.#writingLsn = undefined
      this.#heldNodes.forgetKept()
      this.#recovered.retired.forgetUnplaced()
      this.#checkpointIfDue()
    })
    this.#checkpointing = running
    return running
  }

  async #checkpointNow(): Promise<void> {
    if (this.#failure !== undefined) throw databaseFailed(this.#failure)
    if (this.#wal.lastLsn === this.#checkpointer.superblock.checkpointLsn) return
    try {
      const head = await this.#switchLog()
      this.#writingLsn = head.lsn
      this.#releaseSpace(this.#checkpointer.superblock.checkpointLsn)
      const pace = new Pace(this.#settings.scheduler)
      const nodes = this.#heldNodes.unwritten
      this.#throttle.begin(nodes, this.#load(), roomForWriters(this.#dataBytes(), this.#settings))
      const tree = await this.#checkpointer.writeTree(head.tables(), head.lsn, pace)
      // What follows looks at every node: each time a step of its own, when they are many.
      await pace.lookedAt(nodes)
      this.#heldNodes.recount(this.#visible.tables())
      await pace.lookedAt(nodes)
      this.#recovered.pages.makeRoom()
      await this.#commitTree(tree, {
        sealed: false,
        walGeneration: this.#walGeneration,
        requiredLsn: head.lsn,
      })
      await pace.lookedAt(nodes)
      this.#releaseSpace(head.lsn)
      this.#checkpointBytesMin = 0
    } catch (error) {
      // Try again when the log has grown by half: by then there may be space.
      this.#checkpointBytesMin = this.#walBytes() * 1.5
      if (!isEntiDBError(error, 'disk_full') && !isEntiDBError(error, 'corrupt')) this.#fail(error)
      throw error
    }
  }

  /** From here on commits go to a new log. The answer is the state that the logs before lead to. */
  async #switchLog(): Promise<Head> {
    const generation = this.#walGeneration + 1
    const old = this.#wal.file
    assertInvariant(old !== undefined, 'a log was started for what is to be checkpointed')
    const next = await createWal(this.#fileSystem, generation, this.#settings.walAllocationBytes)
    const { storeId } = this.#recovered.superblock
    const salt = this.#settings.randomBytes(SALT_BYTES)
    let head = this.#visible
    const between = (): void => {
      head = this.#visible
      this.#walGeneration = generation
      const { frameBytes, fileBytes } = old
      this.#olderWals.push({ generation: generation - 1, frameBytes, fileBytes })
    }
    try {
      await this.#wal.switchTo(next, { generation, storeId, salt }, between)
    } catch (error) {
      if (this.#wal.file !== next) await next.close().catch(() => {})
      throw error
    }
    return head
  }

  /** Both superblocks name the tree, and the logs it covers are gone. */
  async #commitTree(
    tree: Parameters<Checkpointer['writeSuperblock']>[0],
    log: Parameters<Checkpointer['writeSuperblock']>[1],
  ): Promise<void> {
    try {
      await this.#checkpointer.writeSuperblock(tree, log)
      await this.#checkpointer.writeSuperblock(tree, log)
    } catch (error) {
      // Which of the trees the file names is not known: no more of it may be reused.
      throw ioFailed(error)
    }
    await this.#checkpointer.cutFile(this.#maintenance.isCompacting ? 0 : CUT_BYTES_MIN)
    const kept = log.sealed ? log.walGeneration + 1 : log.walGeneration
    await removeWalsBelow(this.#fileSystem, kept)
    this.#olderWals = this.#olderWals.filter((wal) => wal.generation >= kept)
    this.#checkpoints++
    this.#maintenance.noteCheckpoint()
  }

  #releaseSpace(superblockLsn: number): void {
    let readerLsn = this.#snapshots.oldestLsn()
    for (const { lsn } of this.#pins) readerLsn = Math.min(readerLsn, lsn)
    this.#recovered.retired.release(superblockLsn, readerLsn, this.#recovered.space)
  }

  async #close(): Promise<void> {
    // A failure sends away everyone who waits; closing then waits for the present writer alone.
    await this.#writers.acquire().catch(() => this.#writers.acquire())
    await this.#checkpointing?.catch(() => {})
    await this.#wal.drain()
    let failure: unknown
    try {
      if (this.#failure === undefined) await this.#seal()
      else if (this.#wal.flushedLsn < this.#visible.lsn) failure = ioFailed(this.#failure)
    } catch (error) {
      failure = error
    }
    this.#state = 'closed'
    this.#writers.refuseWaiting(databaseClosed())
    await this.#wal.close().catch(() => {})
    await this.#recovered.pages.file.close().catch(() => {})
    await this.#lock.release()
    if (failure !== undefined) throw failure
  }

  /** Leaves a complete tree and no log; without space for that, a log that must not become shorter. */
  async #seal(): Promise<void> {
    // Nothing was written: the store is as it was found.
    if (this.#wal.file === undefined) return
    const { lsn } = this.#visible
    const walGeneration = this.#walGeneration
    this.#releaseSpace(this.#checkpointer.superblock.checkpointLsn)
    const pace = new Pace(this.#settings.scheduler)
    try {
      const tree = await this.#checkpointer.writeTree(this.#visible.tables(), lsn, pace)
      await this.#commitTree(tree, { sealed: true, walGeneration, requiredLsn: lsn })
    } catch (error) {
      if (!isEntiDBError(error, 'disk_full')) throw error
      const { superblock } = this.#checkpointer
      await this.#checkpointer.writeSuperblock(superblock, {
        sealed: superblock.sealed,
        walGeneration: superblock.walGeneration,
        requiredLsn: lsn,
      })
    }
  }

  /** One function for all of them: every read makes a snapshot. */
  readonly #forgetSnapshot = (snapshot: TreeSnapshot): void => this.#snapshots.remove(snapshot)

  readonly #assertNotClosed = (): void => {
    if (this.#state === 'closed') throw databaseClosed()
  }
}
