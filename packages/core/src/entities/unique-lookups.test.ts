import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeEntity } from '../cbor/entity-encoder.ts'
import { isEntiDBError } from '../errors/entidb-error.ts'
import type { Storage } from '../store/key-value-store.ts'
import { type Direction, defineCollection } from './collection-definition.ts'
import { EntiDB } from './database.ts'
import { memoryStorage } from './memory-storage.ts'
import type { Snapshot } from './snapshot.ts'
import { stores } from './stores.test-kit.ts'

interface Note {
  id: string
  text: string | number | null
}

const collectionsBy = (direction: Direction) => ({
  notes: defineCollection<Note>({
    indexes: { text: { on: [{ text: direction }], unique: true } },
  }),
})

type Collections = ReturnType<typeof collectionsBy>
type Database = EntiDB<Collections>

const open = (
  storage: Storage = memoryStorage(),
  direction: Direction = 'asc',
): Promise<Database> =>
  EntiDB.open({ storage, collections: collectionsBy(direction), changeFeed: true })

const TEXTS = ['x', 'x\0', 1, null] as const

/** Lookups, again and again, answer what a scan of the same state finds. */
async function expectRight(db: Database, state: Database | Snapshot<Collections> = db) {
  const notes = db.collection('notes')
  for (const text of TEXTS) {
    const all = await state.collection('notes').find({ filter: (note) => note.text === text })
    expect(await notes.first({ where: { text } })).toEqual(all[0])
    expect(await notes.find({ where: { text } })).toEqual(all)
    expect(await notes.find({ where: { text }, limit: 1 })).toEqual(all.slice(0, 1))
    expect(await notes.find({ where: { text }, limit: 0 })).toEqual([])
  }
}

const remote = (id: string, text: Note['text'] | undefined, version: number) => ({
  collection: 'notes',
  entityId: id,
  version,
  schemaVersion: 1,
  bytes: text === undefined ? null : encodeEntity({ id, text }),
})

const ids = fc.constantFrom('a', 'b', 'c')
const texts = fc.constantFrom(...TEXTS)
const write = fc.record({ id: ids, text: fc.option(texts, { nil: undefined, freq: 4 }) })
const steps = fc.array(
  fc.record({
    writes: fc.array(write, { minLength: 1, maxLength: 3 }),
    kind: fc.constantFrom('local', 'remote', 'rolled back'),
  }),
  { maxLength: 8 },
)

const cases = stores.flatMap((store) =>
  (['asc', 'desc'] as const).map((direction) => ({ ...store, direction })),
)

describe('lookups on a unique index', () => {
  test.each(cases)(
    '$store, $direction: any writes -> as a scan, before, between and after',
    async (store) => {
      await fc.assert(
        fc.asyncProperty(steps, async (all) => {
          const db = await open(store.createStorage(), store.direction)
          let version = 0
          for (const { writes, kind } of all) {
            using before = db.snapshot()
            const done = db.transaction(async (tx) => {
              for (const { id, text } of writes) {
                if (kind === 'remote') await tx.applyRaw(remote(id, text, ++version))
                else if (text === undefined) await tx.collection('notes').delete(id)
                else await tx.collection('notes').put({ id, text })
                await expectRight(db, before)
              }
              if (kind === 'rolled back') throw new TypeError('rolled back')
            })
            await done.catch((error: unknown) => {
              if (!isEntiDBError(error, 'unique_violation') && !(error instanceof TypeError))
                throw error
            })
            await expectRight(db)
          }
          await db.close()
        }),
        { numRuns: 60 },
      )
    },
  )

  test('found before -> the same object; written -> another', async () => {
    const db = await open()
    const notes = db.collection('notes')
    await notes.putMany([
      { id: 'a', text: 'x' },
      { id: 'b', text: 'y' },
    ])
    const first = await notes.first({ where: { text: 'x' } })
    expect(await notes.first({ where: { text: 'x' } })).toBe(first)
    expect(await notes.first({ where: { text: 'x' }, select: ['text'] })).toEqual({ text: 'x' })
    expect(await notes.first({ where: { text: 'x', id: 'b' } })).toBeUndefined()
    expect(await notes.first({ where: { text: 'x' }, filter: () => false })).toBeUndefined()
    await db.transaction(async (tx) => {
      await tx.collection('notes').put({ id: 'a', text: 'z' })
      await tx.collection('notes').put({ id: 'b', text: 'x' })
    })
    expect(await notes.first({ where: { text: 'x' } })).toEqual({ id: 'b', text: 'x' })
    expect(await notes.first({ where: { text: 'y' } })).toBeUndefined()
    await db.close()
  })

  test('replication brings a second one in -> both are found', async () => {
    const db = await open()
    const notes = db.collection('notes')
    await notes.put({ id: 'b', text: 'x' })
    await expectRight(db)
    await db.transaction((tx) => tx.applyRaw(remote('a', 'x', 1)))
    expect(await notes.find({ where: { text: 'x' } })).toHaveLength(2)
    expect(await notes.first({ where: { text: 'x' } })).toMatchObject({ id: 'a' })
    await db.close()
  })

  test('closed -> refused, also where the answer is known', async () => {
    const db = await open()
    const notes = db.collection('notes')
    await notes.put({ id: 'a', text: 'x' })
    await notes.first({ where: { text: 'x' } })
    await db.close()
    await expect(notes.first({ where: { text: 'x' } })).rejects.toMatchObject({
      code: 'database_closed',
    })
  })
})
