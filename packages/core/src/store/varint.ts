/** Unsigned integers up to 2^53 - 1 in groups of seven bits, the lowest first. */

export function varintBytes(value: number): number {
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  let bytes = 2
  for (let rest = Math.floor(value / 0x4000); rest > 0; rest = Math.floor(rest / 0x80)) bytes++
  return bytes
}

/** Answers the offset behind it. */
export function writeVarint(target: Uint8Array, offset: number, value: number): number {
  let at = offset
  let rest = value
  while (rest >= 0x80) {
    target[at++] = (rest & 0x7f) | 0x80
    // Shifts are for 32 bits.
    rest = rest < 0x80000000 ? rest >>> 7 : Math.floor(rest / 0x80)
  }
  target[at++] = rest
  return at
}
