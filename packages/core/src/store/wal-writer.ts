/**
 * Appends commits to the log and tells each when it is durable: group commit. While a flush is under
 * way, commits queue up; the next frame and flush take all of them.
 *
 * Invariants: LSNs follow each other without a gap. Commits become visible, and their promises
 * settle, in the order in which they were handed over. After a failed flush nothing is written again.
 */
import { isEntiDBError } from '../errors/entidb-error.ts'
import type { Checksum } from './checksum.ts'
import type { Durability } from './key-value-store.ts'
import type { Scheduler } from './scheduler.ts'
import { commitUnknown, databaseFailed, diskFull, ioFailed } from './store-errors.ts'
import type { WalFile } from './wal-file.ts'
import { encodeFrameHeader, FRAME_HEADER_BYTES, type WalHeader } from './wal-format.ts'

export interface WalWriterOptions {
  readonly durability: Durability
  /** `relaxed`: the longest time between a commit and its flush. */
  readonly flushDelayMs: number
  readonly checksum: Checksum
  readonly scheduler: Scheduler
  /** Is a transaction under way that may commit next? */
  readonly isAnyoneWriting: () => boolean
  /** A commit that follows on others could not be written: all that queued were refused. */
  readonly onDiskFull: () => void
  /** The first failed flush, or a write that failed for another reason than lack of space. */
  readonly onFailure: (error: unknown) => void
}

export interface WalCommit {
  /** Undefined when nothing changed: the commit only waits for those before it. */
  readonly changes: readonly Uint8Array[] | undefined
  /** Makes the commit visible. */
  readonly apply: () => void
}

interface QueuedCommit extends WalCommit {
  readonly bytes: number
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}

interface QueuedSwitch {
  readonly file: WalFile
  readonly header: Omit<WalHeader, 'firstLsn'>
  /** Called between the last commit of the old file and the first of the new one. */
  readonly between: () => void
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}

/** A frame takes commits until it has this many bytes. */
const FRAME_BYTES_MAX = 4 * 1024 * 1024
/** A loop that awaits one commit after the other must not keep timers and requests from their turn. */
const WRITTEN_AT_ONCE_MAX = 8
const WRITTEN_AT_ONCE_BYTES_MAX = 16 * 1024
/** Frames up to this size are gathered in one buffer and written by one call. */
const GATHERED_BYTES_MAX = 64 * 1024

export class WalWriter {
  readonly #options: WalWriterOptions
  #file: WalFile | undefined
  /** Makes the file for the first commit with changes. */
  readonly #start: () => Promise<WalFile>
  #lastLsn: number
  #flushedLsn: number
  readonly #queue: (QueuedCommit | QueuedSwitch)[] = []
  #running = false
  /** Commits since everything else had its turn. */
  #writtenAtOnce = 0
  #failure: unknown
  readonly #gathered = new Uint8Array(GATHERED_BYTES_MAX)
  #cancelFlush: (() => void) | undefined
  #idle: (() => void)[] = []

  /** `wal`: the log, or how to start it when there is something to write. */
  constructor(wal: WalFile | (() => Promise<WalFile>), lastLsn: number, options: WalWriterOptions) {
    this.#file = typeof wal === 'function' ? undefined : wal
    this.#start = typeof wal === 'function' ? wal : async () => wal
    this.#lastLsn = lastLsn
    this.#flushedLsn = lastLsn
    this.#options = options
  }

  /** LSN of the last commit written. */
  get lastLsn(): number {
    return this.#lastLsn
  }

  get flushedLsn(): number {
    return this.#flushedLsn
  }

  /** Undefined when it was not started. */
  get file(): WalFile | undefined {
    return this.#file
  }

