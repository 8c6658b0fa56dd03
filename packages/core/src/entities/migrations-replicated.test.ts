/** Entities of other versions than the code's, as replication brings them. */
import { describe, expect, test } from 'vitest'
import { decodeEntity } from '../cbor/entity-decoder.ts'
import { defineCollection, type Migration } from './collection-definition.ts'
import { coreOf, EntiDB } from './database.ts'
import { memoryStorage } from './memory-storage.ts'
import { planMigrations } from './migration-plan.ts'
import {
  firstVersion,
  migratedPersonOf,
  openPeople,
  type Person,
  personOf,
  rawPerson,
  secondVersion,
  thirdVersion,
  toSecond,
} from './migrations.test-kit.ts'
import { prepareEntity } from './prepared-entity.ts'
import { replication } from './replication-access.ts'
import { salvage } from './salvage.ts'
import type { StandardSchema } from './standard-schema.ts'
import { stores } from './stores.test-kit.ts'
import { verifyStore } from './verify.ts'

const { migrations = {}, indexes = {} } = thirdVersion
/** `toSecond` throws for it. */
const unnamed = (id: string): Person => ({ id, last: 'Stored' })
const fixed = defineCollection<Person>({
  version: 3,
  migrations: { ...migrations, 2: (old) => (old.name === undefined ? old : toSecond(old)) },
  indexes,
})

describe.each(stores)('an older version arrives, store $store', ({ createStorage }) => {
  test.each<[string, boolean]>([
    ['one by one', false],
    ['as a page', true],
  ])('%s -> read, found and indexed as new; its bytes are kept', async (_, isPage) => {
    const storage = createStorage()
    const db = await openPeople(storage, thirdVersion)
    const people = db.collection('people')
    const operations = [0, 1, 2, 3, 1].map((i, at) => rawPerson(personOf(i), 10 + at, 1))
    await db.transaction(async (tx) => {
      if (isPage) await tx.replica.applyNewer(operations)
      else for (const operation of operations) await tx.applyRaw(operation)
    })
    expect(await people.get('p00001')).toEqual(migratedPersonOf(1))
    expect(await people.getMany(['p00002'])).toEqual([migratedPersonOf(2)])
    expect(await people.find({ where: { last: 'Last3' } })).toEqual([migratedPersonOf(3)])
    expect(await people.count({ where: { status: 'new' } })).toBe(4)
    const raw = await people.getRaw('p00001')
    expect(raw).toMatchObject({ version: 14, schemaVersion: 1 })
    expect(decodeEntity(raw?.bytes ?? new Uint8Array(0))).toEqual(personOf(1))
    expect((await db.verify()).problems).toEqual([])
    await db.close()
    const again = await openPeople(storage, thirdVersion)
    expect(await again.collection('people').getRaw('p00001')).toEqual(raw)
    expect(await again.collection('people').find()).toEqual([0, 1, 2, 3].map(migratedPersonOf))
    await again.close()
  })

  test('edited, deleted, replaced, evicted -> no index entry is left of it', async () => {
    const db = await openPeople(createStorage(), thirdVersion)
    const people = db.collection('people')
    await db.transaction((tx) =>
      tx.replica.applyNewer([0, 1, 2, 3].map((i) => rawPerson(personOf(i), 10 + i, 1))),
    )
    await people.update('p00000', (person) => ({ ...person, status: 'seen' }))
    expect(await people.getRaw('p00000')).toMatchObject({ version: 10, schemaVersion: 3 })
    await people.delete('p00001')
    await db.transaction((tx) => tx.applyRaw(rawPerson(migratedPersonOf(9), 20, 3)))
    await db.transaction((tx) =>
      tx.applyRaw(rawPerson({ ...migratedPersonOf(9), id: 'p00002' }, 21, 3)),
    )
    await db.transaction((tx) => tx.replica.evict('people', 'p00003'))
    expect((await db.verify()).problems).toEqual([])
    expect(await people.find({ where: { status: 'seen' } })).toHaveLength(1)
    await db.close()
  })
})

