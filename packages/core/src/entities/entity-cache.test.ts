import { describe, expect, test } from 'vitest'
import { type CollectionCache, EntityCache } from './entity-cache.ts'

const shape = { name: 'notes', schemaVersion: 1 }

function put(notes: CollectionCache, id: string, stamp: number, bytes = 10, latest = true) {
  return notes.put(id, { stamp, revision: 0, shape }, { stamp }, bytes, latest)
}

describe('entity cache', () => {
  test('more than the bound -> the oldest go, those in use stay', () => {
    const cache = new EntityCache(100)
    const notes = cache.collection()
    const used = put(notes, 'used', 1)
    for (let i = 0; i < 100; i++) {
      put(notes, `n${i}`, 10 + i)
      expect(notes.find(1)).toBe(used)
      expect(cache.bytes).toBeLessThanOrEqual(100)
    }
    expect(cache.entries).toBe(10)
    expect(notes.latest('n0')).toBeUndefined()
    expect(notes.latest('n99')).toEqual({ stamp: 109 })
  })

  test('larger than the bound -> not kept', () => {
    const cache = new EntityCache(100)
    put(cache.collection(), 'a', 1, 1000)
    expect(cache.bytes).toBe(0)
  })

  test('another version -> found only by its own stamp', () => {
    const notes = new EntityCache(100).collection()
    put(notes, 'a', 1)
    expect(notes.find(2)).toBeUndefined()
    put(notes, 'a', 2)
    expect(notes.find(1)).toBeUndefined()
    expect(notes.find(2)?.value).toEqual({ stamp: 2 })
  })

  test('an older version read from a snapshot -> does not push out the latest', () => {
    const notes = new EntityCache(100).collection()
    put(notes, 'a', 2)
    put(notes, 'a', 1, 10, false)
    expect(notes.latest('a')).toEqual({ stamp: 2 })
  })

  test('written -> no longer the latest', () => {
    const notes = new EntityCache(100).collection()
    put(notes, 'a', 1)
    notes.invalidate('a')
    expect(notes.latest('a')).toBeUndefined()
    expect(notes.find(1)?.value).toEqual({ stamp: 1 })
  })

  test('dropped -> no longer found by its value of a unique index', () => {
    const notes = new EntityCache(20).collection()
    const { value } = put(notes, 'a', 1)
    notes.rememberOnly('stamp', 'a', value)
    expect(notes.latestWith('stamp', 1)).toBe(value)
    // It was used: it gets another round.
    for (let i = 2; i < 8; i++) put(notes, `n${i}`, i)
    expect(notes.latest('a')).toBeUndefined()
    expect(notes.latestWith('stamp', 1)).toBeUndefined()
  })

  test('many replaced -> the bookkeeping does not grow', () => {
    const cache = new EntityCache(1000)
    const notes = cache.collection()
    for (let i = 0; i < 10_000; i++) put(notes, 'a', i)
    expect(cache.entries).toBe(1)
    expect(cache.bytes).toBe(10)
  })
})
