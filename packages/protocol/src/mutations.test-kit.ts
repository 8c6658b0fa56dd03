/** Messages with a few bytes changed, for fuzz tests. */

/** Bytes that mean something in CBOR: heads of every kind, breaks, the ends of ranges. */
const TELLING = [0x00, 0x17, 0x18, 0x1b, 0x1f, 0x20, 0x40, 0x5f, 0x60, 0x7f, 0x80, 0x9f, 0xa0, 0xbf]
const TELLING_TOO = [0xc0, 0xd8, 0xf4, 0xf6, 0xf7, 0xf8, 0xf9, 0xfb, 0xff]
const INTERESTING = [...TELLING, ...TELLING_TOO]

/** xorshift32: a run is the same for the same seed. */
export function createRandom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

/** With one to three changes. */
export function mutated(bytes: Uint8Array, random: (below: number) => number): Uint8Array {
  const result = [...bytes]
  for (let left = 1 + random(3); left > 0; left--) {
    const at = random(result.length + 1)
    const kind = random(5)
    if (kind === 0) result[at] = random(256)
    else if (kind === 1) result[at] = INTERESTING[random(INTERESTING.length)] ?? 0
    else if (kind === 2) result.splice(at, 1 + random(4))
    else if (kind === 3) result.splice(at, 0, INTERESTING[random(INTERESTING.length)] ?? 0)
    else result.splice(at, 0, ...result.slice(at, at + 1 + random(40)))
  }
  return Uint8Array.from(result)
}