describe('no migration brings it up', () => {
  async function openWithUnnamed(storage = memoryStorage()) {
    const db = await openPeople(storage, thirdVersion)
    await db.transaction((tx) =>
      tx.replica.applyNewer([rawPerson(unnamed('bad'), 5, 1), rawPerson(personOf(1), 6, 1)]),
    )
    return db
  }

  test('it arrives -> stored; reading it is migration_failed, others are not affected, verify tells', async () => {
    const db = await openWithUnnamed()
    const people = db.collection('people')
    await expect(people.get('bad')).rejects.toMatchObject({
      code: 'migration_failed',
      details: { collection: 'people', id: 'bad', from: 1, to: 3, step: 2 },
    })
    await expect(people.find()).rejects.toMatchObject({ code: 'migration_failed' })
    expect(await people.get('p00001')).toEqual(migratedPersonOf(1))
    expect(await people.find({ where: { last: 'Last1' } })).toEqual([migratedPersonOf(1)])
    expect(await people.getRaw('bad')).toMatchObject({ version: 5, schemaVersion: 1 })
    const { ok, problems } = await db.verify()
    expect(ok).toBe(false)
    expect(problems).toEqual([
      { code: 'migration_failed', collection: 'people', id: 'bad', message: expect.any(String) },
    ])
    await db.close()
  })

  test.each<[string, (db: Awaited<ReturnType<typeof openWithUnnamed>>) => Promise<unknown>]>([
    ['deleted', (db) => db.collection('people').delete('bad')],
    ['put', (db) => db.collection('people').put({ ...migratedPersonOf(4), id: 'bad' })],
    [
      'replaced by sync',
      (db) => db.transaction((tx) => tx.applyRaw(rawPerson({ ...personOf(4), id: 'bad' }, 7, 1))),
    ],
    [
      'gone by sync',
      (db) =>
        db.transaction((tx) => tx.applyRaw({ ...rawPerson(unnamed('bad'), 7, 1), bytes: null })),
    ],
    ['evicted', (db) => db.transaction((tx) => tx.replica.evict('people', 'bad'))],
  ])('it is %s -> healed, and no index entry is left of it', async (_, heal) => {
    const storage = memoryStorage()
    const db = await openWithUnnamed(storage)
    await heal(db)
    expect((await db.verify()).problems).toEqual([])
    await db.collection('people').find()
    await db.close()
    const again = await openPeople(storage, thirdVersion)
    expect((await again.verify()).problems).toEqual([])
    await again.close()
  })

  test('newer code of the same version can -> its index entries follow at opening', async () => {
    const storage = memoryStorage()
    await (await openWithUnnamed(storage)).close()
    const db = await openPeople(storage, fixed)
    const people = db.collection('people')
    expect(await people.find({ where: { status: 'new' } })).toHaveLength(2)
    expect((await db.verify()).problems).toEqual([])
    await db.close()
  })

  test('it is there when the version changes -> opens all the same; later code heals it', async () => {
    const storage = memoryStorage()
    const first = await openPeople(storage, firstVersion)
    await first.transaction((tx) =>
      tx.replica.applyNewer([rawPerson(unnamed('bad'), 5, 1), rawPerson(personOf(1), 6, 1)]),
    )
    await first.close()
    for (const definition of [secondVersion, thirdVersion]) {
      const db = await openPeople(storage, definition)
      await expect(db.collection('people').get('bad')).rejects.toMatchObject({
        code: 'migration_failed',
      })
      expect(await db.collection('people').find({ where: { last: 'Last1' } })).toHaveLength(1)
      expect((await db.verify()).problems).toMatchObject([{ code: 'migration_failed', id: 'bad' }])
      await db.close()
    }
    const healed = await openPeople(storage, fixed)
    expect(await healed.collection('people').find()).toHaveLength(2)
    expect((await healed.verify()).problems).toEqual([])
    await healed.close()
  })

  test('it was edited here -> local: the new version does not open over it', async () => {
    const storage = memoryStorage()
    const db = await openPeople(storage, firstVersion)
    await db.transaction((tx) => tx.applyRaw(rawPerson(unnamed('bad'), 5, 1)))
    await db.collection('people').update('bad', (person) => ({ ...person, last: 'Edited' }))
    // As who settles a conflict for the edit, or offers what was made before sync.
    await db.transaction((tx) => tx.replica.touch('people', 'bad'))
    await db.close()
    await expect(openPeople(storage, secondVersion)).rejects.toMatchObject({
      code: 'migration_failed',
      details: { id: 'bad' },
    })
    await (await openPeople(storage, firstVersion)).close()
  })

  test('it is offered again to a server that lost it -> no edit: the new version opens all the same', async () => {
    const storage = memoryStorage()
    const db = await openPeople(storage, firstVersion, { changeFeed: true })
    await db.transaction(async (tx) => {
      await tx.replica.applyNewer([rawPerson(unnamed('bad'), 5, 1), rawPerson(personOf(1), 6, 1)])
      await tx.replica.touch('people', 'bad')
      await tx.replica.rebase('people', 'bad', { version: 0, bytes: null, schemaVersion: 1 })
      await tx.replica.touch('people', 'bad')
    })
    await db.close()
    for (const definition of [secondVersion, thirdVersion, thirdVersion]) {
      expect(await planMigrations({ storage, collections: { people: definition } })).toMatchObject({
        isRefused: false,
        collections: [{ failures: [{ id: 'bad', isLocal: false }] }],
      })
      const opened = await openPeople(storage, definition, { changeFeed: true })
      const people = opened.collection('people')
      await expect(people.get('bad')).rejects.toMatchObject({ code: 'migration_failed' })
      expect(await people.find({ where: { last: 'Last1' } })).toHaveLength(1)
      expect((await opened.verify()).problems).toMatchObject([
        { code: 'migration_failed', id: 'bad' },
      ])
      const { pending, schemaVersion } = await opened.transaction((tx) =>
        tx.replica.state('people', 'bad'),
      )
      expect({ pending, schemaVersion }).toEqual({ pending: true, schemaVersion: 1 })
      await opened.close()
    }
    const healed = await openPeople(storage, fixed, { changeFeed: true })
    await healed.collection('people').update('bad', (person) => ({ ...person, status: 'seen' }))
    expect((await healed.verify()).problems).toEqual([])
    await healed.close()
  })
})

