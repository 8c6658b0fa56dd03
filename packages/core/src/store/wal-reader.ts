/**
 * Reads the frames of one WAL file in order and judges its tail. Specified in `docs/format.md`,
 * "Recovery".
 *
 * A frame that was known to be flushed must be there: when one is bad and a later one says that the
 * LSNs before it had been flushed, the file is `corrupt`. Otherwise nobody was promised what follows,
 * and the tail is cut.
 */
import type { EntiDBError } from '../errors/entidb-error.ts'
import type { File } from '../files/file-system.ts'
import type { Checksum } from './checksum.ts'
import { corrupt } from './store-errors.ts'
import {
  decodeFrameHeader,
  FRAME_HEADER_BYTES,
  type FrameHeader,
  WAL_FRAMES_OFFSET,
  type WalHeader,
} from './wal-format.ts'

export interface Frame {
  readonly offset: number
  readonly header: FrameHeader
  readonly payload: Uint8Array
}

export interface TailCut {
  readonly offset: number
  readonly bytes: number
}

const SCAN_BYTES = 1024 * 1024

export class WalReader {
  readonly #file: File
  readonly #header: WalHeader
  readonly #checksum: Checksum
  #offset = WAL_FRAMES_OFFSET
  #lastLsn: number
  #tailCut: TailCut | undefined

  constructor(file: File, header: WalHeader, checksum: Checksum) {
    this.#file = file
    this.#header = header
    this.#checksum = checksum
    this.#lastLsn = header.firstLsn - 1
  }

  get lastLsn(): number {
    return this.#lastLsn
  }

  /** Where the last good frame ends. */
  get offset(): number {
    return this.#offset
  }

  /** Known after `next` answered undefined: whether something unreadable stood behind the last frame. */
  get tailCut(): TailCut | undefined {
    return this.#tailCut
  }

  /** The next frame; undefined at the end. Error: `corrupt`. */
  async next(): Promise<Frame | undefined> {
    const offset = this.#offset
    const bytes = new Uint8Array(FRAME_HEADER_BYTES)
    await this.#file.readAt(offset, bytes)
    const header = decodeFrameHeader(bytes, this.#header.salt, this.#checksum)
    const payloadOffset = offset + FRAME_HEADER_BYTES
    if (header === undefined || payloadOffset + header.payloadBytes > this.#file.size()) {
      return this.#endAtTail()
    }
    const payload = new Uint8Array(header.payloadBytes)
    await this.#file.readAt(payloadOffset, payload)
    if (this.#checksum(payload) !== header.payloadChecksum) return this.#endAtTail()
    if (header.lsn !== this.#lastLsn + 1 || header.commits === 0) {
      throw this.#corrupt(`frame of LSN ${header.lsn} where ${this.#lastLsn + 1} is due`)
    }
    this.#offset = payloadOffset + header.payloadBytes
    this.#lastLsn += header.commits
    return { offset, header, payload }
  }

  async #endAtTail(): Promise<undefined> {
    const due = this.#lastLsn + 1
    const tail = await examineTail(this.#file, this.#offset, this.#header.salt, this.#checksum)
    if (tail.flushedLsn >= due) throw this.#corrupt(`the flushed frame of LSN ${due} is bad`)
    if (tail.end > this.#offset) {
      this.#tailCut = { offset: this.#offset, bytes: tail.end - this.#offset }
    }
    return undefined
  }

  #corrupt(what: string): EntiDBError {
    return corrupt(this.#file.name, this.#offset, what)
  }
}

interface Tail {
  /** Behind the last byte that is not zero; where the tail begins when all are. */
  readonly end: number
  /** The highest LSN that a frame header in the tail calls flushed, 0 without one. */
  readonly flushedLsn: number
  /** Frame headers seen. */
  readonly frames: number
}

/**
 * Looks at everything from `offset` on, in bounded memory. Without `salt`, frame headers of any
 * generation count.
 */
export async function examineTail(
  file: Pick<File, 'size' | 'readAt'>,
  offset: number,
  salt: Uint8Array | undefined,
  checksum: Checksum,
): Promise<Tail> {
  // Buffers overlap by what is needed to see a header that begins in one and ends in the next.
  const bytes = Math.max(0, file.size() - offset)
  const buffer = new Uint8Array(Math.min(bytes, SCAN_BYTES + FRAME_HEADER_BYTES))
  let end = offset
  let flushedLsn = 0
  let frames = 0
  for (let start = offset; start < file.size(); start += SCAN_BYTES) {
    const length = await file.readAt(start, buffer)
    const seen = buffer.subarray(0, length)
    const used = usedLength(seen)
    if (used === 0) continue
    end = Math.max(end, start + used)
    for (let i = seen.indexOf(0x45); i >= 0 && i < SCAN_BYTES; i = seen.indexOf(0x45, i + 1)) {
      const header = decodeFrameHeader(seen.subarray(i), salt, checksum)
      if (header === undefined) continue
      flushedLsn = Math.max(flushedLsn, header.flushedLsn)
      frames++
    }
  }
  return { end, flushedLsn, frames }
}

/** Length without the zeros at the end. */
function usedLength(bytes: Uint8Array): number {
  let length = bytes.length
  while (length > 0 && bytes[length - 1] === 0) length--
  return length
}
