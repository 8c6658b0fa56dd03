/**
 * Reads what can be read of one log: every whole frame, also behind damage. Which of their commits can be used
 * is for the caller to say, by their LSNs.
 */
import { isEntiDBError } from '../errors/entidb-error.ts'
import type { File } from '../files/file-system.ts'
import { MalformedBytes } from './byte-reader.ts'
import type { Checksum } from './checksum.ts'
import { isUnreadable, readWhatCanBeRead, type SearchedFile } from './salvage-catalog.ts'
import {
  decodeFrameHeader,
  decodeWalHeader,
  FRAME_HEADER_BYTES,
  type FrameHeader,
  WAL_FRAMES_OFFSET,
  WAL_HEADER_BYTES,
  type WalHeader,
} from './wal-format.ts'
import { type Change, decodeChanges } from './wal-payload.ts'
import { examineTail } from './wal-reader.ts'

/** A log, and what its header says if it can be read. */
export interface DamagedLog {
  readonly file: File
  readonly generation: number
  readonly header: WalHeader | undefined
}

export async function openDamagedLog(
  file: File,
  generation: number,
  checksum: Checksum,
): Promise<DamagedLog> {
  return { file, generation, header: await headerOf(file, checksum) }
}

export interface SalvagedCommit {
  readonly lsn: number
  readonly changes: readonly Change[]
}

const SCAN_BYTES = 1024 * 1024
const TAIL = 'what follows the last frame is no frame: commits that were being written, or are lost'
const FRAME_MAGIC_FIRST = 0x45

/**
 * Commits in the order of the file. `onDamage` is told of the places that hold something else; also behind the
 * last frame, where a crash may have left it.
 */
export async function* salvageLog(
  { file: log, header }: DamagedLog,
  checksum: Checksum,
  onDamage: (offset: number, message: string) => void,
): AsyncGenerator<SalvagedCommit, void, undefined> {
  const file: SearchedFile = {
    size: () => log.size(),
    readAt: (offset, target) => readWhatCanBeRead(log, offset, target),
  }
  let salt = header?.salt
  if (salt === undefined && (await examineTail(file, 0, undefined, checksum)).frames > 0) {
    onDamage(0, 'the header of the log is bad')
  }
  let offset = WAL_FRAMES_OFFSET
  for (;;) {
    const frame =
      (await frameAt(file, offset, salt, checksum)) ??
      (await nextFrame(file, offset + 1, salt, checksum))
    if (frame === undefined) {
      const { end } = await examineTail(file, offset, salt, checksum)
      if (end > offset) onDamage(offset, TAIL)
      return
    }
    if (frame.offset !== offset) {
      const bytes = frame.offset - offset
      onDamage(offset, `${bytes} bytes are no frames of the log`)
    }
    // Without a header, the first frame says which ones belong to this log.
    salt ??= frame.salt
    offset = frame.offset + FRAME_HEADER_BYTES + frame.payload.length
    try {
      yield* commitsOf(frame)
    } catch (error) {
      if (!(error instanceof MalformedBytes)) throw error
      onDamage(frame.offset, `a frame cannot be decoded: ${error.message}`)
    }
  }
}

async function headerOf(file: File, checksum: Checksum): Promise<WalHeader | undefined> {
  const bytes = await readable(file, 0, WAL_HEADER_BYTES)
  try {
    return bytes === undefined ? undefined : decodeWalHeader(bytes, file.name, checksum)
  } catch (error) {
    // The data file is of this version: the number was damaged.
    if (isEntiDBError(error, 'format_too_new')) return undefined
    throw error
  }
}

interface WholeFrame {
  readonly offset: number
  readonly header: FrameHeader
  readonly salt: Uint8Array
  readonly payload: Uint8Array
}

async function frameAt(
  file: SearchedFile,
  offset: number,
  salt: Uint8Array | undefined,
  checksum: Checksum,
): Promise<WholeFrame | undefined> {
  const bytes = await readable(file, offset, FRAME_HEADER_BYTES)
  const header = bytes === undefined ? undefined : decodeFrameHeader(bytes, salt, checksum)
  if (bytes === undefined || header === undefined || header.commits === 0) return undefined
  const payload = await readable(file, offset + FRAME_HEADER_BYTES, header.payloadBytes)
  if (payload === undefined || checksum(payload) !== header.payloadChecksum) return undefined
  return { offset, header, salt: bytes.slice(8, 16), payload }
}

/** The first whole frame from `offset` on. */
async function nextFrame(
  file: SearchedFile,
  offset: number,
  salt: Uint8Array | undefined,
  checksum: Checksum,
): Promise<WholeFrame | undefined> {
  for (let start = offset; start < file.size(); start += SCAN_BYTES) {
    const length = Math.min(SCAN_BYTES + FRAME_HEADER_BYTES, file.size() - start)
    const seen = await readable(file, start, length)
    if (seen === undefined) continue
    for (
      let i = seen.indexOf(FRAME_MAGIC_FIRST);
      i >= 0 && i < SCAN_BYTES;
      i = seen.indexOf(FRAME_MAGIC_FIRST, i + 1)
    ) {
      if (decodeFrameHeader(seen.subarray(i), salt, checksum) === undefined) continue
      const frame = await frameAt(file, start + i, salt, checksum)
      if (frame !== undefined) return frame
    }
  }
  return undefined
}

/** Undefined when not all of it is there, or the disk cannot read it. */
async function readable(
  file: SearchedFile,
  offset: number,
  bytes: number,
): Promise<Uint8Array | undefined> {
  if (offset + bytes > file.size()) return undefined
  const target = new Uint8Array(bytes)
  try {
    return (await file.readAt(offset, target)) === bytes ? target : undefined
  } catch (error) {
    if (isUnreadable(error)) return undefined
    throw error
  }
}

/** Throws `MalformedBytes`. */
function* commitsOf({ header, payload }: WholeFrame): Generator<SalvagedCommit, void, undefined> {
  let changes: Change[] = []
  let lsn = header.lsn
  for (const change of decodeChanges(payload)) {
    if (change.kind !== 'commit') {
      changes.push(change)
      continue
    }
    yield { lsn: lsn++, changes }
    changes = []
  }
}
