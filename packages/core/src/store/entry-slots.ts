/**
 * The numbers in the index of `packed-entries.ts`: for each entry the *head* of its key and its offset in one,
 * so that slots compare as heads do.
 *
 * A slot is `MARK + head * HEAD_UNIT + offset`. It is never a small integer, so that an index is an array of
 * doubles to the JavaScript engine: copied for every commit, that costs a fifth of a typed array, whose
 * memory is allocated and collected one by one outside of the heap.
 */
const MARK = 2 ** 52
/** Slots of the next head are so much larger; no offset is. */
export const HEAD_UNIT: number = 2 ** 28
const OFFSET_MASK = HEAD_UNIT - 1
const HEAD_BYTES = 3
export const SLOT_MEMORY_BYTES = 8

export function slotOf(head: number, offset: number): number {
  return MARK + head * HEAD_UNIT + offset
}

/** Also of an offset alone. */
export function offsetOf(slot: number): number {
  return slot & OFFSET_MASK
}

/** A copy with one more; as `toSpliced`, which is no faster than `splice`. */
export function withInserted(index: readonly number[], position: number, slot: number): number[] {
  const { length } = index
  if (position === length) {
    // Stays an array without holes to the engine, as those of all nodes that are filled in order.
    const longer = index.slice()
    longer.push(slot)
    return longer
  }
  const grown = new Array<number>(length + 1)
  // In range.
  for (let i = 0; i < position; i++) grown[i] = index[i] as number
  grown[position] = slot
  for (let i = position; i < length; i++) grown[i + 1] = index[i] as number
  return grown
}

/** The bytes from `start` on, big-endian; a missing one counts as zero. */
export function headAfter(key: Uint8Array, start: number): number {
  return headBetween(key, start, key.length)
}

export function headBetween(bytes: Uint8Array, start: number, end: number): number {
  if (end - start >= HEAD_BYTES) {
    const high = ((bytes[start] as number) << 8) | (bytes[start + 1] as number)
    return (high << 8) | (bytes[start + 2] as number)
  }
  let head = 0
  for (let i = start; i < start + HEAD_BYTES; i++) {
    head = (head << 8) | (i < end ? (bytes[i] as number) : 0)
  }
  return head
}
