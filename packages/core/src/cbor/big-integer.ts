/** The magnitude of a bignum and its bytes, most significant first. */

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
)

/** The bytes of `magnitude`, without leading zeros; none for 0. */
export function bigIntBytesOf(magnitude: bigint): Uint8Array {
  if (magnitude === 0n) return new Uint8Array(0)
  const hex = magnitude.toString(16)
  const digits = hex.length % 2 === 0 ? hex : `0${hex}`
  const bytes = new Uint8Array(digits.length / 2)
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = Number.parseInt(digits.slice(i * 2, i * 2 + 2), 16)
  }
  return bytes
}

/** The magnitude at `bytes[start, end)`. */
export function bigIntOf(bytes: Uint8Array, start: number, end: number): bigint {
  if (start === end) return 0n
  return BigInt(`0x${Array.from(bytes.subarray(start, end), (byte) => HEX[byte]).join('')}`)
}
