import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addDigests, DIGEST_BYTES, emptyDigest, subtractDigests } from './digest.ts'
import { bytesOfHex, hexOf, readVectors } from './vectors.test-kit.ts'

interface SumVector {
  readonly name: string
  readonly a: string
  readonly b: string
  readonly sum: string
  readonly difference: string
}

const MODULUS = 1n << 256n
const digest = fc.uint8Array({ minLength: DIGEST_BYTES, maxLength: DIGEST_BYTES })
const numberOf = (bytes: Uint8Array) => BigInt(`0x${hexOf(bytes)}`)

describe('digest arithmetic', () => {
  test.each(
    readVectors<SumVector>('digest.json')
      .slice(1)
      .map((vector) => [vector.name, vector] as const),
  )('vector: %s -> sum and difference', (_, { a, b, sum, difference }) => {
    expect(hexOf(addDigests(bytesOfHex(a), bytesOfHex(b)))).toBe(sum)
    expect(hexOf(subtractDigests(bytesOfHex(a), bytesOfHex(b)))).toBe(difference)
  })

  test('sums: any two digests -> as integers modulo 2^256', () => {
    fc.assert(
      fc.property(digest, digest, (a, b) => {
        expect(numberOf(addDigests(a, b))).toBe((numberOf(a) + numberOf(b)) % MODULUS)
        expect(subtractDigests(addDigests(a, b), b)).toEqual(a)
        expect(addDigests(a, emptyDigest())).toEqual(a)
      }),
    )
  })

  test('sums: arguments -> not changed', () => {
    const a = emptyDigest().fill(0xff)
    addDigests(a, a)
    subtractDigests(a, a)
    expect(a).toEqual(emptyDigest().fill(0xff))
  })

  test('sums: not 32 bytes -> TypeError', () => {
    expect(() => addDigests(new Uint8Array(31), emptyDigest())).toThrow(TypeError)
    expect(() => subtractDigests(emptyDigest(), new Uint8Array(33))).toThrow(TypeError)
  })
})
