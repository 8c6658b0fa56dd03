/**
 * Room for the many short byte strings that a store keeps. An ArrayBuffer of its own for each would cost
 * more than the bytes: the collector tracks every one of them.
 *
 * A slab is kept alive by whatever of it is still in use, so slabs are small.
 */
const SLAB_BYTES = 16 * 1024
/** Longer byte strings get a buffer of their own. */
const SLICE_BYTES_MAX = 2 * 1024

let slab = new ArrayBuffer(SLAB_BYTES)
let used = 0

/** Zeroed bytes that nobody else uses. Their `buffer` is shared: copy before transferring it. */
export function allocateBytes(length: number): Uint8Array {
  if (length > SLICE_BYTES_MAX) return new Uint8Array(length)
  if (used + length > SLAB_BYTES) {
    slab = new ArrayBuffer(SLAB_BYTES)
    used = 0
  }
  const bytes = new Uint8Array(slab, used, length)
  used += length
  return bytes
}
