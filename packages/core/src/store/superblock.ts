/**
 * The two superblocks at the start of the data file: each names a complete tree and the log that
 * leads on from it. Specified in `docs/format.md`, "Superblocks".
 *
 * Superblock number n goes to slot n mod 2, so that writing one never touches the one before it.
 */
import { EntiDBError } from '../errors/entidb-error.ts'
import type { File } from '../files/file-system.ts'
import { bytesEqual } from './bytes.ts'
import type { Checksum } from './checksum.ts'
import { type Extent, UNIT_BYTES } from './extent.ts'
import {
  assertVersion,
  DATA_FILE,
  FORMAT_VERSION,
  getUint64,
  STORE_ID_BYTES,
  setUint64,
  viewOf,
} from './format.ts'
import { corrupt } from './store-errors.ts'

/** "EDBDATA", LF. */
const DATA_MAGIC = Uint8Array.of(0x45, 0x44, 0x42, 0x44, 0x41, 0x54, 0x41, 0x0a)
const SUPERBLOCK_BYTES = 512
const SLOT_BYTES = 4096
const CHECKSUM_OFFSET = SUPERBLOCK_BYTES - 4
const FLAG_SEALED = 1

/** Extents begin behind the two slots. */
export const FIRST_UNIT: number = (2 * SLOT_BYTES) / UNIT_BYTES

export interface Superblock {
  readonly storeId: Uint8Array
  /** Counts superblocks; the higher one counts. */
  readonly sequence: number
  /**
   * The tree is complete by itself: no log need exist. Otherwise the log of `walGeneration` must,
   * and it begins after `checkpointLsn`.
   */
  readonly sealed: boolean
  /** The last commit that the tree contains. */
  readonly checkpointLsn: number
  /** The last commit that the log must lead to. */
  readonly requiredLsn: number
  readonly walGeneration: number
  /** The data file is used up to this unit. */
  readonly endUnit: number
  readonly catalog: Extent | undefined
  readonly freeList: Extent | undefined
}

export function encodeSuperblock(superblock: Superblock, checksum: Checksum): Uint8Array {
  const bytes = new Uint8Array(SUPERBLOCK_BYTES)
  const view = viewOf(bytes)
  bytes.set(DATA_MAGIC, 0)
  view.setUint32(8, FORMAT_VERSION, true)
  view.setUint32(12, superblock.sealed ? FLAG_SEALED : 0, true)
  bytes.set(superblock.storeId, 16)
  setUint64(view, 32, superblock.sequence)
  setUint64(view, 40, superblock.checkpointLsn)
  setUint64(view, 48, superblock.requiredLsn)
  view.setUint32(56, superblock.walGeneration, true)
  view.setUint32(60, UNIT_BYTES, true)
  view.setUint32(64, superblock.endUnit, true)
  view.setUint32(68, superblock.catalog?.start ?? 0, true)
  view.setUint32(72, superblock.catalog?.bytes ?? 0, true)
  view.setUint32(76, superblock.freeList?.start ?? 0, true)
  view.setUint32(80, superblock.freeList?.bytes ?? 0, true)
  view.setUint32(CHECKSUM_OFFSET, checksum(bytes.subarray(0, CHECKSUM_OFFSET)), true)
  return bytes
}

/** The first units of a data file: the same superblock in both slots, with following sequences. */
export function encodeHead(superblock: Superblock, checksum: Checksum): Uint8Array {
  const head = new Uint8Array(2 * SLOT_BYTES)
  for (const sequence of [superblock.sequence, superblock.sequence + 1]) {
    const bytes = encodeSuperblock({ ...superblock, sequence }, checksum)
    head.set(bytes, (sequence % 2) * SLOT_BYTES)
  }
  return head
}

