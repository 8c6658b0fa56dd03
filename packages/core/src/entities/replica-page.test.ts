import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeEntity } from '../cbor/entity-encoder.ts'
import type { Storage } from '../store/key-value-store.ts'
import { defineCollection } from './collection-definition.ts'
import { EntiDB } from './database.ts'
import { memoryStorage } from './memory-storage.ts'
import type { DbOperation } from './operation.ts'
import { toState } from './replica-model.test-kit.ts'
import type { ReplicaState } from './replication.ts'
import { stores } from './stores.test-kit.ts'

interface Note {
  id: string
  text: string
}

const collections = {
  notes: defineCollection<Note>({ indexes: { text: { on: ['text'], unique: true } } }),
  lines: defineCollection<Note>({ indexes: { text: ['text'], both: ['text', 'id'] } }),
}

type Database = EntiDB<typeof collections>

function open(storage: Storage = memoryStorage(), changeFeed = true): Promise<Database> {
  return EntiDB.open({ storage, collections, changeFeed })
}

const encode = (id: string) => (text: string) => encodeEntity({ id, text })
const remote = (version: number, text: string | null, id = 'n', collection = 'notes') => ({
  ...{ collection, entityId: id },
  ...toState({ version, content: text }, encode(id)),
})

function stateOf(db: Database, id = 'n'): Promise<ReplicaState> {
  return db.transaction((tx) => tx.replica.state('notes', id))
}

async function operations(db: Database): Promise<DbOperation[]> {
  const found: DbOperation[] = []
  for await (const op of db.changes({ wait: false })) found.push(op)
  return found
}

