import { describe, expect, test } from 'vitest'
import { float16BitsOf, float16Of, isFloat32 } from './float-form.ts'

describe('float16', () => {
  test('float16BitsOf: every float16 -> its bits; NaN has one form', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = float16Of(bits)
      expect(float16BitsOf(value)).toBe(Number.isNaN(value) ? 0x7e00 : bits)
      expect(Number.isNaN(value) || isFloat32(value)).toBe(true)
    }
  })

  test('float16BitsOf: every midpoint between neighbours -> none', () => {
    for (let bits = 0; bits < 0x7bff; bits++) {
      const middle = (float16Of(bits) + float16Of(bits + 1)) / 2
      expect(float16BitsOf(middle)).toBe(-1)
      expect(float16BitsOf(-middle)).toBe(-1)
    }
  })

  test('float16BitsOf: known values -> their bits', () => {
    expect(float16BitsOf(1)).toBe(0x3c00)
    expect(float16BitsOf(-0)).toBe(0x8000)
    expect(float16BitsOf(65504)).toBe(0x7bff)
    expect(float16BitsOf(65505)).toBe(-1)
    expect(float16BitsOf(65520)).toBe(-1)
    expect(float16BitsOf(1e300)).toBe(-1)
    expect(float16BitsOf(5e-324)).toBe(-1)
    expect(float16BitsOf(2 ** -25)).toBe(-1)
    expect(float16BitsOf(2 ** -149)).toBe(-1)
  })

  test('isFloat32: doubles that float32 keeps -> true', () => {
    expect([1.5, 2 ** 24, -0, Infinity, 2 ** -149].every(isFloat32)).toBe(true)
    expect([1.1, 2 ** 24 + 1, 1e300, 2 ** -150].some(isFloat32)).toBe(false)
  })
})