  append(commit: WalCommit): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(databaseFailed(this.#failure))
    let bytes = 0
    if (commit.changes !== undefined) for (const chunk of commit.changes) bytes += chunk.length
    return new Promise((resolve, reject) => {
      this.#enqueue({ changes: commit.changes, apply: commit.apply, bytes, resolve, reject })
    })
  }

  /**
   * Later commits go to `file`. Everything in the file before is durable and visible when `between`
   * is called, and nothing else is.
   */
  switchTo(file: WalFile, header: Omit<WalHeader, 'firstLsn'>, between: () => void): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(databaseFailed(this.#failure))
    return new Promise((resolve, reject) =>
      this.#enqueue({ file, header, between, resolve, reject }),
    )
  }

  /** Resolves when all that was handed over is written and flushed, or the writer failed. */
  async drain(): Promise<void> {
    if (this.#running) await new Promise<void>((resolve) => this.#idle.push(resolve))
    await this.#flush()
  }

  async close(): Promise<void> {
    this.#cancelFlush?.()
    this.#cancelFlush = undefined
    await this.#file?.close()
  }

  #enqueue(item: QueuedCommit | QueuedSwitch): void {
    this.#queue.push(item)
    if (this.#running) return
    const isSmall = 'file' in item || item.bytes <= WRITTEN_AT_ONCE_BYTES_MAX
    const isAlone = !this.#options.isAnyoneWriting()
    if (isAlone && isSmall && this.#writtenAtOnce < WRITTEN_AT_ONCE_MAX) {
      this.#writtenAtOnce++
      void this.#run()
    } else {
      this.#runSoon()
    }
  }

  /** Lets commits that are on their way join, and everything else in the process have its turn. */
  #runSoon(): void {
    this.#running = true
    this.#writtenAtOnce = 0
    this.#options.scheduler.after(0, () => void this.#run())
  }

  async #run(): Promise<void> {
    this.#running = true
    for (;;) {
      const first = this.#queue[0]
      if (first === undefined || this.#failure !== undefined) break
      if ('file' in first) {
        this.#queue.shift()
        await this.#switch(first)
      } else {
        await this.#writeGroup(this.#takeGroup())
      }
    }
    this.#running = false
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  #takeGroup(): QueuedCommit[] {
    let bytes = 0
    let size = 0
    const group: QueuedCommit[] = []
    for (const item of this.#queue) {
      if ('file' in item || (size > 0 && bytes + item.bytes > FRAME_BYTES_MAX)) break
      bytes += item.bytes
      size++
      group.push(item)
    }
    this.#queue.splice(0, size)
    return group
  }

  async #writeGroup(group: readonly QueuedCommit[]): Promise<void> {
    const changed = group.filter((commit) => commit.changes !== undefined)
    if (changed.length > 0) {
      const payloadBytes = changed.reduce((sum, commit) => sum + commit.bytes, 0)
      const file = this.#file ?? (await this.#startFor(group))
      if (file === undefined) return
      try {
        const written = this.#writeFrame(file, changed, payloadBytes)
        if (written instanceof Promise) await written
      } catch (error) {
        await this.#recoverFromFailedWrite(error, file, group, FRAME_HEADER_BYTES + payloadBytes)
        return
      }
      this.#lastLsn += changed.length
      if (this.#options.durability === 'strict') {
        try {
          // Who writes meanwhile would be kept from joining the next group.
          const isAlone = this.#queue.length === 0 && !this.#options.isAnyoneWriting()
          if (!(isAlone && file.flushSync())) await file.flush()
        } catch (error) {
          this.#fail(error, group)
          return
        }
        this.#flushedLsn = this.#lastLsn
      } else {
        this.#scheduleFlush()
      }
      // Not awaited: the file waits for its own growth where it must.
      file.growAhead()?.catch((error) => this.#fail(error, []))
    }
    for (const commit of group) {
      commit.apply()
      commit.resolve()
    }
  }

  /** Undefined when that failed, and the group was answered. */
  async #startFor(group: readonly QueuedCommit[]): Promise<WalFile | undefined> {
    try {
      this.#file = await this.#start()
      return this.#file
    } catch (error) {
      if (isEntiDBError(error, 'disk_full')) this.#refuse(error, group)
      else this.#fail(error, group)
      return undefined
    }
  }

  #writeFrame(
    file: WalFile,
    group: readonly QueuedCommit[],
    payloadBytes: number,
  ): void | Promise<void> {
    const bytes = FRAME_HEADER_BYTES + payloadBytes
    const { checksum } = this.#options
    const isGathered = bytes <= GATHERED_BYTES_MAX
    const head = isGathered ? this.#gathered : new Uint8Array(FRAME_HEADER_BYTES)
    const pieces: Uint8Array[] = [isGathered ? head.subarray(0, bytes) : head]
    let offset = FRAME_HEADER_BYTES
    let payloadChecksum = 0
    for (const commit of group) {
      for (const chunk of commit.changes ?? []) {
        if (isGathered) head.set(chunk, offset)
        else {
          pieces.push(chunk)
          payloadChecksum = checksum(chunk, payloadChecksum)
        }
        offset += chunk.length
      }
    }
    if (isGathered) payloadChecksum = checksum(head.subarray(FRAME_HEADER_BYTES, bytes), 0)
    const header = {
      payloadBytes,
      lsn: this.#lastLsn + 1,
      commits: group.length,
      flushedLsn: this.#flushedLsn,
      payloadChecksum,
    }
    encodeFrameHeader(head, header, file.salt, checksum)
    return file.append(pieces, bytes)
  }

