/** Random entities, indexes and queries, of few values, so that conditions hold often. */
import fc from 'fast-check'
import { scalars, texts, values } from './values.test-kit.ts'

export const indexes = {
  a: ['a'],
  ab: ['a', 'b'],
  aDescB: [{ a: 'desc' }, 'b'],
  bSparse: { on: ['b', 'a'], sparse: true },
  nested: ['n.x', { b: 'desc' }],
  c: ['c'],
  elements: ['c[]', { a: 'desc' }],
  aElementsB: { on: ['a', { 'c[]': 'desc' }, 'b'], sparse: true },
} as const

const few = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 2 }) },
  { weight: 2, arbitrary: fc.constantFrom('x', 'x\0', 'y', null, 1n) },
  { weight: 1, arbitrary: scalars },
)

export const entities = fc.uniqueArray(
  fc.record(
    {
      id: fc
        .oneof(fc.constantFrom('1', '2', '10', 'é', '\0', '\u{10000}', '\uffff'), texts)
        .filter((id) => id !== ''),
      a: few,
      b: few,
      c: fc.oneof(values, fc.array(few, { maxLength: 3 })),
      n: fc.oneof(fc.record({ x: few }), few),
    },
    { requiredKeys: ['id'] },
  ),
  { selector: ({ id }) => id, maxLength: 25 },
)

const conditions = fc.oneof(
  few,
  fc.record({ eq: few }),
  fc.record({ ne: few }),
  fc.record({ gt: few, gte: few, lt: few, lte: few }, { requiredKeys: ['gt'] }),
  fc.record({ gte: few, lt: few }, { requiredKeys: ['gte'] }),
  fc.record({ lt: few }),
  fc.record({ lte: few }),
  fc.record({ in: fc.array(few, { maxLength: 3 }) }),
  fc.record({ between: fc.tuple(few, few) }),
  fc.record({ startsWith: texts }),
  fc.record({ exists: fc.boolean() }),
  fc.record({ has: few }),
)

/** Several values of a field: several stretches of an index. */
const among = fc.record({ in: fc.array(few, { maxLength: 4 }) })

const fields = fc.constantFrom('a', 'b', 'c', 'n.x', 'id')
const where = fc.letrec((tie) => ({
  where: fc.oneof(
    { maxDepth: 2 },
    fc.dictionary(fields, conditions, { maxKeys: 3 }),
    fc.record({ and: fc.array(tie('where'), { maxLength: 2 }) }),
    fc.record({ or: fc.array(tie('where'), { maxLength: 2 }), a: conditions }),
    fc.record({ or: fc.array(tie('where'), { maxLength: 3 }) }),
    fc.record({ a: among, b: fc.oneof(among, conditions) }),
    fc.record({ a: conditions, c: fc.record({ has: few }) }),
    fc.record({ or: fc.array(fc.record({ c: fc.record({ has: few }) }), { maxLength: 3 }) }),
    fc.record({ not: tie('where') }),
  ),
})).where

const orderBy = fc.dictionary(fields, fc.constantFrom('asc', 'desc'), { maxKeys: 2 })

/** One index at a time, so that none is always beaten by another; or all of them. */
export const someIndexes = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...Object.entries(indexes).map((one) => [one])) },
  { weight: 1, arbitrary: fc.constantFrom(Object.entries(indexes), []) },
)

export const queries = fc.record(
  { where, orderBy, limit: fc.integer({ min: 0, max: 6 }), filter: fc.constant(undefined) },
  { requiredKeys: ['where'] },
)

const digit = fc.integer({ min: 0, max: 2 })
const someOf = fc.oneof(fc.record({ in: fc.subarray([0, 1, 2], { minLength: 2 }) }), digit)
const simple = fc.oneof(
  fc.record({ a: someOf }),
  fc.record({ b: someOf }),
  fc.record({ a: someOf, b: fc.record({ gte: digit }) }),
)

/** Many entities of few values: several stretches of an index, or parts of an `or`, hold some each. */
export const denseEntities = fc
  .array(fc.record({ a: digit, b: digit, c: digit }), { minLength: 20, maxLength: 40 })
  .map((all) => all.map((fields, i) => ({ ...fields, id: `${(i * 7) % 41}` })))

export const denseIndexes = fc.subarray(
  [
    ['ab', ['a', 'b']],
    ['aDescB', [{ a: 'desc' }, 'b']],
    ['bcDesc', ['b', { c: 'desc' }]],
    ['abc', ['a', 'b', 'c']],
  ] as const,
  { minLength: 1, maxLength: 2 },
)

export const denseQueries = fc.record(
  {
    where: fc.oneof(
      fc.record({ a: someOf, b: someOf }),
      fc.record({ a: someOf }),
      fc.record({ or: fc.array(simple, { minLength: 2, maxLength: 3 }) }),
    ),
    orderBy: fc.oneof(
      fc.record({ b: fc.constantFrom('asc', 'desc') }),
      fc.record({ c: fc.constantFrom('asc', 'desc') }),
      fc.record({ b: fc.constantFrom('asc', 'desc'), c: fc.constantFrom('asc', 'desc') }),
      fc.record({ b: fc.constant('desc'), id: fc.constantFrom('asc', 'desc') }),
    ),
    limit: fc.integer({ min: 1, max: 9 }),
  },
  { requiredKeys: ['where'] },
)
