import { expect, test } from 'vitest'
import { grownIndex, indexEntry, indexOf, NARROW_BYTES_MAX, offsetIn } from './entry-index.ts'

test('index entry: any head and offset -> both are found again, and order is that of heads', () => {
  const heads = [0, 1, 255, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]
  for (const [i, head] of heads.entries()) {
    for (const offset of [0, 1, 4096, NARROW_BYTES_MAX - 1]) {
      const entry = indexEntry(offset, head)
      expect(offsetIn(entry)).toBe(offset)
      expect(Math.floor(entry)).toBe(head)
      expect(Number.isInteger(entry)).toBe(false)
      const next = heads[i + 1]
      if (next !== undefined) expect(entry).toBeLessThan(next)
    }
  }
})

test('index of so many entries -> exactly so many; grown: the same ones, and room', () => {
  for (const count of [0, 1, 511, 512, 513, 2000]) {
    const index = indexOf(count)
    expect(index.length).toBe(count)
    for (let i = 0; i < count; i++) index[i] = indexEntry(i, i)
    const grown = grownIndex(index, count, 3)
    expect(grown.length).toBeGreaterThanOrEqual(count + 3)
    expect(grown.slice(0, count)).toEqual(index)
  }
})
