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
  test('any entity, before or after -> its fields of those names, as its own', () => {
    const extractor = new FieldExtractor(NAMES)
    fc.assert(
      fc.property(entities, fc.boolean(), (entity, isBefore) => {
        const bytes = encodeEntity(entity)
        const forms = isBefore
          ? extractor.extract(bytes, undefined)
          : extractor.extract(undefined, bytes)
        expect(forms).toHaveLength(1)
        const [fields = {}] = forms
        const own = Object.entries(entity).filter(([name]) => NAMES.includes(name))
        expect(new Map(Object.entries(fields))).toEqual(new Map(own))
        expect(Object.getPrototypeOf(fields)).toBe(Object.prototype)
      }),
    )
  })

  test('any change -> both states, or one where those fields stay the same', () => {
    const extractor = new FieldExtractor(NAMES)
    fc.assert(
      fc.property(entities, entities, (before, after) => {
        const bytes = [encodeEntity(before), encodeEntity(after)] as const
        const each = bytes.flatMap((one) => extractor.extract(one, undefined))
        const [first, second] = each.map((fields) => encodeEntity(fields))
        const isSame = first?.join() === second?.join()
        expect(extractor.extract(...bytes)).toEqual(isSame ? each.slice(1) : each)
      }),
    )
  })
})
