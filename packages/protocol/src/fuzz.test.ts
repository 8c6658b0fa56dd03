import { isEntiDBError } from '@entidb/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { codecs } from './message-codecs.test-kit.ts'
import { bytesOfHex, invalidVectors, validVectors } from './vectors.test-kit.ts'

const MUTATIONS = 200_000
const SEED = 20_251_123

/** Bytes that mean something in CBOR: heads of every kind, breaks, the ends of ranges. */
const TELLING = [0x00, 0x17, 0x18, 0x1b, 0x1f, 0x20, 0x40, 0x5f, 0x60, 0x7f, 0x80, 0x9f, 0xa0, 0xbf]
const TELLING_TOO = [0xc0, 0xd8, 0xf4, 0xf6, 0xf7, 0xf8, 0xf9, 0xfb, 0xff]
const INTERESTING = [...TELLING, ...TELLING_TOO]

/** xorshift32: a run is the same for the same seed. */
function createRandom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

function mutated(bytes: Uint8Array, random: (below: number) => number): Uint8Array {
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

describe('hostile bytes', () => {
  test(`decoders: ${MUTATIONS} mutated messages, seed ${SEED} -> a message or the error, nothing else`, () => {
    const random = createRandom(SEED)
    const corpus = [...validVectors, ...invalidVectors].map(({ message, cbor }) => ({
      codec: codecs[message],
      bytes: bytesOfHex(cbor),
    }))
    const outcomes = { message: 0, error: 0 }
    for (let i = 0; i < MUTATIONS; i++) {
      const { codec, bytes } = corpus[i % corpus.length] ?? expect.fail('no corpus')
      outcomes[outcomeOf(codec, mutated(bytes, random))]++
    }
    expect(outcomes.message).toBeGreaterThan(MUTATIONS / 100)
    expect(outcomes.error).toBeGreaterThan(MUTATIONS / 10)
  })

  test('decoders: arbitrary bytes -> a message or the error, nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        for (const codec of Object.values(codecs)) outcomeOf(codec, bytes)
      }),
      { numRuns: 5_000 },
    )
  })

  test('decoders: a value nested a million deep -> the error, at once', () => {
    const bytes = new Uint8Array(1_000_000).fill(0x81)
    for (const codec of Object.values(codecs)) expect(outcomeOf(codec, bytes)).toBe('error')
    const inUnknown = Uint8Array.of(0xa1, 0x61, 0x78, ...bytes.subarray(0, 100_000))
    for (const codec of Object.values(codecs)) expect(outcomeOf(codec, inUnknown)).toBe('error')
  })
})

function outcomeOf(
  codec: { decode(bytes: Uint8Array): unknown; error: 'invalid_request' | 'invalid_response' },
  bytes: Uint8Array,
): 'message' | 'error' {
  try {
    codec.decode(bytes)
    return 'message'
  } catch (error) {
    if (isEntiDBError(error, codec.error)) return 'error'
    throw new Error(`Neither a message nor ${codec.error}: ${Buffer.from(bytes).toString('hex')}`, {
      cause: error,
    })
  }
}
