/**
 * The index of `packed-entries.ts`: for each entry one number, of 32 bits for the head of its key, 20 for its
 * offset, and a last one.
 *
 * An array of numbers, not a typed array: engines keep arrays of fractions as bare float64 in their own heap,
 * where copying one is five times as fast as making a typed array, and the collector sees how large they are.
 * The last bit is there so that no entry is an integer, and all such arrays are alike to the engine.
 *
 * The head is the integral part: entries compare like their heads, and with heads.
 */
export type EntryIndex = number[]

/** Offsets into more than this do not fit beside a head. */
export const NARROW_BYTES_MAX: number = 2 ** 20

const ENTRY_BYTES = 8
const ROOM_ENTRIES = 8
const BLANK: EntryIndex = []
for (let i = 0; i < 512; i++) BLANK.push(0.5)
const ROOM: EntryIndex = BLANK.slice(0, ROOM_ENTRIES)

export function indexEntry(offset: number, head: number): number {
  return head + (offset + 0.5) / NARROW_BYTES_MAX
}

/** The offset of what `indexEntry` made. */
export function offsetIn(entry: number): number {
  return ((entry - (entry >>> 0)) * NARROW_BYTES_MAX) | 0
}

/** An index for exactly `count` entries. */
export function indexOf(count: number): EntryIndex {
  let index = BLANK.slice(0, count)
  while (index.length < count) index = index.concat(BLANK.slice(0, count - index.length))
  return index
}

/** A copy of the first `count` entries, with room for `added` more, and some. */
export function grownIndex(index: EntryIndex, count: number, added = 0): EntryIndex {
  const entries = index.length === count ? index : index.slice(0, count)
  return entries.concat(added === 0 ? ROOM : indexOf(added + ROOM_ENTRIES))
}

/** What it takes in memory. */
export function indexBytes(index: EntryIndex): number {
  return index.length * ENTRY_BYTES
}
