/**
 * Finds the end of one well-formed item without building it. One loop and a stack of counters no
 * deeper than `depthMax`: hostile nesting costs neither call stack nor more than linear time.
 */
import { invalidCbor } from './invalid-cbor.ts'

/** Bytes of an item by its first one, where that says it: integers, floats, short strings, simple values. 0: it does not. */
const SIZES = Uint8Array.from({ length: 256 }, (_, initial) => {
  const major = initial >>> 5
  const info = initial & 0x1f
  if (major >= 4 && major <= 6) return 0
  if (info < 24) return major === 2 || major === 3 ? 1 + info : 1
  const isNumber = major <= 1 || (major === 7 && info > 24)
  return isNumber && info <= 27 ? 1 + (1 << (info - 24)) : 0
})

// Finding an end never waits, so one stack serves all. For each open level: the items to come behind it.
const pending: number[] = []

/** Returns the offset behind the item at `start`; anything ill-formed or indefinite is `invalid_cbor`. */
export function skipItem(bytes: Uint8Array, start: number, end: number, depthMax: number): number {
  let offset = start
  let depth = 0
  let left = 1
  for (;;) {
    if (offset >= end) throw invalidCbor(offset, 'truncated')
    const initial = bytes[offset] as number
    const size = SIZES[initial] as number
    left--
    if (size > 0 && size <= end - offset) offset += size
    else {
      const itemStart = offset
      const argument = readArgument(bytes, itemStart, end)
      const major = initial >>> 5
      offset += headBytesOf(initial)
      if (major === 2 || major === 3) {
        if (argument > end - offset) throw invalidCbor(itemStart, 'length_exceeds_input')
        offset += argument
      } else if (major >= 4 && major <= 6) {
        const items = major === 4 ? argument : major === 5 ? argument * 2 : 1
        if (items > end - offset) throw invalidCbor(itemStart, 'length_exceeds_input')
        if (depth >= depthMax) throw invalidCbor(itemStart, 'too_deep')
        pending[depth++] = left
        left = items
      }
    }
    while (left === 0) {
      if (depth === 0) return offset
      left = pending[--depth] as number
    }
  }
}

/** The argument of the head at `offset`; past 2^53 only its magnitude is right, which is enough here. */
function readArgument(bytes: Uint8Array, offset: number, end: number): number {
  if (offset >= end) throw invalidCbor(offset, 'truncated')
  const initial = bytes[offset] as number
  const info = initial & 0x1f
  if (info < 24) return info
  if (info === 31 && initial !== 0x1f && initial !== 0x3f && initial !== 0xdf) {
    throw invalidCbor(offset, 'indefinite_length')
  }
  if (info > 27) throw invalidCbor(offset, 'reserved_encoding')
  const width = 1 << (info - 24)
  if (end - offset <= width) throw invalidCbor(offset, 'truncated')
  let value = 0
  for (let i = offset + 1; i <= offset + width; i++) value = value * 256 + (bytes[i] as number)
  if (initial === 0xf8 && value < 32) throw invalidCbor(offset, 'reserved_encoding')
  return value
}

function headBytesOf(initial: number): number {
  const info = initial & 0x1f
  return info < 24 ? 1 : 1 + (1 << (info - 24))
}
