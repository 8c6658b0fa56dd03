import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type AnyEntity, defineCollection } from './collection-definition.ts'
import { EntiDB } from './database.ts'
import { versionOf } from './entity-version.ts'
import { memoryStorage } from './memory-storage.ts'
import { parseSelect } from './projection.ts'
import { entities, indexes, queries } from './queries.test-kit.ts'
import type { Query } from './query.ts'

type Values = Readonly<Record<string, unknown>>

const open = () =>
  EntiDB.open({
    storage: memoryStorage(),
    collections: { things: defineCollection({ indexes }) },
  })

/** Random queries are not typed. */
type Asked = Query<AnyEntity, readonly string[]>

/** The meaning of `select`, word for word: all that is not selected is cut away. */
function cut(value: Values, paths: readonly string[]): object {
  const kept = Object.entries(value).flatMap(([name, inner]) => {
    if (paths.includes(name)) return [[name, inner] as const]
    const below = paths
      .filter((path) => path.startsWith(`${name}.`))
      .map((path) => path.slice(name.length + 1))
    const isObject = Object.prototype.toString.call(inner) === '[object Object]'
    return below.length > 0 && isObject ? [[name, cut(inner as Values, below)] as const] : []
  })
  return Object.fromEntries(kept)
}

function project(entity: object, ...select: readonly string[]): unknown {
  return parseSelect(select)?.(entity)
}

const selections = fc.array(fc.constantFrom('id', 'a', 'b', 'c', 'n', 'n.x', 'n.x.y', 'none'))