  /** Lack of space refuses this group and all that builds on it; anything else is final. */
  async #recoverFromFailedWrite(
    error: unknown,
    file: WalFile,
    group: readonly QueuedCommit[],
    frameBytes: number,
  ): Promise<void> {
    if (!isEntiDBError(error, 'disk_full')) {
      this.#fail(error, group)
      return
    }
    try {
      await file.discardFailedAppend(frameBytes)
    } catch (fatal) {
      this.#fail(fatal, group)
      return
    }
    this.#refuse(error, group)
  }

  #refuse(error: unknown, group: readonly QueuedCommit[]): void {
    const refused: QueuedCommit[] = [...group]
    const switches: QueuedSwitch[] = []
    for (const item of this.#queue.splice(0)) {
      if ('file' in item) switches.push(item)
      else refused.push(item)
    }
    this.#queue.push(...switches)
    this.#options.onDiskFull()
    for (const commit of refused) commit.reject(diskFull(error))
  }

  async #switch(next: QueuedSwitch): Promise<void> {
    try {
      await this.#flushNow()
      await next.file.start({ ...next.header, firstLsn: this.#lastLsn + 1 }, this.#options.checksum)
      const old = this.#file
      this.#file = next.file
      next.between()
      await old?.close()
    } catch (error) {
      this.#fail(error, [])
      next.reject(ioFailed(error))
      return
    }
    next.resolve()
  }

  #scheduleFlush(): void {
    if (this.#cancelFlush !== undefined) return
    this.#cancelFlush = this.#options.scheduler.after(this.#options.flushDelayMs, () => {
      this.#cancelFlush = undefined
      void this.#flush()
    })
  }

  /** Flushes what was written and not yet flushed. Never rejects: a failure is latched. */
  async #flush(): Promise<void> {
    if (this.#failure !== undefined) return
    try {
      await this.#flushNow()
    } catch (error) {
      this.#fail(error, [])
    }
  }

  async #flushNow(): Promise<void> {
    this.#cancelFlush?.()
    this.#cancelFlush = undefined
    const lsn = this.#lastLsn
    if (lsn === this.#flushedLsn) return
    await this.#file?.flush()
    this.#flushedLsn = Math.max(this.#flushedLsn, lsn)
  }

  #fail(error: unknown, group: readonly QueuedCommit[]): void {
    if (this.#failure === undefined) {
      this.#failure = error
      this.#options.onFailure(error)
    }
    for (const commit of group) commit.reject(ioFailed(error))
    for (const item of this.#queue.splice(0)) item.reject(commitUnknown(error))
  }
}
