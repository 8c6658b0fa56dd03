import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anyScalar, anyValueOf, fromHex, toHex } from './codec.test-kit.ts'
import { decodeEntity } from './entity-decoder.ts'
import { encodeEntity } from './entity-encoder.ts'

const hexOf = (value: unknown): string => toHex(encodeEntity(value))

/** RFC 8949 Appendix A, in so far as an entity can hold the value. */
const appendixA: readonly (readonly [unknown, string])[] = [
  [0, '00'],
  [1, '01'],
  [10, '0a'],
  [23, '17'],
  [24, '1818'],
  [25, '1819'],
  [100, '1864'],
  [1000, '1903e8'],
  [1000000, '1a000f4240'],
  [1000000000000, '1b000000e8d4a51000'],
  [-1, '20'],
  [-10, '29'],
  [-100, '3863'],
  [-1000, '3903e7'],
  [18446744073709551616n, 'c249010000000000000000'],
  [-18446744073709551617n, 'c349010000000000000000'],
  [-0, 'f98000'],
  [1.1, 'fb3ff199999999999a'],
  [1.5, 'f93e00'],
  [100000.5, 'fa47c35040'],
  [3.4028234663852886e38, 'fa7f7fffff'],
  [1e300, 'fb7e37e43c8800759c'],
  [2 ** -24, 'f90001'],
  [0.00006103515625, 'f90400'],
  [-4.1, 'fbc010666666666666'],
  [Number.POSITIVE_INFINITY, 'f97c00'],
  [Number.NaN, 'f97e00'],
  [Number.NEGATIVE_INFINITY, 'f9fc00'],
  [false, 'f4'],
  [true, 'f5'],
  [null, 'f6'],
  [new Date(1363896240000), 'c11a514b67b0'],
  [new Date(1363896240500), 'c1fb41d452d9ec200000'],
  [new Uint8Array(0), '40'],
  [fromHex('01020304'), '4401020304'],
  ['', '60'],
  ['a', '6161'],
  ['IETF', '6449455446'],
  ['"\\', '62225c'],
  ['ü', '62c3bc'],
  ['水', '63e6b0b4'],
  ['\u{10151}', '64f0908591'],
  [[], '80'],
  [[1, 2, 3], '83010203'],
  [[1, [2, 3], [4, 5]], '8301820203820405'],
  [
    Array.from({ length: 25 }, (_, i) => i + 1),
    '98190102030405060708090a0b0c0d0e0f101112131415161718181819',
  ],
  [{}, 'a0'],
  [{ a: 1, b: [2, 3] }, 'a26161016162820203'],
  [['a', { b: 'c' }], '826161a161626163'],
  [{ a: 'A', b: 'B', c: 'C', d: 'D', e: 'E' }, 'a56161614161626142616361436164614461656145'],
]

