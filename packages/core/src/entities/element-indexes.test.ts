/** Indexes of the elements of a list: kept right by every way to write, and what they answer. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeEntity } from '../cbor/entity-encoder.ts'
import { defineCollection } from './collection-definition.ts'
import { EntiDB } from './database.ts'
import { memoryStorage } from './memory-storage.ts'
import { stores } from './stores.test-kit.ts'

interface Note {
  readonly id: string
  readonly tags?: readonly unknown[] | string | null
  readonly rank?: number
  readonly codes?: readonly string[]
}

const indexes = {
  byTag: ['tags[]'],
  byTagAndRank: ['tags[]', { rank: 'desc' }],
  byRankAndTag: { on: ['rank', { 'tags[]': 'desc' }], sparse: true },
} as const
const collections = { notes: defineCollection<Note>({ indexes }) }
const uniqueCodes = {
  notes: defineCollection<Note>({ indexes: { codes: { on: ['codes[]'], unique: true } } }),
}

const tag = fc.constantFrom<unknown>('a', 'b', 'c', 1, 1n, null, ['a'])
const note = fc.record<Note>(
  {
    id: fc.constantFrom('1', '2', '3', '4'),
    tags: fc.oneof(fc.array(tag, { maxLength: 4 }), fc.constantFrom(null, 'a')),
    rank: fc.integer({ min: 0, max: 2 }),
  },
  { requiredKeys: ['id'] },
)
const step = fc.oneof(
  fc.record({ put: fc.array(note, { minLength: 1, maxLength: 1 }) }),
  fc.record({ put: fc.array(note, { minLength: 2, maxLength: 6 }) }),
  fc.record({ remove: fc.constantFrom('1', '2', '3', '4') }),
  fc.record({ apply: fc.array(note, { minLength: 1, maxLength: 3 }) }),
)
type Step = { put: Note[] } | { remove: string } | { apply: Note[] }

async function run(db: EntiDB<typeof collections>, one: Step, version: number): Promise<void> {
  const notes = db.collection('notes')
  if ('remove' in one) await notes.delete(one.remove)
  else if ('put' in one) await notes.putMany(one.put)
  else {
    await db.transaction(async (tx) => {
      for (const entity of one.apply) {
        const bytes = encodeEntity(entity)
        const state = { entityId: entity.id, version, schemaVersion: 1, bytes }
        await tx.applyRaw({ collection: 'notes', ...state })
      }
    })
  }
}

const idsOf = (found: readonly { readonly id: string }[]) => found.map(({ id }) => id)

describe.each(stores)('indexes of elements, $store', ({ createStorage }) => {
  test('any writes -> the indexes agree with the entities, and answer as they do', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array<Step>(step, { maxLength: 8 }), tag, async (steps, wanted) => {
        const db = await EntiDB.open({ storage: createStorage(), collections })
        for (const [i, one] of steps.entries()) await run(db, one, i + 1)
        expect((await db.verify()).problems).toEqual([])
        const notes = db.collection('notes')
        const all = await notes.find()
        const has = await notes.find({ where: { tags: { has: wanted } } })
        const byHand = await notes.find({
          filter: ({ tags }) => Array.isArray(tags) && tags.some((one) => isSame(one, wanted)),
        })
        expect(idsOf(has)).toEqual(idsOf(byHand))
        expect(all.length).toBe(await notes.count())
        await db.close()
      }),
      { numRuns: 60 },
    )
  })
})

function isSame(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify([a], toText) === JSON.stringify([b], toText)
}

/** A bigint equals the number. */
function toText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value
}

