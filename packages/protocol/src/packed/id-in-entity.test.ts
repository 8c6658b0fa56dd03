import { encodeEntity } from '@entidb/core/cbor'
import { describe, expect, test } from 'vitest'
import { idOffsetIn } from './id-in-entity.ts'

function offsetIn(entity: Uint8Array, id: string): number {
  return idOffsetIn(entity, encodeEntity(id))
}

const manyShortKeys = Object.fromEntries([...'abcdefghijklmnop'].map((key) => [key, 1]))

describe('idOffsetIn', () => {
  test.each<[string, object, number]>([
    ['the first key', { id: 'n1', text: 'milk' }, 4],
    ['behind a shorter key', { id: 'n1', a: 1 }, 7],
    ['behind nested values', { id: 'n1', a: [{ id: 'n1' }], ab: { id: 'n1' } }, 24],
    ['another id', { id: 'n2' }, 0],
    ['an id that only begins alike', { id: 'n11' }, 0],
    ['no id', { text: 'n1' }, 0],
    ['an id below', { text: { id: 'n1' } }, 0],
    ['behind too many keys', { ...manyShortKeys, id: 'n1' }, 0],
  ])('entity: %s -> where the text begins, or 0', (_, entity, offset) => {
    expect(offsetIn(encodeEntity(entity), 'n1')).toBe(offset)
  })

  test.each([
    ['no bytes', ''],
    ['not a map', '62696462'],
    ['a map that ends early', 'a2626964'],
    ['an indefinite length', 'bf626964626e31ff'],
    ['a value that ends early', 'a2616119'],
  ])('bytes: %s -> 0', (_, hex) => {
    expect(offsetIn(new Uint8Array(Buffer.from(hex, 'hex')), 'n1')).toBe(0)
  })
})
