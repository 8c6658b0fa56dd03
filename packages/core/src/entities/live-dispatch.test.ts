import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeEntity } from '../cbor/entity-encoder.ts'
import { LiveDispatch } from './live-dispatch.ts'
import { matcherOf } from './live-result.ts'
import { type ParsedQuery, parseQuery } from './parsed-query.ts'
import { entities, queries } from './queries.test-kit.ts'

function dispatchOf(all: readonly ParsedQuery[]): LiveDispatch<ParsedQuery> {
  const dispatch = new LiveDispatch<ParsedQuery>()
  for (const query of all) dispatch.add(query, query)
  return dispatch
}

function found(dispatch: LiveDispatch<ParsedQuery>, entity: object): ReadonlySet<ParsedQuery> {
  const queries = new Set<ParsedQuery>()
  dispatch.find(entity, queries)
  const extracted = new Set<ParsedQuery>()
  for (const form of dispatch.extractor.extract(undefined, encodeEntity(entity))) {
    dispatch.find(form, extracted)
  }
  expect(extracted).toEqual(queries)
  return queries
}

const thousand = (where: (i: number) => object) =>
  Array.from({ length: 1000 }, (_, i) => parseQuery({ where: where(i) }))

describe('dispatch', () => {
  test('any queries, some removed, any entity -> all that it answers, none that was removed', () => {
    const asked = fc.array(fc.tuple(queries, fc.boolean()), { maxLength: 30 })
    fc.assert(
      fc.property(asked, entities, (several, all) => {
        const parsed = several.map(([query, stays]) => ({ query: parseQuery(query), stays }))
        const dispatch = dispatchOf(parsed.map(({ query }) => query))
        // What was measured before has to be measured anew.
        for (const entity of all) found(dispatch, entity)
        for (const { query, stays } of parsed) {
          if (!stays) dispatch.remove(query, query)
        }
        for (const entity of all) {
          const concerned = found(dispatch, entity)
          for (const { query, stays } of parsed) {
            if (!stays) expect(concerned.has(query)).toBe(false)
            else if (matcherOf(query)(entity)) expect(concerned.has(query)).toBe(true)
          }
        }
        for (const { query } of parsed) dispatch.remove(query, query)
        expect(dispatch.queries.size).toBe(0)
        for (const entity of all) expect(found(dispatch, entity).size).toBe(0)
      }),
      { numRuns: 500 },
    )
  })

  test.each<[string, (i: number) => object, object]>([
    ['a value', (i) => ({ a: i }), { a: 7 }],
    ['an id', (i) => ({ id: `${i}` }), { id: '7' }],
    ['two values, one the same for all', (i) => ({ b: 1, a: i }), { a: 7, b: 1 }],
    ['a bigint', (i) => ({ a: BigInt(i) }), { a: 7 }],
    [
      'a number beyond 2^53',
      (i) => ({ a: 2 ** 60 + i * 2 ** 20 }),
      { a: BigInt(2 ** 60 + 7 * 2 ** 20) },
    ],
    ['a date', (i) => ({ a: new Date(i) }), { a: new Date(7) }],
    ['one of several', (i) => ({ a: { in: [i, `x${i}`] } }), { a: 'x7' }],
    ['a range', (i) => ({ a: { gte: i, lt: i + 1 } }), { a: 7.5 }],
    [
      'a value, the same for all, and a range of another field',
      (i) => ({ b: 1, a: { gte: i, lt: i + 1 } }),
      { a: 7.5, b: 1 },
    ],
    [
      'one of several values, and a range in each part of an or',
      (i) => ({ or: [{ b: { in: [1, 2] }, a: { gte: i, lt: i + 1 } }, { b: 3 + i }] }),
      { a: 7.5, b: 2 },
    ],
    ['a part of an or', (i) => ({ or: [{ a: i }, { b: { gt: i + 2000 } }] }), { a: 7, b: 1 }],
    ['a value, whatever an or says', (i) => ({ a: i, or: [{ b: 1 }, { c: 1 }] }), { a: 7, b: 1 }],
    ['a part of an or, and a range', (i) => ({ c: { gt: 0 }, or: [{ a: i }] }), { a: 7, c: 1 }],
    ['between', (i) => ({ a: { between: [`k${i + 100}`, `k${i + 100}z`] } }), { a: 'k107y' }],
  ])('a thousand queries that fix %s -> one is found', (_, where, entity) => {
    const all = thousand(where)
    expect([...found(dispatchOf(all), entity)]).toEqual([all[7]])
  })

  test('a missing field -> found by null', () => {
    const query = parseQuery({ where: { a: null } })
    expect(found(dispatchOf([query]), { id: '1' }).has(query)).toBe(true)
  })
})