describe('encodeEntity', () => {
  test.each(appendixA)(
    'encodeEntity: %o of RFC 8949 Appendix A -> its bytes, and back',
    (value, hex) => {
      expect(hexOf(value)).toBe(hex)
      expect(decodeEntity(fromHex(hex))).toEqual(value)
    },
  )

  test.each([
    [255, '18ff'],
    [256, '190100'],
    [65535, '19ffff'],
    [65536, '1a00010000'],
    [2 ** 32 - 1, '1affffffff'],
    [2 ** 32, '1b0000000100000000'],
    [2 ** 53 - 1, '1b001fffffffffffff'],
    [-256, '38ff'],
    [-(2 ** 32), '3affffffff'],
    [-(2 ** 53 - 1), '3b001ffffffffffffe'],
    [2 ** 53, 'fa5a000000'],
    [-(2 ** 53), 'fada000000'],
    [1e21, 'fb444b1ae4d6e2ef50'],
    [65504, '19ffe0'],
    [0.5, 'f93800'],
    [2 ** -24, 'f90001'],
    [2 ** -25, 'fa33000000'],
    [1e-7, 'fb3e7ad7f29abcaf48'],
  ])('encodeEntity: number %d -> its shortest form', (value, hex) => {
    expect(hexOf(value)).toBe(hex)
    expect(decodeEntity(fromHex(hex))).toBe(value)
  })

  test.each([
    [0n, 'c240'],
    [1n, 'c24101'],
    [-1n, 'c340'],
    [-2n, 'c34101'],
    [255n, 'c241ff'],
    [256n, 'c2420100'],
    [2n ** 64n, 'c249010000000000000000'],
  ])('encodeEntity: bigint %d -> a bignum, however small', (value, hex) => {
    expect(hexOf(value)).toBe(hex)
    expect(decodeEntity(fromHex(hex))).toBe(value)
  })

  test.each([
    [0, 'c100'],
    [-1000, 'c120'],
    [1, 'c1fb3f50624dd2f1a9fc'],
    [1500, 'c1fb3ff8000000000000'],
    [-1500, 'c1fbbff8000000000000'],
    [8.64e15, 'c11b000007dba8218000'],
    [-8.64e15, 'c13b000007dba8217fff'],
  ])('encodeEntity: date %d ms -> whole seconds, or the float64 of ms / 1000', (time, hex) => {
    const bytes = encodeEntity(new Date(time))
    expect(toHex(bytes)).toBe(hex)
    expect(decodeEntity(bytes)).toEqual(new Date(time))
  })

  test('encodeEntity: any date -> decodes to the same millisecond', () => {
    const time = fc.oneof(
      fc.integer({ min: -8.64e15, max: 8.64e15 }),
      fc.integer({ min: 8.64e15 - 5000, max: 8.64e15 }),
      fc.integer({ min: -8.64e15, max: -8.64e15 + 5000 }),
      fc.integer({ min: 0, max: 4e12 }),
    )
    fc.assert(
      fc.property(time, (ms) => {
        expect(decodeEntity(encodeEntity(new Date(ms)))).toEqual(new Date(ms))
      }),
      { numRuns: 20_000 },
    )
  })

  test('encodeEntity: keys in any order -> bytewise order of their encodings', () => {
    const value = { z: 2, ü: 5, aa: 4, '': 0, a: 1, '10': 3 }
    expect(hexOf(value)).toBe('a66000616101617a02623130036261610462c3bc05')
  })

  test('encodeEntity: undefined properties -> dropped', () => {
    expect(hexOf({ a: undefined, b: 1, c: undefined })).toBe('a1616201')
    expect(hexOf({ a: undefined })).toBe('a0')
  })

  test('encodeEntity: null prototype, frozen, Buffer, other realms -> as their plain kin', () => {
    const foreign: unknown = runInNewContext(
      '({ a: [1], d: new Date(0), u: new Uint8Array([7]), o: Object.create(null) })',
    )
    expect(hexOf(foreign)).toBe(hexOf({ a: [1], d: new Date(0), u: new Uint8Array([7]), o: {} }))
    expect(hexOf(Object.assign(Object.create(null), { a: 1 }))).toBe('a1616101')
    expect(hexOf(Object.freeze({ a: Object.freeze([1]) }))).toBe('a161618101')
    expect(hexOf(Buffer.from('abc'))).toBe('43616263')
  })

  test('encodeEntity: own __proto__ key -> data like any other', () => {
    const value: unknown = JSON.parse('{"__proto__":{"polluted":true}}')
    const bytes = encodeEntity(value)
    expect(toHex(bytes)).toBe('a1695f5f70726f746f5f5fa168706f6c6c75746564f5')
  })

  test('encodeEntity: two objects with the same keys in other orders -> equal bytes', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.integer()),
        fc.infiniteStream(fc.nat()),
        (map, picks) => {
          const names = Object.keys(map)
          const shuffled: Record<string, number> = Object.create(null)
          while (names.length > 0) {
            const [name] = names.splice(Number(picks.next().value) % names.length, 1)
            if (name !== undefined) shuffled[name] = map[name] as number
          }
          expect(toHex(encodeEntity(shuffled))).toBe(toHex(encodeEntity(map)))
        },
      ),
    )
  })

  test('encodeEntity: text of every length around the head sizes -> decodes to itself', () => {
    for (const unit of ['a', 'ü', '水', '😀']) {
      for (const count of [
        0, 1, 7, 8, 11, 12, 13, 22, 23, 24, 31, 32, 33, 63, 64, 65, 85, 86, 127, 128,
      ]) {
        for (const extra of ['', 'b', 'bc']) expectText(unit.repeat(count) + extra)
      }
      for (const count of [
        255, 256, 257, 1365, 1366, 4095, 4097, 16383, 16384, 21845, 21846, 65535, 65536,
      ]) {
        expectText(unit.repeat(count))
      }
    }
  })

  test('encodeEntity: any value -> decodes to an equal one, which encodes to the same bytes', () => {
    fc.assert(
      fc.property(anyValueOf(anyScalar), (value) => {
        const bytes = encodeEntity(value)
        const decoded = decodeEntity(bytes)
        expect(decoded).toEqual(value)
        expect(toHex(encodeEntity(decoded))).toBe(toHex(bytes))
      }),
      { numRuns: 2000 },
    )
  })

  test('encodeEntity: results kept while others are made -> never change', () => {
    const results = Array.from({ length: 2000 }, (_, i) =>
      encodeEntity({ id: `p${i}`, text: 'x'.repeat(i % 300) }),
    )
    results.forEach((bytes, i) => {
      expect(decodeEntity(bytes)).toEqual({ id: `p${i}`, text: 'x'.repeat(i % 300) })
    })
  })

  test('encodeEntity: called by a trap while encoding -> both results are right', () => {
    let inner = ''
    // Passes for the Object.prototype of another realm.
    const prototype = new Proxy(
      { isPrototypeOf: () => false },
      {
        getPrototypeOf() {
          inner = hexOf({ b: 2 })
          return null
        },
      },
    )
    expect(hexOf([1, Object.create(prototype, { a: { value: 1, enumerable: true } })])).toBe(
      '8201a1616101',
    )
    expect(inner).toBe('a1616202')
  })

  test('encodeEntity: depth 64 -> accepted', () => {
    let value: unknown = 1
    for (let i = 0; i < 64; i++) value = i % 2 === 0 ? [value] : { a: value }
    expect(decodeEntity(encodeEntity(value))).toEqual(value)
  })

  test('encodeEntity: the same object in two places -> encoded twice', () => {
    const shared = { a: 1 }
    expect(hexOf([shared, shared])).toBe('82a1616101a1616101')
  })

  test('encodeEntity: more shapes than are remembered -> all right', () => {
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 100; i++) {
        const value = { [`k${i}`]: i, a: 1, [`b${i}`]: 2 }
        expect(decodeEntity(encodeEntity(value))).toEqual(value)
      }
    }
    const wide = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`key${i}`, i]))
    expect(decodeEntity(encodeEntity(wide))).toEqual(wide)
  })
})

function expectText(text: string): void {
  const bytes = encodeEntity(text)
  expect(decodeEntity(bytes)).toBe(text)
  const utf8 = Buffer.from(text)
  expect(Buffer.compare(bytes.subarray(bytes.length - utf8.length), utf8)).toBe(0)
}
