import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anyScalar } from './codec.test-kit.ts'
import { encodeEntity } from './entity-encoder.ts'
import { assertDeterministicEntity } from './entity-validator.ts'
import { plainItemEnd } from './plain-item.ts'

/** `item` as the one value of a map. */
function entityOf(item: Uint8Array): Uint8Array {
  return Uint8Array.of(0xa1, 0x61, 0x61, ...item)
}

/** Bytes that are mostly near to an item. */
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc
    .tuple(fc.oneof(anyScalar, fc.array(anyScalar, { maxLength: 4 })), fc.nat(), fc.nat(255))
    .map(([value, at, byte]) => {
      const item = encodeEntity(value)
      item[at % item.length] = byte
      return item
    }),
)

describe('plainItemEnd', () => {
  test('any bytes -> no end, or that of an item which the validator takes', () => {
    fc.assert(
      fc.property(bytes, (item) => {
        const end = plainItemEnd(item, 0, item.length)
        if (end >= 0) assertDeterministicEntity(entityOf(item.subarray(0, end)))
      }),
      { numRuns: 5_000 },
    )
  })

  test.each<[unknown]>([
    [''],
    ['a'.repeat(23)],
    ['a'.repeat(24)],
    ['a'.repeat(255)],
    [0],
    [23],
    [24],
    [255],
    [256],
    [65_535],
    [65_536],
    [2 ** 32 - 1],
    [2 ** 32],
    [-1],
    [-(2 ** 40)],
    [true],
    [false],
    [null],
    [[]],
    [['a', 1, null]],
  ])('%j -> its end, wherever it lies', (value) => {
    const item = encodeEntity(value)
    const within = Uint8Array.of(0xff, ...item, 0xff)
    expect(plainItemEnd(within, 1, within.length)).toBe(1 + item.length)
    // Cut short.
    expect(plainItemEnd(item, 0, item.length - 1)).toBe(-1)
  })

  test.each<[unknown]>([
    ['é'],
    ['a'.repeat(256)],
    [1.5],
    [{}],
    [[[1]]],
    [Array.from({ length: 24 }, () => 1)],
    [new Uint8Array(2)],
    [new Date(0)],
    [2n ** 70n],
  ])('%s -> left to the validator', (value) => {
    const item = encodeEntity(value)
    expect(plainItemEnd(item, 0, item.length)).toBe(-1)
  })
})
