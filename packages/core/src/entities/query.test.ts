import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Storage } from '../store/key-value-store.ts'
import type { Collection } from './collection.ts'
import {
  type AnyEntity,
  type CollectionOptions,
  defineCollection,
} from './collection-definition.ts'
import { EntiDB } from './database.ts'
import { memoryStorage } from './memory-storage.ts'
import { naiveStorage } from './naive-store.test-kit.ts'
import {
  denseEntities,
  denseIndexes,
  denseQueries,
  entities,
  indexes,
  queries,
  someIndexes,
} from './queries.test-kit.ts'
import type { Query } from './query.ts'
import { naiveIds } from './query-oracle.test-kit.ts'

type Indexes = NonNullable<CollectionOptions<AnyEntity>['indexes']>

async function open(options: { readonly async?: boolean; readonly indexes?: Indexes } = {}) {
  return EntiDB.open({
    storage: options.async === true ? naiveStorage({ async: true }) : memoryStorage(),
    collections: { things: defineCollection({ indexes: options.indexes ?? indexes }) },
  })
}

async function scanned(things: Collection, query: Query<AnyEntity>): Promise<string[]> {
  const ids: string[] = []
  for await (const { id } of things.scan(query)) ids.push(id)
  return ids
}

async function paged(things: Collection, query: Query<AnyEntity>): Promise<string[]> {
  const ids: string[] = []
  for (let after: string | undefined; ; ) {
    const page = await things.findPage({ ...query, limit: query.limit ?? 4, after })
    ids.push(...page.items.map(({ id }) => id))
    after = page.next
    if (after === undefined) return ids
  }
}

/** Every way to ask gives what the words of the query mean. */
async function assertAnswers(
  all: readonly AnyEntity[],
  several: readonly Readonly<Record<string, unknown>>[],
  options: { readonly async?: boolean; readonly indexes: Indexes },
): Promise<void> {
  const db = await open(options)
  const things = db.collection('things')
  await things.putMany(all)
  for (const query of several) {
    const expected = naiveIds(all, query)
    // Random queries are not typed.
    const typed = query as unknown as Query<AnyEntity>
    expect((await things.find(typed)).map(({ id }) => id)).toEqual(expected)
    expect(await things.count(typed)).toBe(expected.length)
    expect((await things.first(typed))?.id).toBe(expected[0])
    expect(await scanned(things, typed)).toEqual(expected)
    await db.transaction(async (tx) => {
      const inside = await tx.collection('things').find(typed)
      expect(inside.map(({ id }) => id)).toEqual(expected)
    })
    if (query.limit === 0) continue
    expect(await paged(things, typed)).toEqual(naiveIds(all, { ...query, limit: undefined }))
  }
  await db.close()
}