describe('versions that change an indexed field and change it back', () => {
  const there: Migration = (old) => ({ ...old, was: old.last, last: 'B' })
  const back: Migration = ({ was, ...old }) => ({ ...old, last: was })
  const code = (...steps: Migration[]) =>
    defineCollection<Person>({
      version: steps.length + 1,
      migrations: Object.fromEntries(steps.map((step, i) => [i + 2, step])),
      indexes: { byLast: ['last'] },
    })
  const refuse: Migration = () => {
    throw new Error('not yet')
  }
  const keep: Migration = (old) => old

  test.each<[string, Migration[][], string]>([
    ['one after the other', [[there], [there, back]], 'A'],
    ['the first one fails at first', [[refuse], [there, keep]], 'B'],
    ['it failed, was migrated, and is back', [[refuse], [there, keep], [there, keep, back]], 'A'],
  ])('%s -> found by what it is now', async (_, openings, last) => {
    const storage = memoryStorage()
    for (const steps of [[], ...openings]) {
      const db = await openPeople(storage, code(...steps))
      await db.transaction((tx) => tx.replica.applyNewer([rawPerson({ id: 'x', last: 'A' }, 5, 1)]))
      await db.close()
    }
    const db = await openPeople(storage, code(...(openings.at(-1) ?? [])))
    expect(await db.collection('people').find({ where: { last } })).toMatchObject([{ id: 'x' }])
    expect((await db.verify()).problems).toEqual([])
    await db.close()
  })
})

test('one that failed is replaced by one that does not, and newer code opens -> found', async () => {
  const storage = memoryStorage()
  const migrations: Record<number, Migration> = {
    2: (old) => ({ ...old, last: old.isSound ? 'B' : notSound() }),
    3: (old) => ({ ...old, last: 'A' }),
  }
  const notSound = () => {
    throw new Error('not sound')
  }
  const indexes = { byLast: ['last'] }
  const { 2: step = toSecond } = migrations
  const db = await openPeople(storage, { version: 2, migrations: { 2: step }, indexes })
  for (const isSound of [false, true]) {
    const operation = rawPerson({ id: 'x', last: 'A', isSound }, isSound ? 6 : 5, 1)
    await db.transaction((tx) => tx.applyRaw(operation))
  }
  expect(await db.collection('people').count({ where: { last: 'B' } })).toBe(1)
  await db.close()
  const newer = await openPeople(storage, { version: 3, migrations, indexes })
  expect(await newer.collection('people').find({ where: { last: 'A' } })).toHaveLength(1)
  expect((await newer.verify()).problems).toEqual([])
  await newer.close()
})