describe('select', () => {
  test('any query and any fields -> the answers without it, cut', async () => {
    const asked = fc.array(fc.tuple(queries, selections), { minLength: 3, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(entities, asked, async (all, several) => {
        const db = await open()
        const things = db.collection('things')
        await things.putMany(all)
        for (const [random, select] of several) {
          const query = random as unknown as Query<AnyEntity>
          const selecting = { ...random, select } as unknown as Asked
          const expected = (await things.find(query)).map((entity) => cut(entity, select))
          expect(await things.find(selecting)).toEqual(expected)
          expect(await things.first(selecting)).toEqual(expected[0])
          expect(await things.count(selecting)).toBe(expected.length)
          expect(await things.explain(selecting)).toEqual(await things.explain(query))
          const scanned: object[] = []
          for await (const part of things.scan(selecting)) scanned.push(part)
          expect(scanned).toEqual(expected)
          const page = await things.findPage({ ...selecting, limit: 2 })
          const whole = await things.findPage({ ...query, limit: 2 })
          expect(page.items).toEqual(whole.items.map((entity) => cut(entity, select)))
          expect(page.next).toBe(whole.next)
        }
        await db.close()
      }),
      { numRuns: 50 },
    )
  })

  test('parts of entities -> frozen, all through', async () => {
    const db = await open()
    const things = db.collection('things')
    await things.put({ id: '1', n: { x: { y: [1] }, z: 1 }, a: { b: 1 } })
    const part = await things.first({ select: ['n.x', 'a.b'] })
    expect(part).toEqual({ n: { x: { y: [1] } }, a: { b: 1 } })
    const n = part?.n as { readonly x: Values }
    expect([part, n, n.x, n.x.y, part?.a].every(Object.isFrozen)).toBe(true)
    await db.close()
  })

  test('snapshots and transactions -> select too', async () => {
    const db = await open()
    await db.collection('things').put({ id: '1', a: 1, b: 1 })
    using snapshot = db.snapshot()
    await db.transaction(async (tx) => {
      const things = tx.collection('things')
      await things.put({ id: '1', a: 2, b: 2 })
      expect(await things.find({ select: ['a'] })).toEqual([{ a: 2 }])
    })
    expect(await snapshot.collection('things').find({ select: ['a'] })).toEqual([{ a: 1 }])
    snapshot.release()
    await db.close()
  })

  test('filter and order -> of fields that are not selected', async () => {
    const db = await open()
    const things = db.collection('things')
    await things.putMany([3, 1, 2].map((d) => ({ id: `${d}`, d, name: `n${d}` })))
    const query = { filter: ({ d }: AnyEntity) => d !== 2, orderBy: { d: 'desc' } } as const
    expect(await things.find({ ...query, select: ['name'] })).toEqual([
      { name: 'n3' },
      { name: 'n1' },
    ])
    await db.close()
  })

  test('the next page of another selection -> goes on behind the last entity', async () => {
    const db = await open()
    const things = db.collection('things')
    await things.putMany([1, 2, 3].map((d) => ({ id: `${d}`, d: 4 - d })))
    const page = { orderBy: { d: 'asc' }, limit: 1 } as const
    const first = await things.findPage({ ...page, select: ['id'] })
    const second = await things.findPage({ ...page, select: ['d'], after: first.next })
    expect([first.items, second.items]).toEqual([[{ id: '3' }], [{ d: 2 }]])
    await db.close()
  })

  test('a part -> has no version', async () => {
    const db = await open()
    const things = db.collection('things')
    await things.put({ id: '1', a: 1 })
    const part = await things.first({ select: ['id', 'a'] })
    expect(() => versionOf(part)).toThrow(TypeError)
    await expect(things.put({ id: '1' }, { basedOn: part as AnyEntity })).rejects.toThrow(TypeError)
    await db.close()
  })
})

describe('the part of an entity', () => {
  test.each<[string, object, readonly string[], object]>([
    ['a missing field', { a: 1 }, ['a', 'b'], { a: 1 }],
    ['null', { a: null }, ['a'], { a: null }],
    ['a missing nested field', { a: { b: 1 } }, ['a.c'], { a: {} }],
    ['a way through text', { a: 'text' }, ['a.length'], {}],
    ['a way through null', { a: null }, ['a.b'], {}],
    ['a way through a list', { a: [{ b: 1 }] }, ['a.b', 'a.0'], {}],
    ['a way through a date', { a: new Date(0) }, ['a.b'], {}],
    ['a way through bytes', { a: new Uint8Array(1) }, ['a.0'], {}],
    ['a field and one inside', { a: { b: 1, c: 1 } }, ['a.b', 'a', 'a.c'], { a: { b: 1, c: 1 } }],
    ['one inside a field that is named later', { a: { b: 1 } }, ['a', 'a.b'], { a: { b: 1 } }],
    ['the same twice', { a: { b: 1, c: 1 } }, ['a.b', 'a.b'], { a: { b: 1 } }],
    ['several inside one', { a: { b: 1, c: 2, d: 3 } }, ['a.b', 'a.c'], { a: { b: 1, c: 2 } }],
    ['nothing', { a: 1 }, [], {}],
    ['what is inherited', { a: 1 }, ['toString', 'constructor.name', '__proto__'], {}],
  ])('%s -> as documented', (_, entity, select, part) => {
    expect(project(entity, ...select)).toStrictEqual(part)
  })

  test('names of inherited properties -> properties of its own', () => {
    const entity = JSON.parse('{ "__proto__": { "a": 1 }, "toString": 2 }') as object
    const part = project(entity, '__proto__.a', 'toString') as object
    expect(Object.getPrototypeOf(part)).toBe(Object.prototype)
    expect(Object.entries(part)).toEqual([
      ['__proto__', { a: 1 }],
      ['toString', 2],
    ])
  })
})

describe('selections that make no sense', () => {
  test.each<[string, unknown]>([
    ['no list', 'id'],
    ['null', null],
    ['an empty name', ['']],
    ['an empty part', ['a..b']],
    ['an end without a name', ['a.']],
    ['no text', [1]],
    ['a list in it', [['id']]],
    ['undefined in it', [undefined]],
  ])('%s -> invalid_query', async (_, select) => {
    const db = await open()
    const things = db.collection('things')
    const query = { select, limit: 1 } as never
    const code = { code: 'invalid_query' }
    await expect(things.find(query)).rejects.toMatchObject(code)
    await expect(things.first(query)).rejects.toMatchObject(code)
    await expect(things.findPage(query)).rejects.toMatchObject(code)
    await expect(things.count(query)).rejects.toMatchObject(code)
    expect(() => things.scan(query)).toThrow(expect.objectContaining(code))
    await db.close()
  })
})
