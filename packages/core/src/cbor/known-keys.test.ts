import { describe, expect, test } from 'vitest'
import { encodeEntity } from './entity-encoder.ts'
import { KnownKey, KnownKeyTable } from './known-keys.ts'

function lookUp(table: KnownKeyTable, text: string): KnownKey {
  const bytes = encodeEntity(text)
  return table.find(bytes, 0, bytes.length) ?? table.create(text, bytes, 0, bytes.length)
}

describe('KnownKeyTable', () => {
  test('KnownKeyTable: a key met twice -> known from then on', () => {
    const table = new KnownKeyTable()
    expect(lookUp(table, 'name').isLive).toBe(false)
    const known = lookUp(table, 'name')
    expect(known.isLive).toBe(true)
    expect(lookUp(table, 'name')).toBe(known)
  })

  test('KnownKeyTable: a long key -> never kept', () => {
    const table = new KnownKeyTable()
    const text = 'x'.repeat(60)
    for (let i = 0; i < 3; i++) expect(lookUp(table, text).isLive).toBe(false)
  })

  test('KnownKeyTable: many keys -> those pushed out are dropped with their links', () => {
    const table = new KnownKeyTable()
    const keys = Array.from({ length: 20_000 }, (_, i) => {
      lookUp(table, `key${i}`)
      const key = lookUp(table, `key${i}`)
      key.next = key
      key.inside = key
      return key
    })
    const live = keys.filter((key) => key.isLive)
    expect(live.length).toBeLessThanOrEqual(2048)
    expect(live.length).toBeGreaterThan(1000)
    const dropped = keys.filter((key) => !key.isLive)
    expect(dropped.every((key) => key.next === undefined && key.inside === undefined)).toBe(true)
  })

  test('KnownKey: its bytes partly beyond the range -> no match', () => {
    const bytes = encodeEntity('abc')
    const key = new KnownKey('abc', bytes, true)
    expect(key.matches(bytes, 0, 4)).toBe(true)
    expect(key.matches(bytes, 0, 3)).toBe(false)
    expect(key.matches(encodeEntity('abd'), 0, 4)).toBe(false)
  })
})
