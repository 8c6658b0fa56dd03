/** The header every extent begins with. Specified in `docs/format.md`, "Extents". */
import type { Checksum } from './checksum.ts'
import type { Extent } from './extent.ts'
import { viewOf } from './format.ts'

export const EXTENT_HEADER_BYTES = 24

export const extentKinds = { leaf: 1, branch: 2, value: 3, catalog: 4, freeList: 5 } as const

export type ExtentKind = (typeof extentKinds)[keyof typeof extentKinds]

/** The part of the header that its payload does not determine. */
export interface ExtentHeader {
  readonly kind: ExtentKind
  readonly start: number
  readonly count: number
  readonly storeId: Uint8Array
}

/** Fills in the first `EXTENT_HEADER_BYTES` of `head`, for a payload of which `payloadChecksum` is known. */
export function sealExtent(
  head: Uint8Array,
  header: ExtentHeader,
  payloadBytes: number,
  payloadChecksum: number,
  checksum: Checksum,
): void {
  const view = viewOf(head)
  view.setUint32(0, header.kind, true)
  view.setUint32(4, payloadBytes, true)
  view.setUint32(8, header.start, true)
  // Enough of the store's id to tell an extent of another file.
  head.set(header.storeId.subarray(0, 4), 12)
  view.setUint32(16, header.count, true)
  // The checksum goes over the payload first, so that large payloads are checksummed as they come.
  view.setUint32(20, checksum(head.subarray(0, 20), payloadChecksum), true)
}

/** What an extent that passed its checks holds. */
export interface OpenedExtent {
  readonly kind: ExtentKind
  /** Of items. */
  readonly count: number
  /** A view. */
  readonly payload: Uint8Array
}

/** Undefined unless `bytes` is the whole, undamaged extent. */
export function openExtent(
  bytes: Uint8Array,
  extent: Extent,
  kinds: readonly ExtentKind[],
  storeId: Uint8Array,
  checksum: Checksum,
): OpenedExtent | undefined {
  // A view of its own for a few numbers would be a good part of the work.
  const found = uint32At(bytes, 0)
  const kind = kinds.find((candidate) => candidate === found)
  if (kind === undefined || uint32At(bytes, 8) !== extent.start) return undefined
  if (uint32At(bytes, 4) !== extent.bytes - EXTENT_HEADER_BYTES) return undefined
  for (let i = 0; i < 4; i++) if (bytes[12 + i] !== storeId[i]) return undefined
  const payload = bytes.subarray(EXTENT_HEADER_BYTES)
  const payloadChecksum = checksum(payload)
  if (checksum(bytes.subarray(0, 20), payloadChecksum) !== uint32At(bytes, 20)) {
    return undefined
  }
  return { kind, count: uint32At(bytes, 16), payload }
}

/** Little-endian, within bounds. */
function uint32At(bytes: Uint8Array, offset: number): number {
  const low = (bytes[offset] as number) | ((bytes[offset + 1] as number) << 8)
  const high = (bytes[offset + 2] as number) | ((bytes[offset + 3] as number) << 8)
  return ((high << 16) | low) >>> 0
}