describe('a newer version arrives', () => {
  const newer: Person = { ...migratedPersonOf(1), tags: ['x'], address: { city: 'Turin' } }

  test('read -> as it is; edited -> what this code does not know is kept, and its version', async () => {
    const db = await openPeople(memoryStorage(), secondVersion)
    const people = db.collection('people')
    await db.transaction((tx) => tx.applyRaw(rawPerson(newer, 5, 4)))
    expect(await people.get(newer.id)).toEqual(newer)
    expect(await people.find({ where: { last: 'Last1' } })).toEqual([newer])
    await people.update(newer.id, (person) => ({ ...person, first: 'Ada' }))
    const raw = await people.getRaw(newer.id)
    expect(raw).toMatchObject({ version: 5, schemaVersion: 4 })
    expect(decodeEntity(raw?.bytes ?? new Uint8Array(0))).toEqual({ ...newer, first: 'Ada' })
    expect((await db.verify()).problems).toEqual([])
    await db.close()
  })

  test('edited in a feed -> the operation is of the newer version', async () => {
    const db = await openPeople(memoryStorage(), secondVersion, { changeFeed: true })
    await db.transaction((tx) => tx.applyRaw(rawPerson(newer, 5, 4)))
    await db.collection('people').putMany([{ ...newer, first: 'Ada' }])
    const operations = await replication(db).readFeed({ after: 0, opsMax: 10, bytesMax: 10_000 })
    expect(operations.map(({ schemaVersion, origin }) => [schemaVersion, origin])).toEqual([
      [4, 'applied'],
      [4, 'local'],
    ])
    await db.close()
  })

  test('replaced by an entity made anew -> of the version of this code', async () => {
    const db = await openPeople(memoryStorage(), secondVersion)
    await db.transaction((tx) => tx.applyRaw(rawPerson(newer, 5, 4)))
    await db.collection('people').put({ id: newer.id, first: 'Ada', last: 'Lovelace' })
    expect(await db.collection('people').getRaw(newer.id)).toMatchObject({ schemaVersion: 2 })
    await db.close()
  })

  test('the newer code opens -> the edited entity is not migrated again', async () => {
    const storage = memoryStorage()
    const db = await openPeople(storage, secondVersion)
    await db.transaction((tx) => tx.applyRaw(rawPerson(migratedPersonOf(1), 5, 3)))
    await db.collection('people').update('p00001', (person) => ({ ...person, status: 'seen' }))
    await db.close()
    const { migrations: steps = {} } = thirdVersion
    const newest = defineCollection<Person>({
      version: 4,
      migrations: { ...steps, 4: (old) => ({ ...old, seen: `${old.seen ?? ''}4` }) },
      indexes,
    })
    const again = await openPeople(storage, newest)
    const expected = { ...migratedPersonOf(1), status: 'seen', seen: '4' }
    expect(await again.collection('people').get('p00001')).toEqual(expected)
    await again.close()
  })

  test('a schema drops what it does not know -> schema_transforms, nothing is lost', async () => {
    const schema: StandardSchema<unknown, Person> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value) => {
          const { id, first, last } = value as Person
          return { value: { id, first, last } }
        },
      },
    }
    const db = await openPeople(memoryStorage(), { ...secondVersion, schema })
    await db.transaction((tx) => tx.applyRaw(rawPerson(newer, 5, 4)))
    const edit = db.collection('people').update(newer.id, (p) => ({ ...p, first: 'Ada' }))
    await expect(edit).rejects.toMatchObject({ code: 'schema_transforms' })
    expect(await db.collection('people').get(newer.id)).toEqual(newer)
    await db.close()
  })
})

describe('an edit is accepted as another version', () => {
  test('the same bytes -> read and indexed as that version has them', async () => {
    const db = await openPeople(memoryStorage(), thirdVersion)
    const people = db.collection('people')
    // What a device of version 1 may have stored as well.
    const ambiguous = { id: 'x', name: 'Ada Byron', first: null, last: null, status: 'new' }
    const { opIds } = await people.put(ambiguous)
    const { bytes } = (await people.getRaw('x')) ?? { bytes: null }
    const committed = { version: 7, bytes, schemaVersion: 1 }
    await db.transaction((tx) => tx.replica.settle('people', 'x', committed, opIds[0] ?? 0))
    expect(await people.get('x')).toEqual({ id: 'x', first: 'Ada', last: 'Byron', status: 'new' })
    expect(await people.find({ where: { last: 'Byron' } })).toHaveLength(1)
    expect((await db.verify()).problems).toEqual([])
    await db.close()
  })
})

