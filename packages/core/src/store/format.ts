/** Names and numbers of the on-disk format, specified in `docs/format.md`. */
import { EntiDBError } from '../errors/entidb-error.ts'

/** A higher version on disk is `format_too_new`. */
export const FORMAT_VERSION = 1

export const DATA_FILE = 'data.entidb'
/** A new data file is prepared under this name, so that `DATA_FILE` is never half made. */
export const NEW_DATA_FILE = 'data.entidb.new'

/**
 * Looked at before any checksum: a later format may compute it differently. Versions are small
 * numbers; a huge one is damage. Error: `format_too_new`.
 */
export function assertVersion(version: number, file: string): void {
  if (version <= FORMAT_VERSION || version > 0xffff) return
  throw new EntiDBError(
    'format_too_new',
    `${file} has format version ${version}; this release reads up to ${FORMAT_VERSION}. Update EntiDB.`,
    { details: { file, version, versionMax: FORMAT_VERSION } },
  )
}

const WAL_FILE_PATTERN = /^wal-(\d{10})\.entidb$/

export function walFileName(generation: number): string {
  return `wal-${String(generation).padStart(10, '0')}.entidb`
}

/** The generation in the name of a WAL file, undefined for other files. */
export function walGenerationOf(name: string): number | undefined {
  const digits = WAL_FILE_PATTERN.exec(name)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

export const STORE_ID_BYTES = 16

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** An unsigned 64-bit field, little-endian; the value is a safe integer. */
export function setUint64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value >>> 0, true)
  view.setUint32(offset + 4, Math.floor(value / 2 ** 32), true)
}

export function getUint64(view: DataView, offset: number): number {
  return view.getUint32(offset, true) + view.getUint32(offset + 4, true) * 2 ** 32
}
