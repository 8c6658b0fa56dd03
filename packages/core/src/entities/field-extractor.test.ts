import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeEntity } from '../cbor/entity-encoder.ts'
import { FieldExtractor } from './field-extractor.ts'

const NAMES = ['a', '__proto__', 'constructor', 'id']

const entities = fc.dictionary(
  fc.constantFrom(...NAMES, 'b', 'x'.repeat(30)),
  fc.oneof(fc.string(), fc.integer(), fc.array(fc.integer(), { maxLength: 2 })),
)

describe('FieldExtractor', () => {
  test('any entity -> its fields of those names, as its own', () => {
    const extractor = new FieldExtractor(NAMES)
    fc.assert(
      fc.property(entities, (entity) => {
        const fields = extractor.extract(encodeEntity(entity))
        const own = Object.entries(entity).filter(([name]) => NAMES.includes(name))
        expect(new Map(Object.entries(fields))).toEqual(new Map(own))
        expect(Object.getPrototypeOf(fields)).toBe(Object.prototype)
      }),
    )
  })

  test('two entities -> the same only where each of those fields is', () => {
    const extractor = new FieldExtractor(NAMES)
    const isSame = (a: object, b: object) =>
      extractor.isSame(extractor.extract(encodeEntity(a)), extractor.extract(encodeEntity(b)))
    expect(isSame({ id: '1', a: 1, b: 1 }, { id: '1', a: 1, b: 2 })).toBe(true)
    expect(isSame({ id: '1', a: 1 }, { id: '1', a: 2 })).toBe(false)
    expect(isSame({ id: '1', a: 1 }, { id: '1' })).toBe(false)
    expect(isSame({ id: '1' }, { id: '1', ['__proto__']: 1 })).toBe(false)
    expect(isSame({ id: '1' }, { id: '1', constructor: 1 })).toBe(false)
    // Not worth looking into: at worst a query is found that is of no concern.
    expect(isSame({ id: '1', a: [1] }, { id: '1', a: [1] })).toBe(false)
  })
})
