/** Migrations of what this device wrote. */
import { describe, expect, test } from 'vitest'
import { type CollectionOptions, defineCollection } from './collection-definition.ts'
import { versionOf } from './entity-version.ts'
import { memoryStorage } from './memory-storage.ts'
import {
  contentOf,
  firstVersion,
  migratedPersonOf,
  openPeople,
  type Person,
  personOf,
  secondVersion,
  storePeople,
  thirdVersion,
  toSecond,
  toThird,
} from './migrations.test-kit.ts'
import type { OpenProgress } from './open-work.ts'
import { replication } from './replication-access.ts'
import type { StandardSchema } from './standard-schema.ts'
import { stores } from './stores.test-kit.ts'

describe.each(stores)('migrations, store $store', ({ createStorage }) => {
  test('two versions further -> all entities are of the new one, in reads, queries and bytes', async () => {
    const storage = createStorage()
    await storePeople(storage, 30)
    const db = await openPeople(storage, thirdVersion)
    const people = db.collection('people')
    const expected = Array.from({ length: 30 }, (_, i) => migratedPersonOf(i))
    expect(await people.find()).toEqual(expected)
    expect(await people.find({ where: { last: 'Last3' } })).toEqual(
      expected.filter(({ last }) => last === 'Last3'),
    )
    expect(await people.explain({ where: { last: 'Last3' } })).toMatchObject({ index: 'byLast' })
    expect(await people.get('p00007')).toEqual(migratedPersonOf(7))
    expect(await people.getRaw('p00007')).toMatchObject({ schemaVersion: 3 })
    expect((await db.verify()).problems).toEqual([])
    await db.close()
  })

  test('stored anew -> the steps are needed no more, and opening writes nothing', async () => {
    const storage = createStorage()
    await storePeople(storage, 30)
    await (await openPeople(storage, thirdVersion)).close()
    const before = await contentOf(storage)
    const { indexes = {} } = thirdVersion
    const steps: OpenProgress[] = []
    const onProgress = (step: OpenProgress) => steps.push(step)
    const without = defineCollection({ version: 3, indexes })
    const db = await openPeople(storage, without, { onProgress })
    expect(steps).toEqual([])
    expect(await db.collection('people').get('p00001')).toEqual(migratedPersonOf(1))
    await db.close()
    expect(await contentOf(storage)).toEqual(before)
  })

  test('a migration -> no edit: the feed, opIds, stamps and pending state are as before', async () => {
    const storage = createStorage()
    await storePeople(storage, 3)
    const state = async (definition: typeof firstVersion) => {
      const db = await openPeople(storage, definition)
      const stamp = versionOf((await db.collection('people').get('p00001')) as never)
      const {
        bytes: _,
        schemaVersion,
        ...replica
      } = await db.transaction((tx) => tx.replica.state('people', 'p00001'))
      const { opId } = (await db.transaction((tx) => tx.replica.touch('people', 'p00002'))) ?? {}
      await db.close()
      return { stamp, schemaVersion, opId, replica: { ...replica, base: null } }
    }
    const before = await state(firstVersion)
    const after = await state(secondVersion)
    expect(after).toEqual({ ...before, schemaVersion: 2, opId: before.opId + 1 })
  })
})

