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

/** The number at `offset`. Most have one byte or two. */
export function varintAt(data: Uint8Array, offset: number): number {
  const first = data[offset] as number
  if (first < 0x80) return first
  const second = data[offset + 1] as number
  if (second < 0x80) return (first & 0x7f) | (second << 7)
  let value = (first & 0x7f) | ((second & 0x7f) << 7)
  for (let at = offset + 2, scale = 2 ** 14; ; at++, scale *= 0x80) {
    const next = data[at] as number
    value += (next & 0x7f) * scale
    if (next < 0x80) return value
  }
}

/** The offset behind the number at `offset`. */
export function afterVarint(data: Uint8Array, offset: number): number {
  let end = offset
  while ((data[end++] as number) >= 0x80);
  return end
}
