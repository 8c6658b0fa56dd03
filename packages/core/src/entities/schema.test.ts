import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { encodeEntity } from '../cbor/entity-encoder.ts'
import { assertFitsSchema } from './schema.ts'
import type { StandardSchema } from './standard-schema.ts'

function check(validate: (value: unknown) => unknown, entity: object): void {
  // Some of them are not what a schema is.
  const schema = { '~standard': { version: 1, vendor: 'test', validate } } as StandardSchema
  assertFitsSchema(schema, 'people', entity, encodeEntity(entity))
}

describe('schema', () => {
  test('the entity itself, or an equal one -> fits', () => {
    expect(() => check((value) => ({ value }), { id: 'p1' })).not.toThrow()
    expect(() => check(() => ({ value: { a: 1, id: 'p1' } }), { id: 'p1', a: 1 })).not.toThrow()
  })

  test('the entity itself, changed in place -> schema_transforms', () => {
    const change = (value: unknown) => ({ value: Object.assign(value as object, { a: 2 }) })
    expect(() => check(change, { id: 'p1', a: 1 })).toThrow(
      expect.objectContaining({ code: 'schema_transforms' }),
    )
  })

  test('something that no entity can hold -> schema_transforms', () => {
    expect(() => check(() => ({ value: { id: 'p1', a: () => 1 } }), { id: 'p1' })).toThrow(
      expect.objectContaining({ code: 'schema_transforms' }),
    )
  })

  test('issues -> told in plain data, and handed on as they are', () => {
    const issues = [
      { message: 'too short', path: ['phones', 0, { key: 'number' }], expected: 3 },
      { message: 'not complete' },
    ]
    expect(() => check(() => ({ issues }), { id: 'p1' })).toThrow(
      expect.objectContaining({
        code: 'schema_violation',
        message: expect.stringContaining('phones.0.number: too short; not complete'),
        details: {
          collection: 'people',
          issues: [
            { message: 'too short', path: 'phones.0.number' },
            { message: 'not complete', path: '' },
          ],
        },
        cause: issues,
      }),
    )
  })

  test.each<[string, (value: unknown) => unknown]>([
    ['a promise', async (value) => ({ value })],
    ['a promise that fails', async () => Promise.reject(new Error('nobody hears this'))],
    ['a promise of another realm', () => runInNewContext('Promise.resolve({ value: 1 })')],
  ])('%s -> TypeError', (_, validate) => {
    expect(() => check(validate, { id: 'p1' })).toThrow(TypeError)
  })
})