describe('a migration that fails', () => {
  const failing = (step: unknown): CollectionOptions<Person> => ({
    version: 2,
    migrations: { 2: (old) => (old.id === 'p00002' ? (step as () => Person)() : toSecond(old)) },
  })

  test.each<[string, unknown, object]>([
    [
      'throws',
      () => {
        throw new Error('no last name')
      },
      { step: 2 },
    ],
    ['returns nothing', () => undefined, { step: 2 }],
    ['returns a list', () => [], { step: 2 }],
    ['changes the id', () => ({ id: 'other' }), { step: 2 }],
    ['loses the id', () => ({ name: 'x' }), { step: 2 }],
    ['is asynchronous', async () => personOf(2), { step: 2 }],
    ['returns what cannot be stored', () => ({ ...personOf(2), at: () => 1 }), {}],
    ['is rejected', () => Promise.reject(new Error('late')), { step: 2 }],
  ])(
    '%s -> migration_failed; not a byte has changed, and the old code opens',
    async (_, step, details) => {
      const storage = memoryStorage()
      await storePeople(storage, 5)
      const before = await contentOf(storage)
      await expect(openPeople(storage, failing(step))).rejects.toMatchObject({
        code: 'migration_failed',
        cause: expect.any(Error),
        details: { collection: 'people', id: 'p00002', from: 1, to: 2, ...details },
      })
      expect(await contentOf(storage)).toEqual(before)
      const db = await openPeople(storage, firstVersion)
      expect(await db.collection('people').get('p00002')).toEqual(personOf(2))
      await db.close()
    },
  )

  test('its step is missing -> migration_failed that says so; not for data that needs none', async () => {
    const storage = memoryStorage()
    await storePeople(storage, 1)
    const lacking = defineCollection({ version: 3, migrations: { 3: toThird } })
    await expect(openPeople(storage, lacking)).rejects.toMatchObject({
      code: 'migration_failed',
      message: expect.stringContaining('there is no migration to version 2'),
      details: { id: 'p00000', from: 1, to: 3, step: 2 },
    })
    const { migrations = {} } = secondVersion
    await (await openPeople(storage, { version: 2, migrations })).close()
    await (await openPeople(storage, lacking)).close()
    await (await openPeople(memoryStorage(), lacking)).close()
  })

  const schema: StandardSchema<unknown, Person> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) =>
        typeof (value as Person).status === 'string'
          ? { value: value as Person }
          : { issues: [{ message: 'needed', path: ['status'] }] },
    },
  }

  test('its outcome does not fit the schema -> migration_failed, with the issues in its cause', async () => {
    const storage = memoryStorage()
    await storePeople(storage, 1)
    const strict = { ...secondVersion, schema }
    await expect(openPeople(storage, strict)).rejects.toMatchObject({
      code: 'migration_failed',
      cause: { code: 'schema_violation', details: { issues: [{ path: 'status' }] } },
    })
    await (await openPeople(storage, { ...thirdVersion, schema })).close()
  })

  test('its outcome is too large -> migration_failed', async () => {
    const storage = memoryStorage()
    await storePeople(storage, 1)
    const growing = defineCollection({
      version: 2,
      migrations: { 2: (old) => ({ ...old, text: 'x'.repeat(1000) }) },
    })
    const opening = openPeople(storage, growing, { limits: { maxEntityBytes: 500 } })
    await expect(opening).rejects.toMatchObject({
      code: 'migration_failed',
      cause: { details: { reason: 'too_large' } },
    })
    await (await openPeople(storage, growing)).close()
  })

  test('in the second of two collections -> the first is as it was', async () => {
    const storage = memoryStorage()
    await storePeople(storage, 5)
    const { EntiDB } = await import('./database.ts')
    const both = (definition: CollectionOptions<Person>, second: CollectionOptions<Person>) =>
      EntiDB.open({ storage, collections: { people: definition, friends: second } })
    const db = await both(firstVersion, {})
    await db.collection('friends').put(personOf(2))
    await db.close()
    const before = await contentOf(storage)
    const opening = both(
      secondVersion,
      failing(() => undefined),
    )
    await expect(opening).rejects.toMatchObject({ details: { collection: 'friends' } })
    expect(await contentOf(storage)).toEqual(before)
  })
})

describe('migration definitions', () => {
  test.each<[string, CollectionOptions<Person>]>([
    ['a step beyond the version', { version: 2, migrations: { 3: toThird } }],
    ['a step without a version', { migrations: { 2: toSecond } }],
    ['a step to version 1', { version: 2, migrations: { 1: toSecond } }],
    ['a step to no number', { version: 2, migrations: { x: toSecond } as never }],
    ['a step to 2.5', { version: 3, migrations: { 2.5: toSecond } }],
    ['a step that is no function', { version: 2, migrations: { 2: 'x' as never } }],
    ['a list', { version: 2, migrations: 'x' as never }],
  ])('%s -> TypeError', async (_, definition) => {
    await expect(openPeople(memoryStorage(), definition)).rejects.toThrow(TypeError)
  })
})

describe('indexes of a migrated collection', () => {
  test.each<[string, CollectionOptions<Person>['indexes']]>([
    ['kept, with the same keys', { byId: ['id'] }],
    ['kept, with other keys', { byName: ['name'], byStatus: ['status'] }],
    ['sparse, and entities leave it', { byName: { on: ['name'], sparse: true } }],
    ['sparse, and entities come to it', { byLast: { on: ['last'], sparse: true } }],
    [
      'unique',
      { byFirst: { on: ['first'], unique: true }, byLast: { on: ['last'], unique: true } },
    ],
  ])('%s -> agree with the entities', async (_, indexes = {}) => {
    const storage = memoryStorage()
    const before = await openPeople(storage, defineCollection<Person>({ indexes }))
    await before.transaction(async (tx) => {
      const violations = Array.from({ length: 600 }, (_, i) => personOf(i))
      for (const person of violations) {
        const bytes = (await import('../cbor/entity-encoder.ts')).encodeEntity(person)
        const operation = { collection: 'people', entityId: person.id, bytes }
        await tx.applyRaw({ ...operation, version: 0, schemaVersion: 1 })
      }
    })
    await before.close()
    const { migrations = {} } = thirdVersion
    const db = await openPeople(storage, { version: 3, migrations, indexes })
    expect((await db.verify()).problems).toEqual([])
    expect(await db.collection('people').find({ where: { last: 'Last2', status: 'new' } })).toEqual(
      Array.from({ length: 600 }, (_, i) => migratedPersonOf(i)).filter(
        ({ last }) => last === 'Last2',
      ),
    )
    await db.close()
  })
})

