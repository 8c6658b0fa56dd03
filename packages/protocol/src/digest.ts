/**
 * Sums of SHA-256 values modulo 2^256, as 32 bytes big-endian: a digest of a set that does not depend
 * on the order in which its members came and went.
 */

/** Bytes of a digest. */
export const DIGEST_BYTES = 32

/** The digest of nothing. */
export function emptyDigest(): Uint8Array {
  return new Uint8Array(DIGEST_BYTES)
}

/** `a + b` modulo 2^256, in a new array. */
export function addDigests(a: Uint8Array, b: Uint8Array): Uint8Array {
  return combine(a, b, 1)
}

/** `a - b` modulo 2^256, in a new array. */
export function subtractDigests(a: Uint8Array, b: Uint8Array): Uint8Array {
  return combine(a, b, -1)
}

function combine(a: Uint8Array, b: Uint8Array, sign: 1 | -1): Uint8Array {
  if (a.length !== DIGEST_BYTES || b.length !== DIGEST_BYTES) {
    throw new TypeError(`A digest has ${DIGEST_BYTES} bytes, not ${a.length} and ${b.length}`)
  }
  const result = new Uint8Array(DIGEST_BYTES)
  let carry = 0
  for (let i = DIGEST_BYTES - 1; i >= 0; i--) {
    const value = (a[i] as number) + sign * (b[i] as number) + carry
    result[i] = value
    // Arithmetic shift: 1 for an overflow, -1 for a borrow.
    carry = value >> 8
  }
  return result
}
