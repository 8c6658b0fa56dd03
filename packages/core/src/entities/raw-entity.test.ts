import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeEntity } from '../cbor/entity-encoder.ts'
import { EntiDBError } from '../errors/entidb-error.ts'
import { defineCollection } from './collection-definition.ts'
import { createCollectionState, specOf } from './collection-state.ts'
import { EntityCache } from './entity-cache.ts'
import { idKeyOf } from './entity-id.ts'
import { indexKeysOf } from './prepared-entity.ts'
import { rawEntityReader } from './raw-entity.ts'
import { values } from './values.test-kit.ts'

const definition = defineCollection<{ id: string; [field: string]: unknown }>({
  indexes: {
    a: ['a'],
    desc: { on: [{ a: 'desc' }, 'b'] },
    nested: ['deep.er', 'id'],
    sparse: { on: ['b'], sparse: true },
    sparseNested: { on: ['deep', 'deep.er'], sparse: true },
    elements: ['deep.er[]', { a: 'desc' }],
    sparseElements: { on: ['b', { 'a[]': 'desc' }], sparse: true },
  },
})

const state = createCollectionState({
  name: 'things',
  spec: specOf('things', definition),
  code: undefined,
  isDefined: true,
  cache: new EntityCache(0).collection(),
  maxIdBytes: 512,
  maxEntityBytes: 1024,
})

function keysOf(id: string, bytes: Uint8Array) {
  const idKey = idKeyOf(id)
  const reader = rawEntityReader(state)
  reader.read('things', idKey, bytes)
  return state.indexes.map((_, index) => reader.keysOf(index, idKey, bytes))
}

function failureOf(bytes: Uint8Array): unknown {
  try {
    keysOf('x', bytes)
  } catch (error) {
    if (error instanceof EntiDBError) return { code: error.code, ...error.details }
    throw error
  }
  return 'none'
}

describe('raw entity', () => {
  test('any entity -> the index keys of the decoded one', () => {
    const value = fc.oneof(values, fc.constantFrom('x'.repeat(30), 'x'.repeat(300)))
    const entity = fc.record(
      {
        a: value,
        b: value,
        deep: fc.oneof(value, fc.record({ er: value }), fc.constant({})),
        other: value,
      },
      { requiredKeys: [] },
    )
    const ids = fc.constantFrom('x', 'é', '水'.repeat(20))
    fc.assert(
      fc.property(ids, entity, (id, fields) => {
        const whole = { ...fields, id }
        const expected = indexKeysOf(state, idKeyOf(id), whole)
        expect(keysOf(id, encodeEntity(whole))).toEqual(expected)
      }),
      { numRuns: 300 },
    )
  })

  test.each([
    ['another id', { id: 'y', a: 1 }, { code: 'invalid_entity', path: 'id', reason: 'other_id' }],
    ['a longer id', { id: 'xx' }, { code: 'invalid_entity', path: 'id', reason: 'other_id' }],
    ['no id', { a: 1 }, { code: 'invalid_cbor', offset: 0, reason: 'missing_id' }],
    ['an id that is no text', { id: 7 }, { code: 'invalid_cbor', reason: 'unexpected_type' }],
  ])('bytes with %s -> refused', (_, entity, failure) => {
    expect(failureOf(encodeEntity(entity))).toMatchObject(failure)
  })

  test('bytes that are unsound behind every wanted field -> invalid_cbor', () => {
    const bytes = encodeEntity({ id: 'x', zzz: 'text' })
    const unsound = Uint8Array.of(...bytes)
    unsound[unsound.length - 1] = 0xff
    expect(failureOf(bytes)).toBe('none')
    expect(failureOf(unsound)).toMatchObject({ code: 'invalid_cbor', reason: 'invalid_utf8' })
  })
})
