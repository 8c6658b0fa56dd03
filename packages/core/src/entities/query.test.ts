import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type AnyEntity, defineCollection } from './collection-definition.ts'
import { compareText } from './compare-text.ts'
import { compareValues, rankOf } from './compare-values.ts'
import { EntiDB } from './database.ts'
import { memoryStorage } from './memory-storage.ts'
import { naiveStorage } from './naive-store.test-kit.ts'
import type { Query } from './query.ts'
import { scalars, texts, values } from './values.test-kit.ts'

const indexes = {
  a: ['a'],
  ab: ['a', 'b'],
  aDescB: [{ a: 'desc' }, 'b'],
  bSparse: { on: ['b', 'a'], sparse: true },
  nested: ['n.x', { b: 'desc' }],
  c: ['c'],
} as const

const few = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom('x', 'y', null), scalars)

const entities = fc.uniqueArray(
  fc.record(
    {
      id: fc.oneof(fc.constantFrom('1', '2', '10', 'é', '\0', '\u{10000}', '\uffff'), texts),
      a: few,
      b: few,
      c: values,
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
  fc.record({ gt: few }),
  fc.record({ gte: few, lt: few }),
  fc.record({ lte: few }),
  fc.record({ in: fc.array(few, { maxLength: 3 }) }),
  fc.record({ between: fc.tuple(few, few) }),
  fc.record({ startsWith: texts }),
  fc.record({ exists: fc.boolean() }),
  fc.record({ has: few }),
)

const fields = fc.constantFrom('a', 'b', 'c', 'n.x', 'id')
const where = fc.letrec((tie) => ({
  where: fc.oneof(
    { maxDepth: 2 },
    fc.dictionary(fields, conditions, { maxKeys: 3 }),
    fc.record({ and: fc.array(tie('where'), { maxLength: 2 }) }),
    fc.record({ or: fc.array(tie('where'), { maxLength: 2 }), a: conditions }),
    fc.record({ not: tie('where') }),
  ),
})).where

const orderBy = fc.dictionary(fields, fc.constantFrom('asc', 'desc'), { maxKeys: 2 })

const queries = fc.record(
  { where, orderBy, limit: fc.integer({ min: 0, max: 6 }), filter: fc.constant(undefined) },
  { requiredKeys: ['where'] },
)

type Value = Readonly<Record<string, unknown>>

function read(entity: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => {
    const isMap = typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    return isMap ? (value as Value)[name] : undefined
  }, entity)
}

/** The meaning of a condition, word for word. */
function holds(value: unknown, operator: string, operand: unknown): boolean {
  const equal = (other: unknown) => compareValues(value, other) === 0
  const ranged = (bound: unknown, test: (difference: number) => boolean) =>
    rankOf(value) === rankOf(bound) && test(compareValues(value, bound))
  const list = operand as readonly unknown[]
  switch (operator) {
    case 'eq':
      return equal(operand)
    case 'ne':
      return !equal(operand)
    case 'gt':
      return ranged(operand, (d) => d > 0)
    case 'gte':
      return ranged(operand, (d) => d >= 0)
    case 'lt':
      return ranged(operand, (d) => d < 0)
    case 'lte':
      return ranged(operand, (d) => d <= 0)
    case 'in':
      return list.some(equal)
    case 'between':
      return ranged(list[0], (d) => d >= 0) && ranged(list[1], (d) => d <= 0)
    case 'startsWith':
      return typeof value === 'string' && value.startsWith(operand as string)
    case 'exists':
      return (value !== undefined) === operand
    default:
      return Array.isArray(value) && value.some((item) => compareValues(item, operand) === 0)
  }
}

function isOperators(condition: unknown): condition is Value {
  return typeof condition === 'object' && condition !== null && rankOf(condition) === rankOf({})
}

function matches(entity: unknown, filter: Value): boolean {
  return Object.entries(filter).every(([key, value]) => {
    if (key === 'and') return (value as Value[]).every((part) => matches(entity, part))
    if (key === 'or') return (value as Value[]).some((part) => matches(entity, part))
    if (key === 'not') return !matches(entity, value as Value)
    if (!isOperators(value)) return holds(read(entity, key), 'eq', value)
    return Object.entries(value).every(([name, operand]) => holds(read(entity, key), name, operand))
  })
}

function naive(all: readonly AnyEntity[], query: Value): readonly string[] {
  const order = Object.entries((query['orderBy'] ?? {}) as Record<string, string>)
  return all
    .filter((entity) => matches(entity, query['where'] as Value))
    .sort((a, b) => {
      for (const [path, direction] of order) {
        const difference = compareValues(read(a, path), read(b, path))
        if (difference !== 0) return direction === 'desc' ? -difference : difference
      }
      return compareText(a.id, b.id)
    })
    .slice(0, (query['limit'] as number | undefined) ?? Infinity)
    .map(({ id }) => id)
}

async function open(options: { readonly async: boolean; readonly indexed: boolean }) {
  return EntiDB.open({
    storage: options.async ? naiveStorage({ async: true }) : memoryStorage(),
    collections: { things: defineCollection(options.indexed ? { indexes } : {}) },
  })
}

describe('queries', () => {
  test.each([
    { async: false, indexed: true, runs: 250 },
    { async: false, indexed: false, runs: 50 },
    { async: true, indexed: true, runs: 100 },
  ])('any query: $indexed indexed, $async async -> what filter and sort give', async (options) => {
    await fc.assert(
      fc.asyncProperty(
        entities,
        fc.array(queries, { minLength: 5, maxLength: 10 }),
        async (all, asked) => {
          const stored = all.filter(({ id }) => id !== '')
          const db = await open(options)
          const things = db.collection('things')
          await things.putMany(stored)
          for (const query of asked) {
            const expected = naive(stored, query)
            // Random queries are not typed.
            const typed = query as unknown as Query<AnyEntity>
            expect((await things.find(typed)).map(({ id }) => id)).toEqual(expected)
            expect(await things.count(typed)).toBe(expected.length)
            expect((await things.first(typed))?.id).toBe(expected[0])
            const scanned: string[] = []
            for await (const { id } of things.scan(typed)) scanned.push(id)
            expect(scanned).toEqual(expected)
            await db.transaction(async (tx) => {
              const inside = await tx.collection('things').find(typed)
              expect(inside.map(({ id }) => id)).toEqual(expected)
            })
            if (query.limit === 0) continue
            const paged: string[] = []
            for (let after: string | undefined, more = true; more; ) {
              const page = await things.findPage({ ...typed, limit: query.limit ?? 4, after })
              paged.push(...page.items.map(({ id }) => id))
              after = page.next
              more = after !== undefined
            }
            expect(paged).toEqual(naive(stored, { ...query, limit: undefined }))
          }
          await db.close()
        },
      ),
      { numRuns: options.runs },
    )
  })

  test('index entries: many entities of equal key read backwards -> ids ascend', async () => {
    const db = await open({ async: false, indexed: true })
    const things = db.collection('things')
    const all = Array.from({ length: 1500 }, (_, i) => ({
      id: String(i).padStart(4, '0'),
      a: i < 1000 ? 1 : i % 7,
    }))
    await things.putMany(all)
    const query = { orderBy: { a: 'desc' }, limit: 1400 } as const
    expect(await things.explain(query)).toMatchObject({ index: 'a', sort: 'index' })
    expect((await things.find(query)).map(({ id }) => id)).toEqual(
      naive(all, { ...query, where: {} }),
    )
    await db.close()
  })
})

describe('explain', () => {
  test.each<[string, Query<AnyEntity>, object]>([
    ['an id', { where: { id: '0001' } }, { index: 'id', ranges: 1, scanned: 1 }],
    ['some ids', { where: { id: { in: ['0001', '0002', 'none'] } } }, { index: 'id', scanned: 2 }],
    ['a range of ids', { where: { id: { gte: '0090' } } }, { index: 'id', scanned: 10 }],
    ['equality', { where: { a: 3 } }, { index: 'a', scanned: 10, sort: 'index' }],
    ['equality on two fields', { where: { a: 3, b: 3 } }, { index: 'ab', scanned: 10 }],
    ['a range', { where: { c: { between: [5, 9] } } }, { index: 'c', scanned: 5 }],
    ['several values', { where: { a: { in: [1, 2] } } }, { index: 'a', ranges: 2, scanned: 20 }],
    ['an order', { orderBy: { c: 'desc' }, limit: 3 }, { index: 'c', sort: 'index', scanned: 3 }],
    ['a sort', { where: { a: 3 }, orderBy: { c: 'asc' } }, { index: 'a', sort: 'memory' }],
    ['nothing to go by', { where: { d: 1 } }, { index: null, scanned: 100, sort: 'index' }],
    ['no matching type', { where: { c: { gt: 'text' } } }, { index: 'c', scanned: 0 }],
  ])('%s -> the expected way', async (_, query, expected) => {
    const db = await open({ async: false, indexed: true })
    const all = Array.from({ length: 100 }, (_, i) => ({
      ...{ id: String(i).padStart(4, '0'), a: i % 10, b: i % 10, c: i },
    }))
    await db.collection('things').putMany(all)
    expect(await db.collection('things').explain(query)).toMatchObject(expected)
    await db.close()
  })
})

describe('queries that make no sense', () => {
  test.each<[string, unknown]>([
    ['an undefined value', { where: { a: undefined } }],
    ['an undefined operand', { where: { a: { eq: undefined } } }],
    ['an unknown operator', { where: { a: { like: 'x' } } }],
    ['an empty condition', { where: { a: {} } }],
    ['an unknown part', { order: { a: 'asc' } }],
    ['an unknown direction', { orderBy: { a: 'up' } }],
    ['a negative limit', { limit: -1 }],
    ['a lone surrogate', { where: { a: '\ud800' } }],
    ['in without a list', { where: { a: { in: 1 } } }],
    ['between without two bounds', { where: { a: { between: [1] } } }],
    ['an empty path', { where: { 'a..b': 1 } }],
    ['where that is no object', { where: 'a = 1' }],
    ['not without conditions', { where: { not: undefined } }],
    ['a filter that is no function', { filter: true }],
    ['a token of another query', { limit: 1, after: 'nonsense' }],
  ])('%s -> invalid_query', async (_, query) => {
    const db = await open({ async: false, indexed: true })
    const things = db.collection('things')
    const asked = query as Query<AnyEntity>
    const ask = 'after' in asked ? things.findPage(asked as never) : things.find(asked)
    await expect(ask).rejects.toMatchObject({ code: 'invalid_query' })
    await db.close()
  })
})