describe('the entity of a replicated state', () => {
  test('of any version -> as a read of the collection would give it', async () => {
    const db = await openPeople(memoryStorage(), secondVersion)
    const entityOf = (person: Person, version: number, collection = 'people') =>
      replication(db).entityOf(collection, person.id, rawPerson(person, 5, version))
    const of = (i: number) => ({ id: personOf(i).id, first: `First${i}`, last: `Last${i}` })
    expect(entityOf(personOf(1), 1)).toEqual(of(1))
    expect(entityOf(of(1), 2)).toEqual(of(1))
    expect(entityOf(migratedPersonOf(1), 3)).toEqual(migratedPersonOf(1))
    expect(entityOf(personOf(1), 1, 'unheardOf')).toEqual(personOf(1))
    expect(Object.isFrozen(entityOf(personOf(1), 1))).toBe(true)
    const absent = { bytes: null, schemaVersion: 1 }
    expect(replication(db).entityOf('people', 'x', absent)).toBeNull()
    expect(() => entityOf(unnamed('x'), 1)).toThrow(
      expect.objectContaining({ code: 'migration_failed' }),
    )
    await db.close()
  })
})

describe('without the migrations', () => {
  async function storeMixed() {
    const storage = memoryStorage()
    const db = await openPeople(storage, thirdVersion)
    await db.collection('people').put(migratedPersonOf(0))
    await db.transaction((tx) =>
      tx.replica.applyNewer([rawPerson(personOf(1), 5, 1), rawPerson(unnamed('bad'), 6, 1)]),
    )
    await db.close()
    return storage
  }

  test('verify of a store -> no false alarm', async () => {
    const storage = await storeMixed()
    const store = await storage.open({ durability: 'strict', readOnly: true })
    expect((await verifyStore(store)).problems).toEqual([])
    await store.close()
  })

  test('salvage -> whole without the code, right with it', async () => {
    const storage = await storeMixed()
    const saved = memoryStorage()
    expect(await salvage(storage, saved)).toMatchObject({ ok: true, entities: { people: 3 } })
    const store = await saved.open({ durability: 'strict', readOnly: true })
    expect((await verifyStore(store)).problems).toEqual([])
    await store.close()
    const db = await openPeople(saved, fixed)
    expect((await db.verify()).problems).toEqual([])
    expect(await db.collection('people').find({ where: { status: 'new' } })).toHaveLength(3)
    await db.close()
  })

  test('a local write over an older entity -> migration_failed, and the transaction goes on', async () => {
    const storage = await storeMixed()
    const db = await EntiDB.open({ storage, collections: {} })
    const { core, source } = coreOf(db)
    const state = core.catalog.findReplicated('people')
    const prepared = prepareEntity(state, { ...migratedPersonOf(1), id: 'p00001' })
    const refused = { code: 'migration_failed', details: { id: 'p00001', from: 1 } }
    await source.transact(undefined, async (session) => {
      const deleting = session.run((writer) => writer.delete(state, 'p00001'))
      await expect(deleting).rejects.toMatchObject(refused)
      const putting = session.run((writer) => writer.put(state, prepared))
      await expect(putting).rejects.toMatchObject(refused)
      await session.run((writer) => writer.delete(state, 'p00000'))
    })
    await db.close()
    const again = await openPeople(storage, fixed)
    expect((await again.verify()).problems).toEqual([])
    expect(await again.collection('people').find()).toHaveLength(2)
    await again.close()
  })

  test('the collection is not defined while sync writes over older entities -> right when it is again', async () => {
    const storage = await storeMixed()
    const other = await EntiDB.open({ storage, collections: {} })
    await other.transaction((tx) =>
      tx.replica.applyNewer([
        rawPerson({ ...migratedPersonOf(5), id: 'p00001' }, 10, 3),
        rawPerson({ ...personOf(6), id: 'bad' }, 11, 1),
        rawPerson(personOf(7), 12, 1),
      ]),
    )
    expect((await other.verify()).problems).toEqual([])
    await other.close()
    const db = await openPeople(storage, thirdVersion)
    expect((await db.verify()).problems).toEqual([])
    expect(await db.collection('people').find({ where: { last: 'Last1' } })).toEqual([])
    expect(await db.collection('people').find({ where: { status: 'new' } })).toHaveLength(4)
    await db.close()
  })
})
