/** Which version of its shape an entity is written in, where what it was made from tells. */
import { describe, expect, test } from 'vitest'
import { type AnyEntity, defineCollection } from './collection-definition.ts'
import { EntiDB } from './database.ts'
import { memoryStorage } from './memory-storage.ts'
import { rawPerson } from './migrations.test-kit.ts'

/** Version 2 of the shape counts in cents: the same fields, another amount. */
const collections = { people: defineCollection({}), others: defineCollection({}) }
type Db = EntiDB<typeof collections>

const ofNewer = { id: 'p', amount: 500 }

async function openWith(schemaVersion: number, changeFeed = true): Promise<Db> {
  const db = await EntiDB.open({ storage: memoryStorage(), collections, changeFeed })
  await db.transaction((tx) => tx.applyRaw(rawPerson(ofNewer, 5, schemaVersion)))
  return db
}

async function read(db: Db) {
  const entity = await db.collection('people').get('p')
  if (entity === undefined) throw new Error('not there')
  return entity
}

async function versionIn(db: Db, id = 'p', collection: keyof typeof collections = 'people') {
  return (await db.collection(collection).getRaw(id))?.schemaVersion
}

describe('deleted by older code, and put again', () => {
  type Undo = (db: Db, seen: AnyEntity) => Promise<unknown>
  const undos: [string, Undo][] = [
    ['put', (db, seen) => db.collection('people').put(seen)],
    ['inserted', (db, seen) => db.collection('people').insert(seen)],
    ['one of many', (db, seen) => db.collection('people').putMany([{ id: 'x' }, seen])],
    ['a copy', (db, seen) => db.collection('people').put({ ...seen }, { basedOn: seen })],
    [
      'an edit',
      (db, seen) => db.collection('people').put({ ...seen, note: 'back' }, { basedOn: seen }),
    ],
    ['in a transaction', (db, seen) => db.transaction((tx) => tx.collection('people').put(seen))],
  ]

  test.each(undos)('%s -> of the newer version, as it was', async (_, undo) => {
    const db = await openWith(2)
    const seen = await read(db)
    await db.collection('people').delete('p')
    await undo(db, seen)
    expect(await versionIn(db)).toBe(2)
    await db.close()
  })

  test.each(undos)('%s, once the delete was accepted -> the same', async (_, undo) => {
    const db = await openWith(2, false)
    const seen = await read(db)
    const { opIds } = await db.collection('people').delete('p')
    const committed = { version: 9, bytes: null, schemaVersion: 1 }
    await db.transaction((tx) => tx.replica.settle('people', 'p', committed, opIds[0] ?? 0))
    await undo(db, seen)
    expect(await versionIn(db)).toBe(2)
    await db.close()
  })

  test('after an edit here, by what the receipt has -> of the newer version', async () => {
    const db = await openWith(2)
    const edit = await db.collection('people').put({ ...(await read(db)), note: 'edited' })
    await db.collection('people').delete('p')
    await db.collection('people').put(edit.entity ?? { id: '' })
    expect(await versionIn(db)).toBe(2)
    await db.close()
  })

  test('what was made anew, or lacks a field of it -> of this code', async () => {
    const db = await openWith(2)
    const seen = await read(db)
    await db.collection('people').delete('p')
    await db.collection('people').put({ ...ofNewer })
    expect(await versionIn(db)).toBe(1)
    for (const anew of [
      { id: 'p', note: 'new' },
      { ...seen, amount: undefined },
    ]) {
      await db.collection('people').put(anew, { basedOn: seen })
      expect(await versionIn(db)).toBe(1)
    }
    await db.close()
  })
})

describe('a newer version came since it was read', () => {
  test('put again, or a form saved late -> of the version that was read', async () => {
    const db = await openWith(1)
    const seen = await read(db)
    await db.transaction((tx) => tx.applyRaw(rawPerson({ id: 'p', amount: 700 }, 6, 2)))
    const now = await read(db)
    await db.collection('people').put({ ...seen, amount: 501 }, { basedOn: seen })
    expect(await versionIn(db)).toBe(1)
    await db.collection('people').put(now)
    expect(await versionIn(db)).toBe(2)
    await db.collection('people').put(seen)
    expect(await versionIn(db)).toBe(1)
    await db.close()
  })

  test('a live query keeps the object, for its content is the same -> the object counts as of the newer', async () => {
    const db = await openWith(1)
    const live = db.collection('people').live({})
    const [held] = await live.ready
    await db.transaction((tx) => tx.applyRaw(rawPerson(ofNewer, 6, 2)))
    expect(live.getSnapshot()?.[0]).toBe(held)
    await db.collection('people').delete('p')
    await db.collection('people').put(held ?? { id: '' })
    expect(await versionIn(db)).toBe(2)
    live.close()
    await db.close()
  })
})

test('put into another collection -> of that one', async () => {
  const db = await openWith(2)
  await db.collection('others').put(await read(db))
  expect(await versionIn(db, 'p', 'others')).toBe(1)
  await db.close()
})
