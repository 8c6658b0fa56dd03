/** Header of a WAL file and header of a frame. Specified in `docs/format.md`, "Write-ahead log". */
import { bytesEqual } from './bytes.ts'
import type { Checksum } from './checksum.ts'
import {
  assertVersion,
  FORMAT_VERSION,
  getUint64,
  STORE_ID_BYTES,
  setUint64,
  viewOf,
} from './format.ts'

/** "EDBWAL", CR, LF. */
const WAL_MAGIC = Uint8Array.of(0x45, 0x44, 0x42, 0x57, 0x41, 0x4c, 0x0d, 0x0a)
export const WAL_HEADER_BYTES = 64
/** The header has a sector to itself. */
export const WAL_FRAMES_OFFSET = 512

export const SALT_BYTES = 8

/** "EDBF", read as a little-endian number. */
export const FRAME_MAGIC = 0x46424445
export const FRAME_HEADER_BYTES = 44

export interface WalHeader {
  readonly generation: number
  readonly storeId: Uint8Array
  /** Random, new for each generation; every frame repeats it. */
  readonly salt: Uint8Array
  /** LSN of the first commit in this file. */
  readonly firstLsn: number
}

export function encodeWalHeader(header: WalHeader, checksum: Checksum): Uint8Array {
  const bytes = new Uint8Array(WAL_HEADER_BYTES)
  const view = viewOf(bytes)
  bytes.set(WAL_MAGIC, 0)
  view.setUint32(8, FORMAT_VERSION, true)
  view.setUint32(12, header.generation, true)
  bytes.set(header.storeId, 16)
  bytes.set(header.salt, 32)
  setUint64(view, 40, header.firstLsn)
  view.setUint32(60, checksum(bytes.subarray(0, 60)), true)
  return bytes
}

/**
 * Undefined when the bytes are not a whole header. What a torn write left can look like any version: only
 * under a right checksum it counts, and a later format with another one is known by its superblocks. Error:
 * `format_too_new`.
 */
export function decodeWalHeader(
  bytes: Uint8Array,
  file: string,
  checksum: Checksum,
): WalHeader | undefined {
  if (bytes.length < WAL_HEADER_BYTES || !bytesEqual(bytes.subarray(0, 8), WAL_MAGIC)) {
    return undefined
  }
  const view = viewOf(bytes)
  if (view.getUint32(60, true) !== checksum(bytes.subarray(0, 60))) return undefined
  assertVersion(view.getUint32(8, true), file)
  return {
    generation: view.getUint32(12, true),
    storeId: bytes.slice(16, 16 + STORE_ID_BYTES),
    salt: bytes.slice(32, 32 + SALT_BYTES),
    firstLsn: getUint64(view, 40),
  }
}

export interface FrameHeader {
  readonly payloadBytes: number
  /** LSN of the first commit in the frame; the others follow it. */
  readonly lsn: number
  readonly commits: number
  /** The last LSN that was known to be flushed when this frame was written. */
  readonly flushedLsn: number
  readonly payloadChecksum: number
}

/** Writes the header at the start of `target`. */
export function encodeFrameHeader(
  target: Uint8Array,
  header: FrameHeader,
  salt: Uint8Array,
  checksum: Checksum,
): void {
  const view = viewOf(target)
  view.setUint32(0, FRAME_MAGIC, true)
  view.setUint32(4, header.payloadBytes, true)
  target.set(salt, 8)
  setUint64(view, 16, header.lsn)
  setUint64(view, 24, header.flushedLsn)
  view.setUint32(32, header.commits, true)
  view.setUint32(36, header.payloadChecksum, true)
  view.setUint32(40, checksum(target.subarray(0, 40)), true)
}

/**
 * Undefined when `bytes` does not start with a whole frame header; with `salt`, with one of that
 * generation.
 */
export function decodeFrameHeader(
  bytes: Uint8Array,
  salt: Uint8Array | undefined,
  checksum: Checksum,
): FrameHeader | undefined {
  if (bytes.length < FRAME_HEADER_BYTES) return undefined
  const view = viewOf(bytes)
  if (view.getUint32(0, true) !== FRAME_MAGIC) return undefined
  if (salt !== undefined && !bytesEqual(bytes.subarray(8, 8 + SALT_BYTES), salt)) return undefined
  if (view.getUint32(40, true) !== checksum(bytes.subarray(0, 40))) return undefined
  return {
    payloadBytes: view.getUint32(4, true),
    lsn: getUint64(view, 16),
    flushedLsn: getUint64(view, 24),
    commits: view.getUint32(32, true),
    payloadChecksum: view.getUint32(36, true),
  }
}
