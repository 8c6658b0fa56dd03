/**
 * One open file of a directory on disk.
 *
 * Reads and writes are synchronous: they meet the page cache, where a call costs microseconds and a
 * promise costs more. Flushes wait for the disk, so they go through the thread pool, unless whoever asks has
 * nothing else to do: then the way there and back would be a third of the time. Not so where the disk is
 * slow or busy: there, the whole process would stand still.
 *
 * Invariants:
 * - A write or truncate that returned was done in full.
 * - After the first failed flush nothing is written or flushed through this handle again: the system
 *   may have marked the lost pages clean, and a second flush would then report success for them.
 * - The descriptor is not used after close; the system gives its number to the next file.
 */

import { assertInvariant } from '../errors/assert.ts'
import { EntiDBError } from '../errors/entidb-error.ts'
import { assertFilePosition } from './file-name.ts'
import type { File } from './file-system.ts'
import type { FlushTimes } from './flush-times.ts'
import { toFileError } from './node-io-error.ts'
import type { NodeSystemCalls } from './node-system-calls.ts'

/** Of one system call: Node takes no length from 2^31 on. */
const CALL_BYTES_MAX = 2 ** 30

export class NodeFile implements File {
  readonly name: string
  readonly #fs: NodeSystemCalls
  readonly #fd: number
  #size: number
  #open = true
  #flushFailure: EntiDBError | undefined
  /** Settles, never rejects, when the flushes asked for so far are over. */
  #flushes: Promise<void> = Promise.resolve()
  readonly #flushTimes: FlushTimes

  /** `flushTimes`: of all files of the directory. */
  constructor(fs: NodeSystemCalls, fd: number, name: string, flushTimes: FlushTimes) {
    this.#fs = fs
    this.#flushTimes = flushTimes
    this.#fd = fd
    this.name = name
    this.#size = fs.fstatSync(fd).size
  }

  size(): number {
    this.#assertOpen()
    return this.#size
  }

  readAt(offset: number, target: Uint8Array): number {
    this.#assertOpen()
    assertFilePosition(offset)
    let done = 0
    while (done < target.length) {
      const length = Math.min(target.length - done, CALL_BYTES_MAX)
      const count = this.#call('read', () =>
        this.#fs.readSync(this.#fd, target, done, length, offset + done),
      )
      if (count === 0) break
      done += count
    }
    return done
  }

  writeAt(offset: number, bytes: Uint8Array): void {
    this.#assertWritable('write')
    assertFilePosition(offset)
    let done = 0
    while (done < bytes.length) {
      // When space runs out in mid-buffer the system reports a short count; only the next call fails.
      const length = Math.min(bytes.length - done, CALL_BYTES_MAX)
      const count = this.#call('write', () =>
        this.#fs.writeSync(this.#fd, bytes, done, length, offset + done),
      )
      if (count <= 0) throw toFileError(new Error('no progress'), this.name, 'write')
      done += count
      this.#size = Math.max(this.#size, offset + done)
    }
  }

  truncate(size: number): void {
    this.#assertWritable('truncate')
    assertFilePosition(size)
    this.#call('truncate', () => this.#fs.ftruncateSync(this.#fd, size))
    this.#size = size
  }

  /**
   * Flushes of one file run one after the other: the system reports a lost write to one call only,
   * so a flush beside the failing one might succeed without the data of both.
   */
  async flush(): Promise<void> {
    this.#assertWritable('flush')
    this.#flushTimes.begin()
    const flushed = this.#flushes.then(() => this.#flushNow())
    this.#flushes = flushed.then(this.#flushEnded, this.#flushEnded)
    return flushed
  }

  flushSync(): boolean {
    this.#assertWritable('flush')
    if (!this.#flushTimes.mayBlock()) return false
    const start = this.#fs.now()
    try {
      this.#fs.fdatasyncSync(this.#fd)
    } catch (cause) {
      throw this.#failFlush(cause)
    }
    this.#flushTimes.blocked(this.#fs.now() - start)
    return true
  }

  async close(): Promise<void> {
    if (!this.#open) return
    this.#open = false
    await this.#flushes
    this.#call('close', () => this.#fs.closeSync(this.#fd))
  }

  /**
   * fdatasync leaves out timestamps, but not the size nor where the blocks are: what reading the data
   * back needs is durable (POSIX "synchronized I/O data integrity completion"). Where it is not to be
   * had (macOS, Windows) libuv does the full flush in its place, down to the medium.
   */
  async #flushNow(): Promise<void> {
    this.#assertNotFailed('flush')
    try {
      await new Promise<void>((resolve, reject) => {
        this.#fs.fdatasync(this.#fd, (error) => (error ? reject(error) : resolve()))
      })
    } catch (cause) {
      throw this.#failFlush(cause)
    }
  }

  #failFlush(cause: unknown): EntiDBError {
    this.#flushFailure = toFileError(cause, this.name, 'flush', 'after-reopen')
    return this.#flushFailure
  }

  readonly #flushEnded = (): void => {
    this.#flushTimes.end()
  }

  #call<T>(operation: string, action: () => T): T {
    try {
      return action()
    } catch (cause) {
      throw toFileError(cause, this.name, operation)
    }
  }

  #assertOpen(): void {
    assertInvariant(this.#open, `file ${this.name} is used after it was closed`)
  }

  #assertWritable(operation: string): void {
    this.#assertOpen()
    this.#assertNotFailed(operation)
  }

  #assertNotFailed(operation: string): void {
    if (this.#flushFailure === undefined) return
    throw new EntiDBError(
      'io_failed',
      `Cannot ${operation} ${this.name}: an earlier flush failed`,
      {
        cause: this.#flushFailure,
        retry: 'after-reopen',
        details: { file: this.name, operation },
      },
    )
  }
}