describe('queries', () => {
  test.each([
    { async: false, runs: 400 },
    { async: true, runs: 100 },
  ])('any query, any indexes, async $async -> what filter and sort give', async (options) => {
    const asked = fc.array(queries, { minLength: 5, maxLength: 10 })
    await fc.assert(
      fc.asyncProperty(entities, asked, someIndexes, (all, several, chosen) =>
        assertAnswers(all, several, { ...options, indexes: Object.fromEntries(chosen) }),
      ),
      { numRuns: options.runs },
    )
  })

  test('several values and parts of an or, many entities in each -> what filter and sort give', async () => {
    const asked = fc.array(denseQueries, { minLength: 5, maxLength: 10 })
    await fc.assert(
      fc.asyncProperty(denseEntities, asked, denseIndexes, (all, several, chosen) =>
        assertAnswers(all, several, { indexes: Object.fromEntries(chosen) }),
      ),
      { numRuns: 200 },
    )
  })

  test('several values on a descending index, in its order -> each after the one before', async () => {
    const db = await open({ indexes: { aDescB: [{ a: 'desc' }, 'b'] } })
    const things = db.collection('things')
    const all = [1, 2, 3, 4].map((a) => ({ id: `${a}`, a, b: 0 }))
    await things.putMany(all)
    const query: Query<AnyEntity> = {
      where: { a: { in: [1, 3, 4] } },
      orderBy: { a: 'desc', b: 'asc' },
      limit: 2,
    }
    expect(await things.explain(query)).toMatchObject({ index: 'aDescB', sort: 'index' })
    expect((await things.find(query)).map(({ id }) => id)).toEqual(['4', '3'])
    await db.close()
  })

  test.each([
    { kind: 'text', all: ['a', 'a\0', 'a\0b', 'ab'] },
    { kind: 'bytes', all: [[1], [1, 0], [1, 0, 2], [1, 2]].map((part) => Uint8Array.from(part)) },
  ])(
    '$kind that goes on with 00 -> neither equal nor left out of what is beyond',
    async ({ all }) => {
      const several = all.flatMap((a) => [
        ...[{ a }, { a: { in: [a, null] } }, { a: { between: [a, a] } }, { a, b: 1 }],
        ...[{ a: { gt: a } }, { a: { gte: a } }, { a: { lt: a } }, { a: { lte: a } }],
      ])
      const things = all.map((a, i) => ({ id: `${i}`, a, b: 1 }))
      for (const a of ['asc', 'desc'] as const) {
        for (const index of [[{ a }], [{ a }, 'b'], [{ a }, { b: 'desc' }]] as const) {
          const asked = several.map((where) => ({ where, orderBy: { a } }))
          await assertAnswers(things, asked, { indexes: { index } })
        }
      }
    },
  )

  test('index entries: many entities of equal key read backwards -> ids ascend', async () => {
    const db = await open()
    const things = db.collection('things')
    const all = Array.from({ length: 1500 }, (_, i) => ({
      id: String(i).padStart(4, '0'),
      a: i < 1000 ? 1 : i % 7,
    }))
    await things.putMany(all)
    const query = { orderBy: { a: 'desc' }, limit: 1400 } as const
    expect(await things.explain(query)).toMatchObject({ index: 'a', sort: 'index' })
    expect((await things.find(query)).map(({ id }) => id)).toEqual(
      naiveIds(all, { ...query, where: {} }),
    )
    await db.close()
  })
})

/** Counts the entries that scans of snapshots answer with. */
function countingStorage(): { readonly storage: Storage; readonly read: () => number } {
  const storage = naiveStorage()
  let entries = 0
  const counting: Storage = {
    description: 'counts',
    open: async (options) => {
      const store = await storage.open(options)
      const snapshotOf = store.snapshot.bind(store)
      store.snapshot = () => {
        const snapshot = snapshotOf()
        const scanOf = snapshot.scan.bind(snapshot)
        snapshot.scan = (...range) => {
          const cursor = scanOf(...range)
          return {
            next: async (max) => {
              const batch = await cursor.next(max)
              entries += batch.keys.length
              return batch
            },
          }
        }
        return snapshot
      }
      return store
    },
  }
  return { storage: counting, read: () => entries }
}

