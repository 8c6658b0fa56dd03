import { describe, expect, test } from 'vitest'
import { type Fields, mergedEntity, mergeFields } from './merge-fields.ts'

const decide = (field: string): string => `decided ${field}`
function merge(base: Fields | undefined, local: Fields, remote: Fields): Fields {
  const { id, ...fields } = mergedEntity('e', mergeFields(base, local, remote, decide))
  expect(id).toBe('e')
  return fields
}

describe('merge of fields', () => {
  test('field: changed on one side only -> that side', () => {
    expect(merge({ a: 1, b: 1, c: 1 }, { a: 2, b: 1, c: 1 }, { a: 1, b: 3, c: 1 })).toEqual({
      a: 2,
      b: 3,
      c: 1,
    })
  })

  test('field: changed on both sides -> contested and decided, unless to the same value', () => {
    const merges = mergeFields({ a: 1, b: 1 }, { a: 2, b: 5 }, { a: 3, b: 5 }, decide)
    expect(merges.filter(({ contested }) => contested).map(({ field }) => field)).toEqual(['a'])
    expect(mergedEntity('e', merges)).toEqual({ id: 'e', a: 'decided a', b: 5 })
  })

  test('field: added or removed on one side -> added or removed', () => {
    expect(merge({ a: 1, gone: 1 }, { a: 1, gone: 1, here: 1 }, { a: 1 })).toEqual({
      a: 1,
      here: 1,
    })
  })

  test('nested value: changed -> compared by content, taken as a whole', () => {
    const base = { at: { lat: 1, lon: 2 } }
    expect(merge(base, { at: { lat: 1, lon: 2 } }, { at: { lat: 9, lon: 2 } })).toEqual({
      at: { lat: 9, lon: 2 },
    })
  })

  test('base: unknown -> every difference is contested', () => {
    expect(merge(undefined, { a: 1, b: 1 }, { a: 1, b: 2 })).toEqual({ a: 1, b: 'decided b' })
  })
})
