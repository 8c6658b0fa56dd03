/** Bytewise order, shorter first when one is a prefix: negative, zero or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = a.length < b.length ? a.length : b.length
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

export function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, b) === 0
}

/** The shortest byte string above `low` and not above `high`; `low` must be below `high`. */
export function separatorBetween(low: Uint8Array, high: Uint8Array): Uint8Array {
  let shared = 0
  while (shared < low.length && low[shared] === high[shared]) shared++
  return high.subarray(0, shared + 1)
}
