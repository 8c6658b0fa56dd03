import { describe, expect, test } from 'vitest'
import { cborFailureOf, fromHex, toHex } from './codec.test-kit.ts'
import { decodeEntity, decodeFrozenEntity } from './entity-decoder.ts'
import { encodeEntity } from './entity-encoder.ts'
import { assertDeterministicEntity } from './entity-validator.ts'
import { badItems } from './hostile-cbor.test-kit.ts'

const decodeHex = (hex: string): unknown => decodeEntity(fromHex(hex))

describe('decodeEntity refuses', () => {
  test.each(badItems)(
    'decodeEntity: %s -> invalid_cbor with its offset',
    (_, hex, offset, reason) => {
      expect(cborFailureOf(() => decodeHex(hex))).toEqual({ offset, reason })
    },
  )

  test.each(badItems)('decodeEntity: %s inside a map -> invalid_cbor', (_, hex, offset, reason) => {
    const failure = cborFailureOf(() => decodeHex(`a26161016162${hex}`))
    // The outer lengths are seen first where the item is cut short.
    expect(failure).toEqual(
      hex === '' ? { offset: 6, reason: 'truncated' } : { offset: offset + 6, reason },
    )
  })

  test('decodeEntity: bytes after the item -> trailing_bytes', () => {
    expect(cborFailureOf(() => decodeHex('0000'))).toEqual({ offset: 1, reason: 'trailing_bytes' })
    expect(cborFailureOf(() => decodeHex('a0ff'))).toEqual({ offset: 1, reason: 'trailing_bytes' })
  })

  test('decodeEntity: a known key at the end of a range -> bytes past the range are not read', () => {
    const bytes = encodeEntity({ first: 1, other: 2 })
    for (let i = 0; i < 3; i++) decodeEntity(bytes)
    for (let end = 0; end < bytes.length; end++) {
      expect(cborFailureOf(() => decodeEntity(bytes, 0, end))).toMatchObject({
        offset: expect.any(Number),
      })
    }
  })

  test('decodeEntity: a range that is none -> TypeError', () => {
    for (const [start, end] of [
      [-1, 1],
      [1, 0],
      [0, 2],
      [Number.NaN, 1],
    ] as const) {
      expect(() => decodeEntity(new Uint8Array(1), start, end)).toThrow(TypeError)
    }
  })

  test.each([
    ['81', 64, 65],
    ['a16161', 64, 65],
    ['81', 64, 10_000],
    ['a16161', 64, 10_000],
    ['81', 64, 1_000_000],
    ['a16161', 64, 1_000_000],
  ])('decodeEntity: %s nested past %d, to %d -> too_deep at once', (open, allowed, depth) => {
    const step = open.length / 2
    expect(cborFailureOf(() => decodeHex(`${open.repeat(depth)}00`))).toEqual({
      offset: allowed * step,
      reason: 'too_deep',
    })
    expect(decodeHex(`${open.repeat(allowed)}00`)).toBeTypeOf('object')
  })

  test.each(['80', 'a0'])('decodeEntity: an empty %s at level 65 -> too_deep', (empty) => {
    expect(cborFailureOf(() => decodeHex('81'.repeat(64) + empty))).toEqual({
      offset: 64,
      reason: 'too_deep',
    })
    expect(decodeHex('81'.repeat(63) + empty)).toBeTypeOf('object')
  })

  test('decodeEntity: a million tags -> refused at the second', () => {
    expect(cborFailureOf(() => decodeHex(`${'c1'.repeat(1_000_000)}00`))).toEqual({
      offset: 0,
      reason: 'date_not_canonical',
    })
  })

  test('decodeEntity: a bigint of more than 64 KiB -> too_large, also for the validator', () => {
    const bignum = (length: number) =>
      fromHex(`a16161c25a${length.toString(16).padStart(8, '0')}${'01'.repeat(length)}`)
    expect(toHex(encodeEntity(decodeEntity(bignum(65_536))))).toBe(toHex(bignum(65_536)))
    assertDeterministicEntity(bignum(65_536))
    const refusal = { offset: 3, reason: 'too_large' }
    expect(cborFailureOf(() => decodeEntity(bignum(65_537)))).toEqual(refusal)
    expect(cborFailureOf(() => assertDeterministicEntity(bignum(65_537)))).toEqual(refusal)
  })

  test('decodeEntity: keys out of order that were met in order elsewhere -> refused all the same', () => {
    const [nested, other] = ['a16162a1616101', 'a2616101616202']
    for (let i = 0; i < 4; i++) for (const hex of [nested, other]) decodeHex(hex)
    expect(cborFailureOf(() => decodeHex('a2616200616100'))).toEqual({
      offset: 4,
      reason: 'unsorted_keys',
    })
    expect(cborFailureOf(() => decodeHex('a2616100616100'))).toMatchObject({
      reason: 'duplicate_key',
    })
  })

  test('decodeEntity: after a failure deep inside -> the next call is right', () => {
    expect(() => decodeHex(`${'8281'.repeat(20)}ff`)).toThrow()
    expect(decodeHex('a1616181a0')).toEqual({ a: [{}] })
  })
})