function decodeSuperblock(bytes: Uint8Array, checksum: Checksum): Superblock | undefined {
  if (!hasMagic(bytes)) return undefined
  const view = viewOf(bytes)
  const expected = view.getUint32(CHECKSUM_OFFSET, true)
  if (checksum(bytes.subarray(0, CHECKSUM_OFFSET)) !== expected) return undefined
  const extentAt = (offset: number): Extent | undefined => {
    const extentBytes = view.getUint32(offset + 4, true)
    if (extentBytes === 0) return undefined
    return { start: view.getUint32(offset, true), bytes: extentBytes }
  }
  return {
    storeId: bytes.slice(16, 16 + STORE_ID_BYTES),
    sequence: getUint64(view, 32),
    sealed: (view.getUint32(12, true) & FLAG_SEALED) !== 0,
    checkpointLsn: getUint64(view, 40),
    requiredLsn: getUint64(view, 48),
    walGeneration: view.getUint32(56, true),
    endUnit: view.getUint32(64, true),
    catalog: extentAt(68),
    freeList: extentAt(76),
  }
}

function hasMagic(bytes: Uint8Array): boolean {
  return bytesEqual(bytes.subarray(0, DATA_MAGIC.length), DATA_MAGIC)
}

/** Durable when it resolves. */
export async function writeSuperblock(
  file: File,
  superblock: Superblock,
  checksum: Checksum,
): Promise<void> {
  const offset = (superblock.sequence % 2) * SLOT_BYTES
  await file.writeAt(offset, encodeSuperblock(superblock, checksum))
  await file.flush()
}

export interface CountingSuperblock {
  readonly superblock: Superblock
  /**
   * It has the number after the one in the other slot and says the same. Who wrote it had flushed that one
   * first: so what both say is durable, even if this one was never flushed.
   */
  readonly isRepeated: boolean
}

/** The superblock that counts. Errors: `not_a_database`, `format_too_new`, `corrupt`. */
export async function readSuperblock(file: File, checksum: Checksum): Promise<CountingSuperblock> {
  const [superblock, other] = await readSuperblocks(file, checksum)
  if (superblock !== undefined) {
    return { superblock, isRepeated: other !== undefined && repeats(superblock, other) }
  }
  const slots = [await readSlot(file, 0), await readSlot(file, SLOT_BYTES)]
  if (slots.some(hasMagic)) {
    const way = 'copy what can be read to a new place with: entidb salvage DIR TARGET'
    throw corrupt(DATA_FILE, 0, `no superblock passes its checksum; ${way}`)
  }
  throw notADatabase()
}

function repeats(superblock: Superblock, other: Superblock): boolean {
  return (
    superblock.sequence === other.sequence + 1 &&
    bytesEqual(superblock.storeId, other.storeId) &&
    superblock.sealed === other.sealed &&
    superblock.checkpointLsn === other.checkpointLsn &&
    superblock.requiredLsn === other.requiredLsn &&
    superblock.walGeneration === other.walGeneration &&
    superblock.endUnit === other.endUnit &&
    isSameExtent(superblock.catalog, other.catalog) &&
    isSameExtent(superblock.freeList, other.freeList)
  )
}

function isSameExtent(a: Extent | undefined, b: Extent | undefined): boolean {
  return a?.start === b?.start && a?.bytes === b?.bytes
}

export function notADatabase(): EntiDBError {
  return new EntiDBError(
    'not_a_database',
    `${DATA_FILE} is not an EntiDB data file. If it was one, entidb salvage may still read it.`,
    { details: { file: DATA_FILE } },
  )
}

/** Those that can be read, the one that counts first. Error: `format_too_new`. */
export async function readSuperblocks(
  file: File,
  checksum: Checksum,
): Promise<readonly Superblock[]> {
  const slots = [await readSlot(file, 0), await readSlot(file, SLOT_BYTES)]
  for (const slot of slots) {
    if (hasMagic(slot)) assertVersion(viewOf(slot).getUint32(8, true), DATA_FILE)
  }
  return slots
    .map((slot) => decodeSuperblock(slot, checksum))
    .filter((superblock) => superblock !== undefined)
    .sort((a, b) => b.sequence - a.sequence)
}

async function readSlot(file: File, offset: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(SUPERBLOCK_BYTES)
  await file.readAt(offset, bytes)
  return bytes
}
