import { describe, expect, test } from 'vitest'
import { toHex } from './codec.test-kit.ts'
import { type ObjectShape, ObjectShapeCache } from './object-shape.ts'

function shapeOf(cache: ObjectShapeCache, names: readonly string[]): ObjectShape {
  const shape = cache.shapeOf(names)
  if (typeof shape === 'string') throw new Error(`Not well-formed: ${shape}`)
  return shape
}

describe('ObjectShapeCache', () => {
  test('ObjectShapeCache: names -> encoded and sorted bytewise', () => {
    const shape = shapeOf(new ObjectShapeCache(), ['ü', 'aa', 'b', ''])
    expect(shape.sortedNames).toEqual(['', 'b', 'aa', 'ü'])
    expect(toHex(shape.keyBytes)).toBe('60616262616162c3bc')
    expect(shape.keyEnds).toEqual([1, 3, 6, 9])
  })

  test('ObjectShapeCache: the same names again -> the same shape; in another order -> another', () => {
    const cache = new ObjectShapeCache()
    const shape = shapeOf(cache, ['a', 'b'])
    expect(shapeOf(cache, ['a', 'b'])).toBe(shape)
    expect(shapeOf(cache, ['b', 'a'])).not.toBe(shape)
    expect(shapeOf(cache, ['b', 'a']).keyBytes).toEqual(shape.keyBytes)
  })

  test('ObjectShapeCache: a name with a lone surrogate -> that name', () => {
    const cache = new ObjectShapeCache()
    for (let i = 0; i < 2; i++) expect(cache.shapeOf(['a', '\ud800', 'b'])).toBe('\ud800')
    const next = shapeOf(cache, ['a', 'b'])
    expect(next.sortedNames).toEqual(['a', 'b'])
    expect(toHex(next.keyBytes)).toBe('61616162')
    expect(next.keyEnds).toEqual([2, 4])
  })

  test('ObjectShapeCache: more shapes than it keeps -> the oldest is made anew', () => {
    const cache = new ObjectShapeCache()
    const first = shapeOf(cache, ['a', 'first'])
    for (let i = 0; i < 15; i++) shapeOf(cache, ['a', `b${i}`])
    expect(shapeOf(cache, ['a', 'first'])).toBe(first)
    shapeOf(cache, ['a', 'last'])
    expect(shapeOf(cache, ['a', 'first'])).not.toBe(first)
  })

  test('ObjectShapeCache: long or many names -> not kept', () => {
    const cache = new ObjectShapeCache()
    const many = Array.from({ length: 49 }, (_, i) => `k${i}`)
    for (const names of [many, ['x'.repeat(65)]]) {
      expect(shapeOf(cache, names)).not.toBe(shapeOf(cache, names))
    }
  })
})