describe('progress of opening', () => {
  async function progressOf(open: (onProgress: (p: OpenProgress) => void) => Promise<unknown>) {
    const steps: OpenProgress[] = []
    await open((progress) => steps.push(progress))
    return steps
  }

  test('a migration and a new index -> checked, indexed, migrated; each to its end', async () => {
    const storage = memoryStorage()
    await storePeople(storage, 6000)
    const steps = await progressOf(async (onProgress) =>
      (await openPeople(storage, secondVersion, { onProgress })).close(),
    )
    expect(steps.filter(({ done, total }) => done === total)).toEqual([
      { phase: 'check', collection: 'people', done: 6000, total: 6000 },
      { phase: 'index', collection: 'people', index: 'byLast', done: 6000, total: 6000 },
      { phase: 'index', collection: 'people', index: 'byStatus', done: 6000, total: 6000 },
      { phase: 'migrate', collection: 'people', done: 6000, total: 6000 },
    ])
    expect(steps.length).toBeGreaterThan(6)
  })

  test('nothing to do -> nothing is told', async () => {
    const storage = memoryStorage()
    await storePeople(storage, 10)
    const steps = await progressOf(async (onProgress) =>
      (await openPeople(storage, firstVersion, { onProgress })).close(),
    )
    expect(steps).toEqual([])
  })

  test('the listener throws -> that error; what was done by then is kept, and the next opening goes on', async () => {
    const storage = memoryStorage()
    await storePeople(storage, 10_000)
    const stop = new Error('stopped by the user')
    const stopping = (phase: OpenProgress['phase']) =>
      openPeople(storage, secondVersion, {
        onProgress: (progress) => {
          if (progress.phase === phase && progress.done > 4500) throw stop
        },
      })
    const before = await contentOf(storage)
    await expect(stopping('check')).rejects.toBe(stop)
    expect(await contentOf(storage)).toEqual(before)
    await expect(stopping('index')).rejects.toBe(stop)
    await expect(stopping('migrate')).rejects.toBe(stop)
    const opened: OpenProgress['phase'][] = []
    const db = await openPeople(storage, secondVersion, {
      onProgress: ({ phase }) => opened.push(phase),
    })
    expect(new Set(opened)).toEqual(new Set(['migrate']))
    expect((await db.verify()).problems).toEqual([])
    expect(
      (await db.collection('people').nextRaw({ limit: 10_000 })).every(
        ({ schemaVersion }) => schemaVersion === 2,
      ),
    ).toBe(true)
    await db.close()
  })
})

describe('with a change feed', () => {
  test('a migration -> read as new, and the bytes stay as the feed has them', async () => {
    const storage = memoryStorage()
    await storePeople(storage, 3, { changeFeed: true })
    const db = await openPeople(storage, thirdVersion, { changeFeed: true })
    const people = db.collection('people')
    expect(await people.get('p00001')).toEqual(migratedPersonOf(1))
    expect(await people.find({ where: { status: 'new' } })).toHaveLength(3)
    expect(await people.getRaw('p00001')).toMatchObject({ schemaVersion: 1 })
    const operations = await replication(db).readFeed({ after: 0, opsMax: 10, bytesMax: 10_000 })
    expect(operations.map(({ payload, schemaVersion }) => ({ payload, schemaVersion }))).toEqual(
      [0, 1, 2].map((i) => ({ payload: personOf(i), schemaVersion: 1 })),
    )
    await people.update('p00001', (person) => ({ ...person, status: 'seen' }))
    expect(await people.getRaw('p00001')).toMatchObject({ schemaVersion: 3 })
    expect((await db.verify()).problems).toEqual([])
    await db.close()
    await expect(openPeople(storage, secondVersion, { changeFeed: true })).rejects.toMatchObject({
      code: 'data_newer_than_code',
    })
  })
})

describe('system collections', () => {
  test('a new version at run time -> migrated, and not read from the cache of the old one', async () => {
    const storage = memoryStorage()
    const db = await openPeople(storage, firstVersion, { changeFeed: true })
    const first = await replication(db).openSystemCollections({ _people: firstVersion })
    await first._people.putMany([0, 1, 2].map(personOf))
    expect(await first._people.get('p00001')).toEqual(personOf(1))
    const third = await replication(db).openSystemCollections({ _people: thirdVersion })
    expect(await third._people.find()).toEqual([0, 1, 2].map(migratedPersonOf))
    expect(await third._people.getRaw('p00001')).toMatchObject({ schemaVersion: 3 })
    expect((await db.verify()).problems).toEqual([])
    await db.close()
  })
})
