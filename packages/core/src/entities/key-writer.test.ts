import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareBytes } from '../store/bytes.ts'
import { compareValues } from './compare-values.ts'
import { encodeKey, KeyWriter } from './key-writer.ts'
import { values } from './values.test-kit.ts'

function encodeComposite(parts: readonly unknown[], descending: readonly boolean[]): Uint8Array {
  const writer = new KeyWriter()
  parts.forEach((part, i) => {
    const start = writer.length
    writer.value(part)
    if (descending[i] === true) writer.invertFrom(start)
  })
  writer.byte(1)
  return writer.take()
}

describe('index keys', () => {
  test('one value: any two -> bytes order as compareValues says', () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        expect(Math.sign(compareBytes(encodeKey(a), encodeKey(b)))).toBe(
          Math.sign(compareValues(a, b)),
        )
      }),
      { numRuns: 3000 },
    )
  })

  test('composite: any directions -> bytes order field by field, then by what follows', () => {
    const pairs = fc.tuple(values, values)
    fc.assert(
      fc.property(pairs, pairs, fc.tuple(fc.boolean(), fc.boolean()), (a, b, descending) => {
        const expected = [0, 1]
          .map((i) => compareValues(a[i], b[i]) * (descending[i] === true ? -1 : 1))
          .find((difference) => difference !== 0)
        const actual = compareBytes(encodeComposite(a, descending), encodeComposite(b, descending))
        expect(Math.sign(actual)).toBe(Math.sign(expected ?? 0))
      }),
      { numRuns: 3000 },
    )
  })

  test('an ordered list of every kind -> each below the next', () => {
    const ordered: unknown[] = [
      null,
      false,
      true,
      Number.NaN,
      -Infinity,
      -(2n ** 1024n),
      -BigInt(Number.MAX_VALUE) - 1n,
      -Number.MAX_VALUE,
      -(2n ** 53n) - 1n,
      -(2 ** 53),
      -1.5,
      -1n,
      -Number.MIN_VALUE,
      0,
      Number.MIN_VALUE,
      0.5,
      1,
      2 ** 53,
      2n ** 53n + 1n,
      2 ** 53 + 2,
      Number.MAX_VALUE,
      BigInt(Number.MAX_VALUE) + 1n,
      2n ** 1024n,
      2n ** 1025n,
      Infinity,
      '',
      '\0',
      'A',
      'a',
      'a\0',
      'aa',
      '\ue000',
      '\u{10000}',
      new Date(-1),
      new Date(0),
      new Date(1),
      new Uint8Array(0),
      Uint8Array.of(0),
      Uint8Array.of(0, 0),
      Uint8Array.of(1),
      [],
      [null],
      [1],
      [1, 2],
      [2],
      {},
      { a: 1 },
      { a: 1, b: 1 },
      { a: 2 },
    ]
    for (let i = 1; i < ordered.length; i++) {
      expect(compareValues(ordered[i - 1], ordered[i]), String(i)).toBeLessThan(0)
      expect(
        compareBytes(encodeKey(ordered[i - 1]), encodeKey(ordered[i])),
        String(i),
      ).toBeLessThan(0)
    }
  })

  test('equal values: minus zero, bigint, missing -> equal bytes', () => {
    expect(encodeKey(-0)).toEqual(encodeKey(0))
    expect(encodeKey(7n)).toEqual(encodeKey(7))
    expect(encodeKey(2n ** 60n)).toEqual(encodeKey(2 ** 60))
    expect(encodeKey(undefined)).toEqual(encodeKey(null))
    expect(encodeKey([-0, { a: 1n, b: undefined }])).toEqual(encodeKey([0, { a: 1 }]))
  })
})
