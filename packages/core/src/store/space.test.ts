import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SpaceMap } from './space.ts'

function runsOf(space: SpaceMap): [start: number, size: number][] {
  const runs: [number, number][] = []
  space.forEachRun((start, size) => runs.push([start, size]))
  return runs
}

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
      for (const [start, size] of runsOf(space)) {
        expect(start).toBeGreaterThan(lastEnd)
        lastEnd = start + size
        take(start, size)
      }
      expect(owners.every((count) => count === 1)).toBe(true)
    }),
  )
})

test('space: as many units as 32 bits can count -> disk_full, and what is free is given out', () => {
  const space = new SpaceMap(2 ** 32 - 10)
  expect(space.allocate(9)).toBe(2 ** 32 - 10)
  expect(() => space.allocate(1)).toThrow(expect.objectContaining({ code: 'disk_full' }))
  space.free(2 ** 32 - 5, 2)
  expect(space.allocate(1)).toBe(2 ** 32 - 5)
})

test('space: a run is freed twice -> throws', () => {
  const space = new SpaceMap(16)
  const start = space.allocate(4)
  space.free(start, 4)
  expect(() => space.free(start + 1, 2)).toThrow('freed once')
})

test('space: any extents freed at once -> as one by one', () => {
  const pieces = fc.array(fc.record({ units: fc.integer({ min: 1, max: 5 }), when: fc.nat(2) }))
  fc.assert(
    fc.property(pieces, (all) => {
      const single = new SpaceMap(0)
      const extents = all.map(({ units, when }) => ({
        extent: { start: single.allocate(units), bytes: units * 512 },
        when,
      }))
      const atOnce = single.copy()
      const freed = (time: number) =>
        extents.filter(({ when }) => when === time).map(({ extent }) => extent)
      for (const time of [0, 1]) {
        for (const { start, bytes } of freed(time)) single.free(start, bytes / 512)
        atOnce.freeAll(freed(time).reverse())
        expect(runsOf(atOnce)).toEqual(runsOf(single))
        expect(atOnce.freeUnits).toBe(single.freeUnits)
        expect(atOnce.runCount).toBe(runsOf(single).length)
      }
      const [first] = freed(1)
      if (first !== undefined) expect(() => single.copy().freeAll([first])).toThrow('freed once')
      for (const space of [single, atOnce]) space.restart()
      expect(atOnce.allocate(3)).toBe(single.allocate(3))
    }),
  )
})

test('space: any extent taken -> no longer free, the rest as before', () => {
  fc.assert(
    fc.property(fc.nat(9), fc.integer({ min: 1, max: 9 }), (from, units) => {
      const space = new SpaceMap(40)
      space.free(20, 20)
      const start = Math.min(20 + from, 40 - units)
      space.take({ start, bytes: units * 512 })
      expect(space.freeUnits).toBe(20 - units)
      expect(() => space.free(start, units)).not.toThrow()
      expect(runsOf(space)).toEqual([[20, 20]])
      space.take({ start: 4, bytes: 512 })
      space.take({ start: 40, bytes: 512 })
      expect(runsOf(space)).toEqual([[20, 20]])
    }),
  )
})
