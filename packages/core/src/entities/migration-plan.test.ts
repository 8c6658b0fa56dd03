import { describe, expect, test } from 'vitest'
import type { Storage } from '../store/key-value-store.ts'
import { defineCollection } from './collection-definition.ts'
import { memoryStorage } from './memory-storage.ts'
import { planMigrations } from './migration-plan.ts'
import {
  contentOf,
  firstVersion,
  migratedPersonOf,
  openPeople,
  type Person,
  personOf,
  rawPerson,
  secondVersion,
  storePeople,
  thirdVersion,
} from './migrations.test-kit.ts'

const plan = (storage: Storage, people = thirdVersion) =>
  planMigrations({ storage, collections: { people }, samples: 2 })

const done = { ok: true, isRefused: false, changeFeed: false }
const nothing = {
  collection: 'people',
  isNewer: false,
  entities: 0,
  older: 0,
  rewritten: 0,
  failureCount: 0,
  localFailureCount: 0,
  failures: [],
  samples: [],
}

describe('a plan of migrations', () => {
  test('older entities -> counted and shown, before and after; nothing is changed', async () => {
    const storage = memoryStorage()
    await storePeople(storage, 700)
    const before = await contentOf(storage)
    const count = { entities: 700, older: 700, rewritten: 700 }
    const samples = [0, 1].map((i) => ({
      ...{ id: personOf(i).id, from: 1 },
      ...{ before: personOf(i), after: migratedPersonOf(i) },
    }))
    expect(await plan(storage)).toEqual({
      ...done,
      collections: [{ ...nothing, storedVersion: 1, codeVersion: 3, ...count, samples }],
    })
    expect(await contentOf(storage)).toEqual(before)
  })

  test('nothing to migrate, nothing stored, a new collection -> told so', async () => {
    const storage = memoryStorage()
    await storePeople(storage, 0)
    expect(await plan(storage, firstVersion)).toEqual({
      ...done,
      collections: [{ ...nothing, storedVersion: 1, codeVersion: 1 }],
    })
    const collections = { friends: defineCollection({ version: 2 }) }
    expect(await planMigrations({ storage, collections })).toMatchObject({
      ...done,
      collections: [{ collection: 'friends', storedVersion: null, codeVersion: 2 }],
    })
  })

  test('with a change feed -> nothing is stored anew', async () => {
    const storage = memoryStorage()
    await storePeople(storage, 5, { changeFeed: true })
    expect(await plan(storage)).toMatchObject({
      ...{ ...done, changeFeed: true },
      collections: [{ older: 5, rewritten: 0 }],
    })
  })

  test('entities that fail -> all are named; only local ones refuse the opening', async () => {
    const storage = memoryStorage()
    const db = await openPeople(storage, firstVersion)
    const spoilt = (id: string): Person => ({ id, last: 'no name' })
    await db.transaction((tx) => tx.replica.applyNewer([rawPerson(spoilt('remote'), 5, 1)]))
    await db.close()
    const failure = { from: 1, message: expect.stringContaining('in the step to 2') }
    expect(await plan(storage)).toMatchObject({
      ...{ ok: false, isRefused: false },
      collections: [{ failureCount: 1, localFailureCount: 0 }],
    })
    await (await openPeople(storage, secondVersion)).close()

    const other = memoryStorage()
    const local = await openPeople(other, firstVersion)
    await local.collection('people').putMany([spoilt('a'), personOf(1), spoilt('b')])
    await local.close()
    expect(await plan(other)).toMatchObject({
      ...{ ok: false, isRefused: true },
      collections: [
        {
          ...{ older: 3, rewritten: 1, failureCount: 2, localFailureCount: 2 },
          failures: [
            { id: 'a', isLocal: true, ...failure },
            { id: 'b', isLocal: true, ...failure },
          ],
          samples: [{ id: 'p00001' }],
        },
      ],
    })
    await expect(openPeople(other, thirdVersion)).rejects.toMatchObject({
      code: 'migration_failed',
    })
  })

  test('data newer than the code -> told, not looked at', async () => {
    const storage = memoryStorage()
    await storePeople(storage, 5)
    await (await openPeople(storage, thirdVersion)).close()
    expect(await plan(storage, secondVersion)).toEqual({
      ...{ ok: false, isRefused: true, changeFeed: false },
      collections: [{ ...nothing, storedVersion: 3, codeVersion: 2, isNewer: true, entities: 5 }],
    })
  })

  test('no database -> not_a_database; bad definitions -> TypeError; a signal -> its reason', async () => {
    const storage = memoryStorage()
    await expect(plan(storage)).rejects.toMatchObject({ code: 'not_a_database' })
    await storePeople(storage, 5)
    await expect(plan(storage, { version: 0 })).rejects.toThrow(TypeError)
    const stop = new Error('stop')
    const stopped = planMigrations({
      ...{ storage, collections: { people: thirdVersion } },
      signal: AbortSignal.abort(stop),
    })
    await expect(stopped).rejects.toBe(stop)
    // It let go of the storage each time.
    await (await openPeople(storage, thirdVersion)).close()
  })
})
