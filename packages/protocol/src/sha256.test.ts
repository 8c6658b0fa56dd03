import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SHA256_BYTES, sha256 } from './sha256.ts'
import { hexOf } from './vectors.test-kit.ts'

const utf8 = new TextEncoder()
const expected = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

describe('sha256', () => {
  // The examples of FIPS 180-4, and the empty message.
  test.each([
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [
      'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    ],
  ])('published example %j -> its value', (text, hex) => {
    expect(hexOf(sha256(utf8.encode(text)))).toBe(hex)
  })

  test('every length up to three blocks -> as the host computes it', () => {
    for (let length = 0; length <= 200; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 0xff)
      expect(hexOf(sha256(bytes))).toBe(expected(bytes))
    }
  })

  test('any bytes, also a view into others -> as the host computes it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), fc.nat(70), (bytes, skipped) => {
        const view = bytes.subarray(Math.min(skipped, bytes.length))
        expect(hexOf(sha256(view))).toBe(expected(view))
      }),
    )
  })

  test('a megabyte -> as the host computes it', () => {
    const bytes = new Uint8Array(1_048_577).fill(0xa5)
    expect(hexOf(sha256(bytes))).toBe(expected(bytes))
  })

  test('two results -> arrays of their own, the argument unchanged', () => {
    const bytes = Uint8Array.of(1, 2, 3)
    const first = sha256(bytes)
    first.fill(0)
    expect(hexOf(sha256(bytes))).toBe(expected(Uint8Array.of(1, 2, 3)))
    expect(first).toHaveLength(SHA256_BYTES)
  })
})
