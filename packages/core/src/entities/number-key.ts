/**
 * Numbers and bigints as bytes that sort by value, in one order: the nearest float64 at or below the
 * value, then what the value has beyond it. Equal values give equal bytes: -0 and 0, 1 and 1n.
 *
 * | bytes | meaning                                                                                 |
 * | ----- | --------------------------------------------------------------------------------------- |
 * | 8     | float64, big-endian, sign bit flipped for positive, all bits for negative; NaN all zeros |
 * | 1     | 0: exactly that float. 1: a remainder follows                                           |
 * | 4     | length of the remainder                                                                 |
 * | n     | the remainder, big-endian. Below -Infinity's successor: length and bytes inverted        |
 */
import { bigIntBytesOf } from '../cbor/big-integer.ts'

const scratch = new DataView(new ArrayBuffer(8))

export const EXACT = 0
export const WITH_REMAINDER = 1

/** Writes the 8 sortable bytes of `value`; answers the offset behind them. */
export function writeSortableFloat(target: Uint8Array, offset: number, value: number): number {
  if (Number.isNaN(value)) {
    target.fill(0, offset, offset + 8)
    return offset + 8
  }
  // Adding 0 turns -0 into 0.
  scratch.setFloat64(0, value + 0)
  const high = scratch.getUint32(0)
  const negative = high >= 0x80000000
  writeUint32(target, offset, negative ? ~high : high | 0x80000000)
  const low = scratch.getUint32(4)
  writeUint32(target, offset + 4, negative ? ~low : low)
  return offset + 8
}

export function writeUint32(target: Uint8Array, offset: number, value: number): void {
  target[offset] = value >>> 24
  target[offset + 1] = value >>> 16
  target[offset + 2] = value >>> 8
  target[offset + 3] = value
}

export interface BigIntParts {
  /** The greatest float64 that is not above the value. */
  readonly floor: number
  /** Empty when `floor` is the value. */
  readonly remainder: Uint8Array
  readonly invert: boolean
}

export function splitBigInt(value: bigint): BigIntParts {
  const floor = floorOf(value)
  if (floor === Number.NEGATIVE_INFINITY) {
    return { floor, remainder: bigIntBytesOf(-value), invert: true }
  }
  return { floor, remainder: bigIntBytesOf(value - BigInt(floor)), invert: false }
}

function floorOf(value: bigint): number {
  const near = Number(value)
  if (near === Number.POSITIVE_INFINITY) return Number.MAX_VALUE
  if (near === Number.NEGATIVE_INFINITY || BigInt(near) <= value) return near
  return nextBelow(near)
}

/** The next smaller float64 of a finite integer beyond 2^53 in magnitude; -Infinity below the smallest. */
function nextBelow(value: number): number {
  scratch.setFloat64(0, value)
  const bits = scratch.getBigUint64(0)
  scratch.setBigUint64(0, value > 0 ? bits - 1n : bits + 1n)
  return scratch.getFloat64(0)
}