describe('decodeEntity', () => {
  test.each([
    ['1b001fffffffffffff', 2 ** 53 - 1],
    ['1b0020000000000000', 2n ** 53n],
    ['1b0020000000000001', 2n ** 53n + 1n],
    ['1b7fffffffffffffff', 2n ** 63n - 1n],
    ['1bffffffffffffffff', 2n ** 64n - 1n],
    ['3b001ffffffffffffe', -(2 ** 53 - 1)],
    ['3b001fffffffffffff', -(2n ** 53n)],
    ['3b7fffffffffffffff', -(2n ** 63n)],
    ['3bffffffffffffffff', -(2n ** 64n)],
  ])('decodeEntity: integer %s -> number up to 2^53 - 1, bigint beyond', (hex, value) => {
    expect(decodeHex(hex)).toBe(value)
  })

  test('decodeEntity: __proto__ and other inherited names -> own properties, prototypes untouched', () => {
    const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf']
    const source = Object.create(null)
    for (const name of names) source[name] = { polluted: name }
    const bytes = encodeEntity({ [names[0] as string]: { polluted: true }, inner: source })
    for (let round = 0; round < 4; round++) {
      const decoded = decodeEntity(bytes) as Record<string, Record<string, unknown>>
      expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype)
      expect(Object.keys(decoded)).toEqual(['inner', '__proto__'])
      expect(Object.keys(decoded.inner ?? {}).sort()).toEqual([...names].sort())
      expect(Object.getOwnPropertyDescriptor(decoded, '__proto__')).toEqual({
        value: { polluted: true },
        writable: true,
        enumerable: true,
        configurable: true,
      })
      expect('polluted' in {}).toBe(false)
      expect(toHex(encodeEntity(decoded))).toBe(toHex(bytes))
    }
  })

  test('decodeEntity: bytes -> copies, also of a Buffer', () => {
    for (const input of [encodeEntity([new Uint8Array([1, 2])]), Buffer.from('81420102', 'hex')]) {
      const [bytes] = decodeEntity(input) as [Uint8Array]
      expect(bytes.constructor).toBe(Uint8Array)
      expect(bytes.buffer.byteLength).toBe(2)
      input.fill(0)
      expect(Array.from(bytes)).toEqual([1, 2])
    }
  })

  test('decodeEntity: a range of a larger array -> the item in it', () => {
    const bytes = fromHex('ffff a1616101 ffff')
    expect(decodeEntity(bytes, 2, 6)).toEqual({ a: 1 })
    expect(cborFailureOf(() => decodeEntity(bytes, 2, 7))).toEqual({
      offset: 6,
      reason: 'trailing_bytes',
    })
  })

  test('decodeEntity: properties -> in the order of the bytes, writable and configurable', () => {
    const decoded = decodeHex('a3 616101 616202 62616103') as Record<string, unknown>
    expect(Object.keys(decoded)).toEqual(['a', 'b', 'aa'])
    decoded.a = 5
    delete decoded.b
    expect(decoded).toEqual({ a: 5, aa: 3 })
  })

  test('decodeEntity: maps whose keys vary from one to the next -> never a key of another', () => {
    for (let i = 0; i < 3000; i++) {
      const value = {
        id: `p${i}`,
        [`k${i % 7}`]: { [`n${i % 5}`]: i, z: [{ [`m${i % 3}`]: 1 }, { y: 2 }] },
        [`long${'g'.repeat(i % 60)}`]: null,
      }
      expect(decodeEntity(encodeEntity(value))).toEqual(value)
    }
  })
})

describe('decodeFrozenEntity', () => {
  test('decodeFrozenEntity: any depth -> every array and object frozen', () => {
    const { value, shareable } = decodeFrozenEntity(
      encodeEntity({ a: [{ b: [] }, {}], c: { d: { e: [1] } } }),
    )
    expect(value).toEqual({ a: [{ b: [] }, {}], c: { d: { e: [1] } } })
    expect(shareable).toBe(true)
    expectFrozen(value)
  })

  test.each([
    [{ a: [new Date(0)] }, false],
    [{ a: { b: new Uint8Array(0) } }, false],
    [{ a: 1n, b: 'x', c: null, d: 1.5 }, true],
    ['text', true],
  ])('decodeFrozenEntity: %o -> shareable: %s', (value, shareable) => {
    expect(decodeFrozenEntity(encodeEntity(value))).toEqual({ value, shareable })
  })

  test('decodeEntity: after decodeFrozenEntity -> nothing frozen', () => {
    const bytes = encodeEntity({ a: [{}] })
    decodeFrozenEntity(bytes)
    const value = decodeEntity(bytes) as { a: object[] }
    expect([value, value.a, value.a[0]].some(Object.isFrozen)).toBe(false)
  })
})

function expectFrozen(value: unknown): void {
  expect(Object.isFrozen(value)).toBe(true)
  if (typeof value !== 'object' || value === null) return
  for (const child of Object.values(value)) expectFrozen(child)
}
