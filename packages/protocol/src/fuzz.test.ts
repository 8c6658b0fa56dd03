import { isEntiDBError } from '@entidb/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { codecs } from './message-codecs.test-kit.ts'
import { createRandom, mutated } from './mutations.test-kit.ts'
import { bytesOfHex, invalidVectors, validVectors } from './vectors.test-kit.ts'

const MUTATIONS = 200_000
const SEED = 20_251_123

describe('hostile bytes', () => {
  test(`decoders: ${MUTATIONS} mutated messages, seed ${SEED} -> a message or the error, nothing else`, {
    timeout: 120_000,
  }, () => {
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
