/**
 * A million hostile inputs: random bytes, and valid encodings with a few bytes changed. Each must end in a
 * value or in `invalid_cbor`. Replay one run with ENTIDB_FUZZ_SEED=<the seed it printed>.
 */
import { expect, test } from 'vitest'
import { CborReader } from './cbor-reader.ts'
import { decodeEntity } from './entity-decoder.ts'
import { encodeEntity } from './entity-encoder.ts'
import { DEPTH_MAX } from './entity-limits.ts'
import { assertDeterministicEntity } from './entity-validator.ts'

const RUNS = 1_000_000
const seed = Number(process.env.ENTIDB_FUZZ_SEED ?? Date.now() % 2 ** 32)

/** Mulberry32: fast, seeded, good enough to be hostile with. */
function createRandom(state: number): (below: number) => number {
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const seeds: readonly Uint8Array[] = [
  { id: 'p1', name: 'Ada', email: 'ada@example.org', tags: ['a', 'b', 'c'], age: 36, score: 0.1 },
  { a: { b: { c: [{}, [], [[]], { d: null }] } }, e: true, f: false },
  { small: 1n, large: -(2n ** 70n), at: new Date(1500), day: new Date(86_400_000) },
  { bytes: new Uint8Array(30), text: 'ünï水😀', '': 0, long: 'x'.repeat(300) },
  { f16: 1.5, f32: 100000.5, f64: 1.1, nan: Number.NaN, zero: -0, i: -1e15, u: 2 ** 40 },
  { id: 'p2', ['__proto__']: { polluted: true }, constructor: 1, list: Array(30).fill(7) },
].map((value) => encodeEntity(value))

/** Bytes that mean most to a decoder. */
const TELLING = [
  0x00, 0x17, 0x18, 0x1b, 0x3b, 0x40, 0x5f, 0x60, 0x78, 0x7f, 0x80, 0x9b, 0x9f, 0xa0, 0xbf, 0xc1,
  0xc2, 0xc3, 0xd8, 0xe0, 0xf4, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xff,
]

function hostileInput(random: (below: number) => number): Uint8Array {
  const telling = () =>
    random(3) === 0 ? (TELLING[random(TELLING.length)] as number) : random(256)
  if (random(4) === 0) return Uint8Array.from({ length: random(24) }, telling)
  const source = seeds[random(seeds.length)] as Uint8Array
  const bytes = new Uint8Array(source)
  for (let edits = random(3); edits >= 0; edits--) bytes[random(bytes.length)] = telling()
  // From the middle on, so that the outer map is not always what is met first.
  return random(8) === 0 ? bytes.subarray(random(bytes.length)) : bytes
}

/** Undefined for a refusal; anything but a value or `invalid_cbor` fails the test. */
function outcomeOf<T>(action: () => T): { value: T } | undefined {
  try {
    return { value: action() }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'invalid_cbor') return undefined
    throw error
  }
}

/** A CBOR integer beyond 2^53 is the one thing decoded that would be encoded otherwise. */
function holdsLargeInteger(bytes: Uint8Array): boolean {
  return bytes.some(
    (byte, i) =>
      (byte === 0x1b || byte === 0x3b) && ((bytes[i + 1] ?? 0) > 0 || (bytes[i + 2] ?? 0) > 0x1f),
  )
}

function assertOutcome(bytes: Uint8Array): boolean {
  const decoded = outcomeOf(() => decodeEntity(bytes))
  const valid = outcomeOf(() => assertDeterministicEntity(bytes)) !== undefined
  const isMap = bytes.length > 0 && (bytes[0] as number) >>> 5 === 5
  if (valid !== (decoded !== undefined && isMap)) throw new Error('Validator and decoder disagree')
  if (decoded === undefined) return false
  const reader = new CborReader(bytes)
  reader.skip(DEPTH_MAX + 1)
  if (!reader.atEnd) throw new Error('skip and decoder disagree')
  if (Buffer.compare(encodeEntity(decoded.value), bytes) !== 0 && !holdsLargeInteger(bytes)) {
    throw new Error('Accepted, but encoded differently')
  }
  return true
}

test(`decodeEntity: ${RUNS} hostile inputs, seed ${seed} -> a value that encodes to the same bytes, or invalid_cbor`, () => {
  const random = createRandom(seed)
  let accepted = 0
  for (let run = 0; run < RUNS; run++) {
    const bytes = hostileInput(random)
    try {
      if (assertOutcome(bytes)) accepted++
    } catch (error) {
      const hex = Buffer.from(bytes).toString('hex')
      throw new Error(`ENTIDB_FUZZ_SEED=${seed}, run ${run}: ${hex}`, { cause: error })
    }
  }
  expect(accepted).toBeGreaterThan(RUNS / 20)
  expect(accepted).toBeLessThan(RUNS)
  expect('polluted' in {}).toBe(false)
}, 120_000)
