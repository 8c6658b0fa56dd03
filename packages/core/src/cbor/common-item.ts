/** Passes over the items that entities are mostly made of, faster than `EntityValidator`, whose rules these are too. */

const UINT = 0
const NEGATIVE = 1
const TEXT = 3
const ARRAY = 4

/** Where the item at `start` ends; -1 for one that is of another kind, or not sound: nothing is said of it. */
export function commonEnd(bytes: Uint8Array, start: number, end: number): number {
  if (start >= end) return -1
  const initial = bytes[start] as number
  if (initial >>> 5 !== ARRAY) return scalarEnd(bytes, start, end)
  let left = initial & 0x1f
  // A longer one has its length behind its first byte.
  if (left >= 24) return -1
  let at = start + 1
  for (; left > 0 && at >= 0; left--) at = at < end ? scalarEnd(bytes, at, end) : -1
  return at
}

/** `start` is within bounds. */
function scalarEnd(bytes: Uint8Array, start: number, end: number): number {
  const initial = bytes[start] as number
  switch (initial >>> 5) {
    case UINT:
    case NEGATIVE:
      return integerEnd(bytes, start, end)
    case TEXT:
      return asciiEnd(bytes, start, end)
    default:
      // False, true, null.
      return initial >= 0xf4 && initial <= 0xf6 ? start + 1 : -1
  }
}

function integerEnd(bytes: Uint8Array, start: number, end: number): number {
  const info = (bytes[start] as number) & 0x1f
  if (info < 24) return start + 1
  if (info > 27) return -1
  const width = 1 << (info - 24)
  if (end - start <= width) return -1
  if (width === 1) return (bytes[start + 1] as number) < 24 ? -1 : start + 2
  // The shortest form has a bit in the upper half.
  for (let i = start + 1; i <= start + width / 2; i++) {
    if (bytes[i] !== 0) return start + 1 + width
  }
  return -1
}

function asciiEnd(bytes: Uint8Array, start: number, end: number): number {
  let length = (bytes[start] as number) & 0x1f
  let at = start + 1
  if (length >= 24) {
    if (length > 24 || at >= end) return -1
    length = bytes[at++] as number
    if (length < 24) return -1
  }
  const textEnd = at + length
  if (textEnd > end) return -1
  for (; at < textEnd; at++) if ((bytes[at] as number) >= 0x80) return -1
  return textEnd
}