test.each<[string, Query<AnyEntity>]>([
  ['of one value', { where: { a: 1 } }],
  ['of several values', { where: { a: { in: [1, 2] } }, orderBy: { b: 'asc' } }],
  ['in an order', { orderBy: { a: 'asc', b: 'asc' } }],
  ['in a descending order', { orderBy: { a: 'desc', b: 'desc', id: 'desc' } }],
  ['in a descending order, ids ascending', { orderBy: { a: 'desc' } }],
  ['of several values, the same', { where: { a: { in: [1, 2] } }, orderBy: { b: 'desc' } }],
  ['by id', {}],
  ['by descending id', { orderBy: { id: 'desc' } }],
])('pages %s that many have -> none reads what those before it had', async (_, query) => {
  const { storage, read } = countingStorage()
  const indexes = { a: ['a'], ab: ['a', 'b'] } as const
  const collections = { things: defineCollection({ indexes }) }
  const db = await EntiDB.open({ storage, collections })
  const all = Array.from({ length: 400 }, (_, i) => ({ id: `${1000 + i}`, a: 1, b: 1 }))
  await db.collection('things').putMany(all)
  expect(await paged(db.collection('things'), { ...query, limit: 20 })).toHaveLength(400)
  // A batch of 256 at most for each of 20 pages, but less at the end; with all before it, 8,000 and more.
  expect(read()).toBeLessThan(5_000)
  await db.close()
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
    [
      'several values of two fields',
      { where: { a: { in: [1, 2] }, b: { in: [1, 2, 3] } } },
      { index: 'ab', ranges: 6, scanned: 20 },
    ],
    [
      'several values and a range behind them',
      { where: { a: { in: [1, 2, 3] }, b: { gt: 2 } } },
      { index: 'ab', ranges: 3, scanned: 10 },
    ],
    [
      'several values, and an order behind them',
      { where: { a: { in: [1, 2, 3] } }, orderBy: { b: 'asc' }, limit: 2 },
      { index: 'ab', ranges: 3, sort: 'index', scanned: 2 },
    ],
    [
      'one of two fields',
      { where: { or: [{ a: 1 }, { c: { lt: 20 } }] } },
      { index: 'a, c', ranges: 2, sort: 'memory', scanned: 30 },
    ],
    ['one of nothing', { where: { or: [] } }, { index: null, ranges: 0, scanned: 0 }],
    [
      'one of two fields, one without an index',
      { where: { or: [{ a: 1 }, { d: 1 }] } },
      { index: null, scanned: 100 },
    ],
    ['an order', { orderBy: { c: 'desc' }, limit: 3 }, { index: 'c', sort: 'index', scanned: 3 }],
    ['a sort', { where: { a: 3 }, orderBy: { c: 'asc' } }, { index: 'a', sort: 'memory' }],
    ['nothing to go by', { where: { d: 1 } }, { index: null, scanned: 100, sort: 'index' }],
    ['no matching type', { where: { c: { gt: 'text' } } }, { index: 'c', scanned: 0 }],
  ])('%s -> the expected way', async (_, query, expected) => {
    const db = await open()
    const all = Array.from({ length: 100 }, (_, i) => ({
      ...{ id: String(i).padStart(4, '0'), a: i % 10, b: i % 10, c: i },
    }))
    await db.collection('things').putMany(all)
    expect(await db.collection('things').explain(query)).toMatchObject(expected)
    await db.close()
  })
})

test('hundreds of parts -> each entity once', async () => {
  const db = await open()
  const things = db.collection('things')
  const ids = Array.from({ length: 300 }, (_, i) => String(i).padStart(5, '0'))
  await things.putMany(ids.map((id, c) => ({ id, c })))
  // Most belong to two of them.
  const or = ids.map((_, i) => ({ c: { between: [i, i + 1] }, b: { exists: false } }) as const)
  expect((await things.find({ where: { or } })).map(({ id }) => id)).toEqual(ids)
  expect(await things.count({ where: { or } })).toBe(ids.length)
  await db.close()
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
    const db = await open()
    const things = db.collection('things')
    const asked = query as Query<AnyEntity>
    const ask = 'after' in asked ? things.findPage(asked as never) : things.find(asked)
    await expect(ask).rejects.toMatchObject({ code: 'invalid_query' })
    await db.close()
  })

  test('find: with the next of a page -> invalid_query, not the first page once more', async () => {
    const db = await open()
    const things = db.collection('things')
    await things.putMany([{ id: 'a' }, { id: 'b' }])
    const { next } = await things.findPage({ limit: 1 })
    const query = { limit: 1, after: next }
    await expect(things.find(query)).rejects.toMatchObject({ code: 'invalid_query' })
    expect((await things.findPage(query)).items).toMatchObject([{ id: 'b' }])
    expect(await things.find({ limit: 1, after: undefined } as never)).toMatchObject([{ id: 'a' }])
    await db.close()
  })
})
