import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SpaceMap } from './space.ts'

test('space: any allocations and frees -> nothing is given out twice, neighbours join', () => {
  const step = fc.record({
    isFree: fc.boolean(),
    size: fc.integer({ min: 1, max: 9 }),
    pick: fc.nat(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const space = new SpaceMap(16)
      const used: [start: number, size: number][] = []
      for (const { isFree, size, pick } of steps) {
        if (isFree && used.length > 0) {
          const [freed] = used.splice(pick % used.length, 1)
          if (freed !== undefined) space.free(...freed)
        } else {
          used.push([space.allocate(size), size])
        }
      }
      const owners = new Uint8Array(space.endUnit)
      const take = (start: number, size: number): void => {
        for (let unit = start; unit < start + size; unit++) owners[unit] = (owners[unit] ?? 0) + 1
      }
      take(0, 16)
      for (const [start, size] of used) take(start, size)
      let lastEnd = -1
      for (const [start, size] of space.runs()) {
        expect(start).toBeGreaterThan(lastEnd)
        lastEnd = start + size
        take(start, size)
      }
      expect(owners.every((count) => count === 1)).toBe(true)
    }),
  )
})

test('space: a run is freed twice -> throws', () => {
  const space = new SpaceMap(16)
  const start = space.allocate(4)
  space.free(start, 4)
  expect(() => space.free(start + 1, 2)).toThrow('freed once')
})
