/**
 * Binary search in the keys of one node.
 *
 * A node keeps the head of every key, its first six bytes as a number, beside the keys: the numbers
 * lie together in memory, so most of a search touches a few cache lines instead of one object per
 * comparison (`docs/decisions/0002-store-nodes.md`). Only equal heads need the keys themselves.
 */

export interface SearchedKeys {
  readonly keys: readonly Uint8Array[]
  /** `headOf` each key. */
  readonly heads: readonly number[]
}

/** The first six bytes, big-endian, a missing one counting as zero. Never orders two keys wrongly. */
export function headOf(key: Uint8Array): number {
  if (key.length >= 6) {
    const high = (byteAt(key, 0) << 16) | (byteAt(key, 1) << 8) | byteAt(key, 2)
    const low = (byteAt(key, 3) << 16) | (byteAt(key, 4) << 8) | byteAt(key, 5)
    return high * 0x1000000 + low
  }
  let head = 0
  for (let i = 0; i < 6; i++) head = head * 256 + (i < key.length ? byteAt(key, i) : 0)
  return head
}

/** Index of the first key that is not below `key`: where it is, or where it would go in. */
export function lowerBound({ keys, heads }: SearchedKeys, key: Uint8Array): number {
  const head = headOf(key)
  let low = 0
  let high = heads.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const other = heads[middle] as number
    if (other < head || (other === head && compare(keys, middle, key) < 0)) low = middle + 1
    else high = middle
  }
  return low
}

/** Index of the first key above `key`. In a branch: the child that `key` belongs under. */
export function upperBound({ keys, heads }: SearchedKeys, key: Uint8Array): number {
  const head = headOf(key)
  let low = 0
  let high = heads.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const other = heads[middle] as number
    if (other < head || (other === head && compare(keys, middle, key) <= 0)) low = middle + 1
    else high = middle
  }
  return low
}

/** Whether the key at `index`, as `lowerBound` found it, is `key` itself. */
export function isAt({ keys }: SearchedKeys, index: number, key: Uint8Array): boolean {
  return index < keys.length && compare(keys, index, key) === 0
}

/** Compares `keys[index]`, which must exist, with `key`. Written out: it decides the speed of reads. */
function compare(keys: readonly Uint8Array[], index: number, key: Uint8Array): number {
  const other = keys[index] as Uint8Array
  const length = other.length < key.length ? other.length : key.length
  for (let i = 0; i < length; i++) {
    const difference = byteAt(other, i) - byteAt(key, i)
    if (difference !== 0) return difference
  }
  return other.length - key.length
}

/** In range by the caller's loop. */
function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] as number
}

/** The shortest byte string above `low` and not above `high`; `low` must be below `high`. */
export function separatorBetween(low: Uint8Array, high: Uint8Array): Uint8Array {
  let shared = 0
  while (shared < low.length && low[shared] === high[shared]) shared++
  return high.slice(0, shared + 1)
}
