import { describe, expect, test } from 'vitest'
import { parseCborItem } from './cbor-item.test-kit.ts'
import { diagnosticOf } from './diagnostic.test-kit.ts'

describe('diagnosticOf', () => {
  // Most from appendix A of RFC 8949.
  test.each([
    ['00', '0'],
    ['1818', '24'],
    ['1800', '0_0'],
    ['190001', '1_1'],
    ['1b000000e8d4a51000', '1000000000000'],
    ['1bffffffffffffffff', '18446744073709551615'],
    ['3bffffffffffffffff', '-18446744073709551616'],
    ['3863', '-100'],
    ['f90000', '0.0_1'],
    ['f98000', '-0.0_1'],
    ['f93e00', '1.5_1'],
    ['f97bff', '65504.0_1'],
    ['f90001', '5.960464477539063e-8_1'],
    ['fa47c35000', '100000.0_2'],
    ['fbc010666666666666', '-4.1_3'],
    ['f97c00', 'Infinity_1'],
    ['f97e00', 'NaN_1'],
    ['f4', 'false'],
    ['f6', 'null'],
    ['f7', 'undefined'],
    ['f0', 'simple(16)'],
    ['f8ff', 'simple(255)'],
    ['c11a514b67b0', '1(1363896240)'],
    ['4401020304', "h'01020304'"],
    ['62225c', '"\\"\\\\"'],
    ['62c3bc', '"ü"'],
    ['83010203', '[1, 2, 3]'],
    ['a26161016162820203', '{"a": 1, "b": [2, 3]}'],
  ])('printer: %s -> %s', (hex, text) => {
    expect(diagnosticOf(Buffer.from(hex, 'hex'))).toBe(text)
  })
})

describe('parseCborItem', () => {
  test.each([
    [''],
    ['18'],
    ['1c'],
    ['9f01ff'],
    ['5f4100ff'],
    ['0000'],
    ['4201'],
    ['61ff'],
    ['8201'],
    ['a101'],
    ['a2616100616100'],
    ['9bffffffffffffffff'],
  ])('parser: %j -> not an item', (hex) => {
    expect(() => parseCborItem(Buffer.from(hex, 'hex'))).toThrow()
  })
})
