/** The free list as it lies in the file. Specified in `docs/format.md`, "Free list". */
import { EXTENT_HEADER_BYTES } from './extent-codec.ts'
import { viewOf } from './format.ts'
import type { SpaceMap } from './space.ts'

export type Run = readonly [start: number, size: number]

const RUN_BYTES = 8

/** Size of an extent that holds `runs` runs. */
export function freeListBytes(runs: number): number {
  return EXTENT_HEADER_BYTES + runs * RUN_BYTES
}

/** An extent of `bytes` bytes, with room for its header; what the runs do not need stays zero. */
export function encodeFreeList(space: SpaceMap, bytes: number): Uint8Array {
  const encoded = new Uint8Array(bytes)
  const view = viewOf(encoded)
  let offset = EXTENT_HEADER_BYTES
  space.forEachRun((start, size) => {
    view.setUint32(offset, start, true)
    view.setUint32(offset + 4, size, true)
    offset += RUN_BYTES
  })
  return encoded
}

export function decodeFreeList(payload: Uint8Array, count: number): Run[] {
  const view = viewOf(payload)
  const runs: Run[] = []
  for (let i = 0; i < count; i++) {
    runs.push([view.getUint32(i * RUN_BYTES, true), view.getUint32(i * RUN_BYTES + 4, true)])
  }
  return runs
}
