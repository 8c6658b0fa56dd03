/** `docs/format.md`, "Superblocks". */
import { checksumOf, FormatProblem, fixedFields, isEqual } from './fields.test-kit.ts'

export const DATA = 'data.entidb'

const MAGIC = Uint8Array.of(0x45, 0x44, 0x42, 0x44, 0x41, 0x54, 0x41, 0x0a)
const SLOTS = [0, 4096]

/** The first unit of an extent, and its bytes with the header. */
export interface Reference {
  readonly unit: number
  readonly bytes: number
}

export interface Superblock {
  readonly storeId: Uint8Array
  readonly sequence: number
  readonly isSealed: boolean
  readonly checkpointLsn: number
  readonly requiredLsn: number
  readonly walGeneration: number
  readonly endUnit: number
  readonly catalog: Reference | undefined
  readonly freeList: Reference | undefined
}

/** The superblock that counts. */
export function readSuperblock(data: Uint8Array): Superblock {
  const slots = SLOTS.map((offset) => data.subarray(offset, offset + 512)).filter(
    (slot) => slot.length === 512 && isEqual(slot.subarray(0, 8), MAGIC),
  )
  if (slots.length === 0) throw new FormatProblem('not_a_database', DATA, 0, 'no magic')
  for (const slot of slots) refuseNewer(fixedFields(slot).u32(8), DATA)
  const found = slots
    .filter((slot) => checksumOf(slot.subarray(0, 508)) === fixedFields(slot).u32(508))
    .map(decode)
    .sort((a, b) => b.sequence - a.sequence)[0]
  if (found === undefined) throw new FormatProblem('corrupt', DATA, 0, 'no superblock holds')
  return found
}

/** Of a superblock with the right magic, before any checksum is looked at; of a log under a right one. */
export function refuseNewer(version: number, file: string): void {
  if (version > 1 && version <= 65535) {
    throw new FormatProblem('format_too_new', file, 8, `version ${version}`)
  }
}

function decode(slot: Uint8Array): Superblock {
  const { u32, u64 } = fixedFields(slot)
  if (u32(60) !== 512) throw new FormatProblem('corrupt', DATA, 60, 'another unit size')
  return {
    storeId: slot.subarray(16, 32),
    sequence: u64(32),
    isSealed: u32(12) % 2 === 1,
    checkpointLsn: u64(40),
    requiredLsn: u64(48),
    walGeneration: u32(56),
    endUnit: u32(64),
    catalog: reference(u32(68), u32(72)),
    freeList: reference(u32(76), u32(80)),
  }
}

function reference(unit: number, bytes: number): Reference | undefined {
  return unit === 0 && bytes === 0 ? undefined : { unit, bytes }
}