describe('applyNewer', () => {
  test('a page: unknown, older, newer, pending -> applied, known, applied, left alone and named', async () => {
    const db = await open()
    const notes = db.collection('notes')
    await db.transaction(async (tx) => {
      await tx.applyRaw(remote(5, 'five', 'older'))
      await tx.applyRaw(remote(5, 'base', 'pending'))
    })
    await notes.put({ id: 'pending', text: 'mine' })
    const page = [
      remote(6, 'new', 'unknown'),
      remote(4, 'four', 'older'),
      remote(7, 'theirs', 'pending'),
      remote(8, 'eight', 'older'),
      remote(9, null, 'unknown'),
    ]
    const result = await db.transaction((tx) => tx.replica.applyNewer(page), { origin: 'sync' })
    expect(result).toEqual({ applied: 3, pending: [2], violations: [] })
    expect(await stateOf(db, 'older')).toMatchObject({ version: 8, pending: false })
    expect(await stateOf(db, 'unknown')).toMatchObject({ version: 9, bytes: null, pending: false })
    expect(await stateOf(db, 'pending')).toMatchObject({ pending: true, base: { version: 5 } })
    expect((await notes.get('pending'))?.text).toBe('mine')
    const applied = (await operations(db)).filter((op) => op.origin === 'sync')
    expect(applied.map((op) => op.entityVersion)).toEqual([6, 8, 9])
  })

  test('a long page with turns -> others have theirs, also among index entries, and see nothing', async () => {
    const db = await open()
    const page = Array.from({ length: 1_200 }, (_, i) => remote(i + 1, `t${i}`, `l${i}`, 'lines'))
    const seen: number[] = []
    const turn = async () => {
      seen.push(await db.collection('lines').count())
    }
    await db.transaction((tx) => tx.replica.applyNewer(page, { turn }))
    // 1,200 operations and 2,400 index entries.
    expect(seen).toEqual([0, 0, 0, 0, 0, 0, 0])
    expect(await db.collection('lines').count({ where: { text: 't7' } })).toBe(1)
    expect((await db.verify()).problems).toEqual([])
  })

  test('a pending delete -> left alone; a violated unique index -> stored and reported', async () => {
    const db = await open()
    await db.transaction((tx) => tx.applyRaw(remote(3, 'a', 'gone')))
    await db.collection('notes').delete('gone')
    await db.collection('notes').put({ id: 'mine', text: 'same' })
    const page = [remote(4, 'b', 'gone'), remote(5, 'same', 'theirs')]
    const result = await db.transaction((tx) => tx.replica.applyNewer(page))
    expect(result).toMatchObject({ applied: 1, pending: [0], violations: [{ index: 'text' }] })
    expect(await db.collection('notes').get('gone')).toBeUndefined()
    expect((await db.collection('notes').get('theirs'))?.text).toBe('same')
  })

  test('bytes of another entity -> invalid_entity, and nothing of the page is stored', async () => {
    const db = await open()
    const wrong = { ...remote(2, 'x', 'n'), entityId: 'other' }
    const page = [remote(1, 'y', 'first'), wrong]
    await expect(db.transaction((tx) => tx.replica.applyNewer(page))).rejects.toMatchObject({
      code: 'invalid_entity',
    })
    expect(await db.collection('notes').get('first')).toBeUndefined()
  })

  test('an entity that comes twice -> the later state, and no index entry of the earlier one', async () => {
    const db = await open()
    const page = [
      remote(1, 'first', 'a', 'lines'),
      remote(2, 'first', 'b', 'lines'),
      remote(3, 'second', 'a', 'lines'),
      remote(4, null, 'b', 'lines'),
      remote(5, 'third', 'a', 'lines'),
    ]
    const result = await db.transaction((tx) => tx.replica.applyNewer(page))
    expect(result).toEqual({ applied: 5, pending: [], violations: [] })
    const lines = db.collection('lines')
    const find = async (text: string) => (await lines.find({ where: { text } })).map(({ id }) => id)
    expect([await find('first'), await find('second'), await find('third')]).toEqual([
      [],
      [],
      ['a'],
    ])
    expect(await lines.count()).toBe(1)
  })

  test('revision 0, or an id that is none -> nothing; invalid_id', async () => {
    const db = await open()
    const zero = await db.transaction((tx) => tx.replica.applyNewer([remote(0, 'x', 'a', 'lines')]))
    expect(zero.applied).toBe(0)
    const long = remote(1, 'x', 'x'.repeat(600), 'lines')
    await expect(db.transaction((tx) => tx.replica.applyNewer([long]))).rejects.toMatchObject({
      code: 'invalid_id',
    })
    expect(await db.collection('lines').count()).toBe(0)
  })

  test('no feed: a long page of ids in any order -> the newest of each, pending ones named', async () => {
    const db = await open(memoryStorage(), false)
    const lines = db.collection('lines')
    await lines.put({ id: 'l1', text: 'mine' })
    await lines.put({ id: 'l7000', text: 'mine' })
    // More than are put in order at a time; every id twice, an odd one deleted in the end.
    const idAt = (i: number) => `l${(i * 7919) % 9_000}`
    const page = Array.from({ length: 18_000 }, (_, i) => {
      const isDelete = i >= 9_000 && (i * 7919) % 2 === 1
      return remote(i + 1, isDelete ? null : `t${i}`, idAt(i), 'lines')
    })
    const { applied, pending } = await db.transaction((tx) => tx.replica.applyNewer(page))
    expect(applied).toBe(17_996)
    const named = page.flatMap(({ entityId }, i) => (/^l(1|7000)$/.test(entityId) ? [i] : []))
    expect([...pending].sort((a, b) => a - b)).toEqual(named)
    expect(await lines.count()).toBe(4_501)
    expect((await lines.get('l0'))?.text).toBe('t9000')
    expect((await db.verify()).problems).toEqual([])
  })

  test('no feed: a refused operation -> the error, and nothing of the page is stored', async () => {
    const db = await open(memoryStorage(), false)
    const wrong = { ...remote(2, 'x', 'n', 'lines'), entityId: 'a' }
    const page = [remote(1, 'y', 'b', 'lines'), wrong]
    await expect(db.transaction((tx) => tx.replica.applyNewer(page))).rejects.toMatchObject({
      code: 'invalid_entity',
    })
    expect(await db.collection('lines').count()).toBe(0)
  })

  test.each(
    stores.flatMap((store) => [true, false].map((changeFeed) => ({ ...store, changeFeed }))),
  )(
    'any pages on the $store store, feed $changeFeed -> what applyRaw of each newer operation in turn gives',
    async ({ createStorage, changeFeed }) => {
      const operation = fc.record({
        version: fc.integer({ min: 0, max: 6 }),
        text: fc.constantFrom('x', 'y', null),
        id: fc.constantFrom('a', 'b', 'c'),
        collection: fc.constantFrom('notes', 'lines', 'unheard'),
      })
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(operation, { maxLength: 6 }), { maxLength: 4 }),
          async (pages) => {
            const one = await open(createStorage(), changeFeed)
            const other = await open(undefined, changeFeed)
            for (const page of pages) {
              const raw = page
                .filter(({ version, text }) => version > 0 || text === null)
                .map(({ version, text, id, collection }) => remote(version, text, id, collection))
              await one.transaction((tx) => tx.replica.applyNewer(raw))
              await other.transaction(async (tx) => {
                for (const op of raw) {
                  const { version } = await tx.replica.state(op.collection, op.entityId)
                  if (op.version > version) await tx.applyRaw(op)
                }
              })
            }
            for (const name of ['notes', 'lines'] as const) {
              for (const text of ['x', 'y']) {
                const found = await one.collection(name).find({ where: { text } })
                expect(found).toEqual(await other.collection(name).find({ where: { text } }))
              }
            }
            const states = async (db: Database) =>
              Promise.all(
                ['notes', 'lines', 'unheard'].flatMap((name) =>
                  ['a', 'b', 'c'].map((id) => db.transaction((tx) => tx.replica.state(name, id))),
                ),
              )
            // opIds follow the order in which operations are taken.
            const orderless = (all: ReplicaState[]) =>
              changeFeed ? all : all.map((state) => ({ ...state, stamp: state.stamp > 0 }))
            expect(orderless(await states(one))).toEqual(orderless(await states(other)))
            await Promise.all([one.close(), other.close()])
          },
        ),
        { numRuns: 60 },
      )
    },
  )
})
