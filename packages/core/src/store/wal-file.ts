/**
 * One file of the write-ahead log as its writer sees it: frames go into space that was filled with
 * zeros and flushed ahead, because overwriting allocated space flushes faster than growing a file.
 *
 * Invariants: everything behind `tail` is zero. After a failed append the bytes of the frame are gone,
 * durably, or the file is failed.
 */
import { isEntiDBError } from '../errors/entidb-error.ts'
import type { File, MaybePromise } from '../files/file-system.ts'
import type { Checksum } from './checksum.ts'
import { encodeWalHeader, WAL_FRAMES_OFFSET, type WalHeader } from './wal-format.ts'

const FIRST_ALLOCATION_BYTES = 64 * 1024
const ZEROS = new Uint8Array(64 * 1024)

export class WalFile {
  readonly #file: File
  readonly #allocationBytesMax: number
  #salt: Uint8Array = new Uint8Array(0)
  #tail = WAL_FRAMES_OFFSET
  /** Up to here the file holds zeros or frames, flushed. Equal to its size, except while it grows. */
  #allocated: number
  #growing: Promise<void> | undefined
  /** No more space is allocated ahead once that failed for lack of it. */
  #growsAhead = true

  private constructor(file: File, allocationBytesMax: number) {
    this.#file = file
    this.#allocated = file.size()
    this.#allocationBytesMax = allocationBytesMax
  }

  /** Makes `file` an empty log whose first space is durable; its header is still to come. */
  static async create(file: File, allocationBytesMax: number): Promise<WalFile> {
    await file.truncate(0)
    const bytes = Math.max(Math.min(FIRST_ALLOCATION_BYTES, allocationBytesMax), WAL_FRAMES_OFFSET)
    await writeZeros(file, 0, bytes)
    await file.flush()
    return new WalFile(file, allocationBytesMax)
  }

  get name(): string {
    return this.#file.name
  }

  get salt(): Uint8Array {
    return this.#salt
  }

  /** Bytes of frames. */
  get frameBytes(): number {
    return this.#tail - WAL_FRAMES_OFFSET
  }

  get fileBytes(): number {
    return this.#file.size()
  }

  /** Durable when it resolves. Frames may follow. */
  async start(header: WalHeader, checksum: Checksum): Promise<void> {
    await this.#file.writeAt(0, encodeWalHeader(header, checksum))
    await this.#file.flush()
    this.#salt = header.salt
  }

  /** Appends `pieces`, `bytes` long in all. The tail moves only when all of it was written. */
  append(pieces: readonly Uint8Array[], bytes: number): MaybePromise<void> {
    const end = this.#tail + bytes
    if (end > this.#allocated && this.#growing !== undefined) {
      return this.#growing.then(() => this.append(pieces, bytes))
    }
    const only = pieces[0]
    if (pieces.length !== 1 || only === undefined) return this.#appendPieces(pieces, end)
    const written = this.#file.writeAt(this.#tail, only)
    if (written instanceof Promise) return written.then(() => this.#moveTail(end))
    this.#moveTail(end)
  }

  async #appendPieces(pieces: readonly Uint8Array[], end: number): Promise<void> {
    let offset = this.#tail
    for (const piece of pieces) {
      await this.#file.writeAt(offset, piece)
      offset += piece.length
    }
    this.#moveTail(end)
  }

  #moveTail(end: number): void {
    this.#tail = end
    this.#allocated = Math.max(this.#allocated, end)
  }

  /** Undoes an append that failed: nothing of its `bytes` is ever replayed. Durable when it resolves. */
  async discardFailedAppend(bytes: number): Promise<void> {
    await this.#growing
    if (this.#file.size() > this.#allocated) await this.#file.truncate(this.#allocated)
    const end = Math.min(this.#tail + bytes, this.#allocated)
    await writeZeros(this.#file, this.#tail, end)
    await this.#file.flush()
  }

  flush(): Promise<void> {
    return this.#file.flush()
  }

  /** As `flush`, before it returns; false, and nothing done, where that cannot be. */
  flushSync(): boolean {
    return this.#growing === undefined && this.#file.flushSync?.() === true
  }

  /**
   * Allocates more space when little is left. Rejects only when the file is failed; lack of space is
   * left to the append that meets it.
   */
  growAhead(): Promise<void> | undefined {
    const step = Math.min(this.#allocationBytesMax, this.#allocated)
    if (!this.#growsAhead || this.#growing !== undefined) return undefined
    if (this.#allocated - this.#tail > step / 2) return undefined
    this.#growing = this.#grow(step).finally(() => {
      this.#growing = undefined
    })
    return this.#growing
  }

  async #grow(step: number): Promise<void> {
    const from = this.#allocated
    try {
      await writeZeros(this.#file, from, from + step)
    } catch (error) {
      if (!isEntiDBError(error, 'disk_full')) throw error
      this.#growsAhead = false
      await this.#file.truncate(from)
      return
    }
    await this.#file.flush()
    this.#allocated = Math.max(this.#allocated, from + step)
  }

  async close(): Promise<void> {
    await this.#growing?.catch(() => {})
    await this.#file.close()
  }
}

async function writeZeros(file: File, from: number, to: number): Promise<void> {
  for (let offset = from; offset < to; offset += ZEROS.length) {
    await file.writeAt(offset, ZEROS.subarray(0, Math.min(ZEROS.length, to - offset)))
  }
}
