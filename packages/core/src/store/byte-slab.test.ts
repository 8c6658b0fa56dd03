import { expect, test } from 'vitest'
import { allocateBytes } from './byte-slab.ts'

test('byte slab: many lengths, short and long -> zeroed, of that length, never overlapping', () => {
  const slices = Array.from({ length: 2_000 }, (_, i) => allocateBytes((i * 37) % 2_500))
  for (const [i, slice] of slices.entries()) {
    expect(slice.length).toBe((i * 37) % 2_500)
    expect(slice.every((byte) => byte === 0)).toBe(true)
    slice.fill((i % 255) + 1)
  }
  for (const [i, slice] of slices.entries()) {
    expect(slice.every((byte) => byte === (i % 255) + 1)).toBe(true)
  }
})