describe('an index of elements', () => {
  async function open() {
    const db = await EntiDB.open({ storage: memoryStorage(), collections })
    const notes = db.collection('notes')
    await notes.putMany([
      { id: '1', tags: ['a', 'b', 'a'], rank: 1 },
      { id: '2', tags: ['b'], rank: 2 },
      { id: '3', tags: [], rank: 2 },
      { id: '4', tags: 'b', rank: 2 },
      { id: '5', rank: 2 },
      { id: '6', tags: ['b', 'c'], rank: 2 },
    ])
    return notes
  }

  test('has -> through the index, in its order, each entity once', async () => {
    const notes = await open()
    const query = { where: { tags: { has: 'b' } } } as const
    expect(await notes.explain(query)).toMatchObject({ index: 'byTag', scanned: 3, sort: 'index' })
    expect(idsOf(await notes.find(query))).toEqual(['1', '2', '6'])
    const ordered = { ...query, orderBy: { rank: 'desc' }, limit: 2 } as const
    expect(await notes.explain(ordered)).toMatchObject({ index: 'byTagAndRank', sort: 'index' })
    expect(idsOf(await notes.find(ordered))).toEqual(['2', '6'])
  })

  test('has, in the order of the lists -> sorted by the lists, not by the element', async () => {
    const notes = await open()
    const query = { where: { tags: { has: 'b' } }, orderBy: { tags: 'desc' } } as const
    expect(idsOf(await notes.find(query))).toEqual(['6', '2', '1'])
  })

  test('one of several elements -> each part by the index, each entity once', async () => {
    const notes = await open()
    const where = { or: [{ tags: { has: 'a' } }, { tags: { has: 'b' } }, { tags: { has: 'c' } }] }
    expect(await notes.explain({ where })).toMatchObject({ index: 'byTag', ranges: 3 })
    expect(idsOf(await notes.find({ where }))).toEqual(['1', '2', '6'])
  })

  test('a query about the list itself -> not by the index', async () => {
    const notes = await open()
    expect(await notes.explain({ where: { tags: 'b' } })).toMatchObject({ index: null })
    expect(idsOf(await notes.find({ where: { tags: 'b' } }))).toEqual(['4'])
    expect(idsOf(await notes.find({ where: { rank: 2, tags: [] } }))).toEqual(['3'])
  })

  test('added to what is stored -> built', async () => {
    const storage = memoryStorage()
    const plain = { notes: defineCollection<Note>() }
    const before = await EntiDB.open({ storage, collections: plain })
    await before.collection('notes').putMany([
      { id: '1', tags: ['a', 'b'] },
      { id: '2', tags: ['b'] },
    ])
    await before.close()
    const db = await EntiDB.open({ storage, collections })
    expect((await db.verify()).problems).toEqual([])
    expect(await db.collection('notes').count({ where: { tags: { has: 'b' } } })).toBe(2)
    await db.close()
  })

  test('unique -> no two entities share an element; one may have it twice', async () => {
    const db = await EntiDB.open({ storage: memoryStorage(), collections: uniqueCodes })
    const notes = db.collection('notes')
    await notes.put({ id: '1', codes: ['x', 'y', 'x'] })
    await notes.put({ id: '1', codes: ['x', 'z'] })
    await notes.put({ id: '2', codes: ['y'] })
    await expect(notes.put({ id: '3', codes: ['w', 'z'] })).rejects.toMatchObject({
      code: 'unique_violation',
      details: { index: 'codes', ids: ['3', '1'] },
    })
    expect(await notes.count()).toBe(2)
    expect((await db.verify()).problems).toEqual([])
    await db.close()
  })

  test('sparse and unique -> entities that lack another field do not count', async () => {
    const sparse = { on: ['codes[]', 'rank'], unique: true, sparse: true } as const
    const db = await EntiDB.open({
      storage: memoryStorage(),
      collections: { notes: defineCollection<Note>({ indexes: { sparse } }) },
    })
    const notes = db.collection('notes')
    await notes.put({ id: '1', codes: ['x'] })
    await notes.put({ id: '2', codes: ['x'] })
    await notes.put({ id: '3', codes: ['x'], rank: 1 })
    const same = notes.put({ id: '4', codes: ['x'], rank: 1 })
    await expect(same).rejects.toMatchObject({ details: { ids: ['4', '3'] } })
    await db.close()
  })

  test('a list of 20,000 is edited -> at once, and found by what is in it now', async () => {
    const db = await EntiDB.open({ storage: memoryStorage(), collections: uniqueCodes })
    const notes = db.collection('notes')
    const codes = Array.from({ length: 20_000 }, (_, i) => `c${i}`)
    // One by one with each other, they would be compared for minutes.
    await notes.put({ id: '1', codes })
    await notes.put({ id: '1', codes: [...codes.slice(1), 'new'] })
    const has = async (code: string) => notes.count({ where: { codes: { has: code } } })
    expect([await has('c0'), await has('c1'), await has('new')]).toEqual([0, 1, 1])
    expect((await db.verify()).problems).toEqual([])
    await db.close()
  })

  test('two fields of elements -> a TypeError', async () => {
    const twice = { notes: defineCollection<Note>({ indexes: { two: ['tags[]', 'codes[]'] } }) }
    await expect(EntiDB.open({ storage: memoryStorage(), collections: twice })).rejects.toThrow(
      TypeError,
    )
  })
})
