/**
 * The items that entities mostly consist of, passed without a call for each part: short ASCII text, integers,
 * false, true and null, and short arrays of those. Whoever checks an entity looks closer at all others.
 */

const NOT_PLAIN = -1

/** Where the plain item at `at` ends; negative: it is not plain, or not sound. */
export function plainItemEnd(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) return NOT_PLAIN
  const initial = bytes[at] as number
  if (initial < 0x80 || initial > 0x97) return scalarEnd(bytes, at, end)
  let next = at + 1
  for (let left = initial & 0x1f; left > 0 && next >= 0; left--) next = scalarEnd(bytes, next, end)
  return next
}

function scalarEnd(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) return NOT_PLAIN
  const initial = bytes[at] as number
  if (initial >= 0x60 && initial <= 0x78) return asciiEnd(bytes, at, end)
  if (initial < 0x40) return integerEnd(bytes, at, end)
  return initial >= 0xf4 && initial <= 0xf6 ? at + 1 : NOT_PLAIN
}

/** Of text whose head has two bytes at most. */
function asciiEnd(bytes: Uint8Array, at: number, end: number): number {
  let start = at + 1
  let length = (bytes[at] as number) & 0x1f
  if (length === 24) {
    length = start < end ? (bytes[start++] as number) : 0
    if (length < 24) return NOT_PLAIN
  }
  const textEnd = start + length
  if (textEnd > end) return NOT_PLAIN
  for (let i = start; i < textEnd; i++) if ((bytes[i] as number) > 0x7f) return NOT_PLAIN
  return textEnd
}

function integerEnd(bytes: Uint8Array, at: number, end: number): number {
  const info = (bytes[at] as number) & 0x1f
  if (info < 24) return at + 1
  if (info > 27) return NOT_PLAIN
  const width = 1 << (info - 24)
  const itemEnd = at + 1 + width
  if (itemEnd > end) return NOT_PLAIN
  if (width === 1) return (bytes[at + 1] as number) < 24 ? NOT_PLAIN : itemEnd
  // One that half the width could say is not in its shortest form.
  for (let i = at + 1; i <= at + width / 2; i++) if (bytes[i] !== 0) return itemEnd
  return NOT_PLAIN
}
