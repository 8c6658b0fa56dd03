import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anyMapOf, anyScalar, cborFailureOf, fromHex } from './codec.test-kit.ts'
import { encodeEntity } from './entity-encoder.ts'
import { assertDeterministicEntity, readEntityId } from './entity-validator.ts'
import { badItems } from './hostile-cbor.test-kit.ts'

describe('assertDeterministicEntity', () => {
  test('assertDeterministicEntity: whatever encodeEntity makes of a map -> holds', () => {
    fc.assert(
      fc.property(anyMapOf(anyScalar), (value) => {
        assertDeterministicEntity(encodeEntity(value))
      }),
      { numRuns: 500 },
    )
  })

  test('assertDeterministicEntity: integers beyond 2^53 -> hold, as other implementations write them', () => {
    assertDeterministicEntity(fromHex('a161611bffffffffffffffff'))
    assertDeterministicEntity(fromHex('a161613bffffffffffffffff'))
  })

  test.each(badItems)(
    'assertDeterministicEntity: %s inside a map -> invalid_cbor',
    (_, hex, offset, reason) => {
      const failure = cborFailureOf(() => assertDeterministicEntity(fromHex(`a26161016162${hex}`)))
      expect(failure).toEqual({ offset: hex === '' ? 6 : offset + 6, reason })
    },
  )

  test.each(['00', '80', 'f6', '60', 'c100'])(
    'assertDeterministicEntity: %s -> not_a_map',
    (hex) => {
      expect(cborFailureOf(() => assertDeterministicEntity(fromHex(hex)))).toEqual({
        offset: 0,
        reason: 'not_a_map',
      })
    },
  )

  test('assertDeterministicEntity: no bytes, or too many -> invalid_cbor', () => {
    expect(cborFailureOf(() => assertDeterministicEntity(new Uint8Array(0)))).toEqual({
      offset: 0,
      reason: 'truncated',
    })
    expect(cborFailureOf(() => assertDeterministicEntity(fromHex('a000')))).toEqual({
      offset: 1,
      reason: 'trailing_bytes',
    })
  })

  test('assertDeterministicEntity: bytesMax and depthMax -> exactly that much passes', () => {
    const bytes = encodeEntity({ a: { b: [] } })
    assertDeterministicEntity(bytes, { bytesMax: bytes.length, depthMax: 3 })
    expect(
      cborFailureOf(() => assertDeterministicEntity(bytes, { bytesMax: bytes.length - 1 })),
    ).toEqual({ offset: bytes.length - 1, reason: 'too_large' })
    expect(cborFailureOf(() => assertDeterministicEntity(bytes, { depthMax: 2 }))).toEqual({
      offset: 6,
      reason: 'too_deep',
    })
  })

  test.each([10_000, 1_000_000])('assertDeterministicEntity: %d maps deep -> too_deep', (depth) => {
    expect(
      cborFailureOf(() => assertDeterministicEntity(fromHex(`${'a16161'.repeat(depth)}00`))),
    ).toEqual({
      offset: 64 * 3,
      reason: 'too_deep',
    })
  })
})

describe('readEntityId', () => {
  test('readEntityId: wherever the key stands -> the text', () => {
    expect(readEntityId(encodeEntity({ id: 'p1' }))).toBe('p1')
    expect(readEntityId(encodeEntity({ id: 'ünï', name: 'x' }))).toBe('ünï')
    const before = { '': 1, a: [[{ id: 'no' }]], b: 1.5, c: new Date(1), d: -1n, ab: null, hz: 'x' }
    expect(readEntityId(encodeEntity({ ...before, id: 'p2', zz: 1 }))).toBe('p2')
  })

  test('readEntityId: a range of a larger array -> that entity', () => {
    const bytes = new Uint8Array([0, ...encodeEntity({ id: 'p1' }), 0])
    expect(readEntityId(bytes, 1, bytes.length - 1)).toBe('p1')
  })

  test.each([
    ['a0', 0, 'missing_id'],
    ['a1616101', 0, 'missing_id'],
    ['a162696401', 4, 'unexpected_type'],
    ['a1626964f6', 4, 'unexpected_type'],
    ['80', 0, 'unexpected_type'],
    ['a10000', 1, 'unexpected_type'],
    ['', 0, 'truncated'],
    ['a16269646270', 4, 'length_exceeds_input'],
  ])('readEntityId: %s -> invalid_cbor', (hex, offset, reason) => {
    expect(cborFailureOf(() => readEntityId(fromHex(hex)))).toEqual({ offset, reason })
  })
})
