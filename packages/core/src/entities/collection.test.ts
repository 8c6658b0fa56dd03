import { describe, expect, test } from 'vitest'
import { encodeEntity } from '../cbor/entity-encoder.ts'
import { readEntityId } from '../cbor/entity-validator.ts'
import type { Storage } from '../store/key-value-store.ts'
import { defineCollection } from './collection-definition.ts'
import { EntiDB } from './database.ts'
import { versionOf } from './entity-version.ts'
import { memoryStorage } from './memory-storage.ts'
import { replication } from './replication-access.ts'
import type { StandardSchema } from './standard-schema.ts'
import { stores } from './stores.test-kit.ts'

interface Person {
  id: string
  name: string
  email?: string
  tags?: string[]
  born?: Date
  photo?: Uint8Array
}

const collections = {
  people: defineCollection<Person>({
    indexes: { byName: ['name'], email: { on: ['email'], unique: true, sparse: true } },
  }),
}

async function open(storage: Storage = memoryStorage()) {
  const db = await EntiDB.open({ storage, collections })
  return { db, people: db.collection('people') }
}

describe.each(stores)('writes on the $store store', ({ createStorage }) => {
  test('put: new, then again -> inserted, then replaced, with a receipt each', async () => {
    const { db, people } = await open(createStorage())
    const first = await people.put({ id: 'p1', name: 'Ada' })
    const second = await people.put({ id: 'p1', name: 'Bob' })
    expect(first).toMatchObject({ existed: false, opIds: [1], transactionId: 1 })
    expect(second).toMatchObject({ existed: true, opIds: [2], transactionId: 2 })
    expect(second.entity).toEqual({ id: 'p1', name: 'Bob' })
    expect(await people.get('p1')).toBe(second.entity)
    expect(await people.find({ where: { name: 'Ada' } })).toEqual([])
    await db.close()
  })

  test('insert: there -> entity_exists, and nothing changed', async () => {
    const { db, people } = await open(createStorage())
    await people.insert({ id: 'p1', name: 'Ada' })
    await expect(people.insert({ id: 'p1', name: 'Bob' })).rejects.toMatchObject({
      code: 'entity_exists',
      details: { collection: 'people', id: 'p1' },
    })
    expect(await people.get('p1')).toEqual({ id: 'p1', name: 'Ada' })
    await db.close()
  })

  test('update: there -> changed; absent -> entity_not_found; another id -> invalid_id', async () => {
    const { db, people } = await open(createStorage())
    await people.put({ id: 'p1', name: 'Ada' })
    const receipt = await people.update('p1', (person) => ({ ...person, name: `${person.name}!` }))
    expect(receipt.entity).toEqual({ id: 'p1', name: 'Ada!' })
    await expect(people.update('p2', (person) => person)).rejects.toMatchObject({
      code: 'entity_not_found',
    })
    const other = people.update('p1', (person) => ({ ...person, id: 'p2' }))
    await expect(other).rejects.toMatchObject({ code: 'invalid_id' })
    expect(await people.count()).toBe(1)
    await db.close()
  })

  test('update: the change throws -> its own error, and nothing changed', async () => {
    const { db, people } = await open(createStorage())
    await people.put({ id: 'p1', name: 'Ada' })
    const mistake = new Error('mistake')
    const failing = people.update('p1', () => {
      throw mistake
    })
    await expect(failing).rejects.toBe(mistake)
    await people.put({ id: 'p2', name: 'Bob' })
    expect(await people.count()).toBe(2)
    await db.close()
  })

  test('delete: there, then absent -> existed tells; absent writes nothing', async () => {
    const { db, people } = await open(createStorage())
    await people.put({ id: 'p1', name: 'Ada' })
    expect(await people.delete('p1')).toMatchObject({
      existed: true,
      opIds: [2],
      entity: undefined,
    })
    expect(await people.delete('p1')).toMatchObject({ existed: false, opIds: [], transactionId: 0 })
    expect(await people.get('p1')).toBeUndefined()
    expect(await people.find({ where: { name: 'Ada' } })).toEqual([])
    await db.close()
  })

  test('putMany: one bad entity -> none of them is stored', async () => {
    const { db, people } = await open(createStorage())
    const good = { id: 'p1', name: 'Ada', email: 'a@x' }
    await expect(people.putMany([good, { ...good, id: 'p2' }])).rejects.toMatchObject({
      code: 'unique_violation',
    })
    expect(await people.count()).toBe(0)
    const receipt = await people.putMany([good, { id: 'p2', name: 'Bob' }])
    expect(receipt.opIds).toHaveLength(2)
    expect(await people.count()).toBe(2)
    await db.close()
  })

  test('unique index: key taken -> unique_violation with index and ids; own key kept', async () => {
    const { db, people } = await open(createStorage())
    await people.put({ id: 'p1', name: 'Ada', email: 'a@x' })
    await expect(people.put({ id: 'p2', name: 'Bob', email: 'a@x' })).rejects.toMatchObject({
      code: 'unique_violation',
      details: { collection: 'people', index: 'email', ids: ['p2', 'p1'] },
    })
    await people.put({ id: 'p1', name: 'Eve', email: 'a@x' })
    await people.put({ id: 'p2', name: 'Bob' })
    await people.put({ id: 'p3', name: 'Cid' })
    await people.put({ id: 'p1', name: 'Ada', email: 'b@x' })
    await people.put({ id: 'p2', name: 'Bob', email: 'a@x' })
    expect((await people.find({ where: { email: 'a@x' } })).map(({ id }) => id)).toEqual(['p2'])
    await db.close()
  })

  test('ifVersion: the stored one -> written; an older one -> entity_changed', async () => {
    const { db, people } = await open(createStorage())
    await people.put({ id: 'p1', name: 'Ada' })
    const seen = await people.get('p1')
    await people.put({ id: 'p1', name: 'Bob' }, { ifVersion: versionOf(seen) })
    const late = people.put({ id: 'p1', name: 'Cid' }, { ifVersion: versionOf(seen) })
    await expect(late).rejects.toMatchObject({ code: 'entity_changed' })
    const gone = people.delete('p1', { ifVersion: versionOf(seen) })
    await expect(gone).rejects.toMatchObject({ code: 'entity_changed' })
    const asNew = people.put({ id: 'p1', name: 'Cid' }, { ifVersion: versionOf(undefined) })
    await expect(asNew).rejects.toMatchObject({ code: 'entity_changed' })
    await people.put({ id: 'p2', name: 'Dan' }, { ifVersion: versionOf(undefined) })
    expect((await people.get('p1'))?.name).toBe('Bob')
    await db.close()
  })
})

describe('arguments', () => {
  test('put: the argument changes after the call -> what was given is stored', async () => {
    const { db, people } = await open()
    const person: Person = { id: 'p1', name: 'Ada', tags: ['a'], photo: Uint8Array.of(1) }
    const writing = people.put(person)
    person.name = 'Bob'
    person.tags?.push('b')
    person.photo?.fill(9)
    await writing
    expect(await people.get('p1')).toEqual({
      ...{ id: 'p1', name: 'Ada', tags: ['a'], photo: Uint8Array.of(1) },
    })
    expect(await people.count({ where: { name: 'Ada' } })).toBe(1)
    await db.close()
  })

  test.each([
    ['none', undefined],
    ['empty', ''],
    ['a number', 7],
    ['too long', 'x'.repeat(513)],
    ['too long in UTF-8', 'é'.repeat(257)],
  ])('id: %s -> invalid_id', async (_, id) => {
    const { db, people } = await open()
    // Deliberately not a Person.
    const put = people.put({ id, name: 'Ada' } as Person)
    await expect(put).rejects.toMatchObject({ code: 'invalid_id' })
    await db.close()
  })

  test('id: 512 bytes -> stored and found', async () => {
    const { db, people } = await open()
    const id = 'é'.repeat(256)
    await people.put({ id, name: 'Ada' })
    expect((await people.get(id))?.id).toBe(id)
    expect((await people.find({ where: { name: 'Ada' } }))[0]?.id).toBe(id)
    await db.close()
  })

  test('put: no object -> TypeError; what cannot be stored -> invalid_entity', async () => {
    const { db, people } = await open()
    await expect(people.put(null as never)).rejects.toThrow(TypeError)
    await expect(people.put([] as never)).rejects.toThrow(TypeError)
    const refused = people.put({ id: 'p1', name: (() => 1) as never })
    await expect(refused).rejects.toMatchObject({
      code: 'invalid_entity',
      details: { path: 'name' },
    })
    await expect(people.get(1 as never)).rejects.toThrow(TypeError)
    await db.close()
  })

  test('limits.maxEntityBytes: more -> invalid_entity', async () => {
    const db = await EntiDB.open({
      storage: memoryStorage(),
      collections,
      limits: { maxEntityBytes: 50 },
    })
    const put = db.collection('people').put({ id: 'p1', name: 'x'.repeat(50) })
    await expect(put).rejects.toMatchObject({
      code: 'invalid_entity',
      details: { reason: 'too_large' },
    })
    await db.close()
  })

  test('limits: rows of a system collection -> are not bound by what the application allows itself', async () => {
    const db = await EntiDB.open({
      storage: memoryStorage(),
      collections,
      limits: { maxEntityBytes: 50, maxIdBytes: 5 },
    })
    const { _rows: rows } = await replication(db).openSystemCollections({
      _rows: defineCollection<{ readonly id: string; readonly text: string }>({}),
    })
    await rows.put({ id: 'longer than five', text: 'x'.repeat(50) })
    expect((await rows.get('longer than five'))?.text).toHaveLength(50)
    await db.close()
  })

  test('basedOn: of another entity, or never read -> TypeError', async () => {
    const { db, people } = await open()
    await people.put({ id: 'p1', name: 'Ada' })
    const ada = await people.get('p1')
    if (ada === undefined) throw new Error('it was put')
    await expect(people.put({ id: 'p2', name: 'Bob' }, { basedOn: ada })).rejects.toThrow(TypeError)
    await expect(people.put(ada, { basedOn: { ...ada } })).rejects.toThrow(TypeError)
    expect(() => versionOf({ ...ada })).toThrow(TypeError)
    await people.put({ ...ada, name: 'Eve' }, { basedOn: ada })
    await db.close()
  })

  test('put, delete: a misspelt condition -> TypeError, nothing written', async () => {
    const { db, people } = await open()
    await people.put({ id: 'p1', name: 'Ada' })
    const ada = await people.get('p1')
    const wrong = { basedOnn: ada } as never
    const named = 'A write has no option basedOnn'
    await expect(people.put({ id: 'p1', name: 'Eve' }, wrong)).rejects.toThrow(named)
    await expect(people.delete('p1', wrong)).rejects.toThrow(TypeError)
    await expect(people.put({ id: 'p1', name: 'Eve' }, 5 as never)).rejects.toThrow(TypeError)
    expect(await people.get('p1')).toEqual(ada)
    await db.close()
  })

  test('collection: not defined -> unknown_collection', async () => {
    const { db } = await open()
    expect(() => db.collection('robots' as never)).toThrow(
      expect.objectContaining({ code: 'unknown_collection' }),
    )
    await db.close()
  })
})

describe.each(stores)('reads on the $store store', ({ createStorage }) => {
  test('get: deeply frozen, one object for one version', async () => {
    const { db, people } = await open(createStorage())
    await people.put({ id: 'p1', name: 'Ada', tags: ['a'] })
    const person = await people.get('p1')
    expect(Object.isFrozen(person)).toBe(true)
    expect(Object.isFrozen(person?.tags)).toBe(true)
    expect(await people.get('p1')).toBe(person)
    expect((await people.find({ where: { name: 'Ada' } }))[0]).toBe(person)
    expect(await people.first()).toBe(person)
    const snapshot = db.snapshot()
    expect(await snapshot.collection('people').get('p1')).toBe(person)
    await db.transaction(async (tx) => {
      expect(await tx.collection('people').get('p1')).toBe(person)
    })
    snapshot.release()
    await db.close()
  })

  test('get: holds a date or bytes -> decoded anew for every read', async () => {
    const { db, people } = await open(createStorage())
    const receipt = await people.put({ id: 'p1', name: 'Ada', photo: Uint8Array.of(1, 2) })
    const first = await people.get('p1')
    first?.photo?.fill(9)
    receipt.entity?.photo?.fill(8)
    expect((await people.get('p1'))?.photo).toEqual(Uint8Array.of(1, 2))
    await people.put({ id: 'p2', name: 'Bob', born: new Date(5) })
    const bob = await people.get('p2')
    bob?.born?.setTime(0)
    expect((await people.get('p2'))?.born).toEqual(new Date(5))
    await db.close()
  })

  test('getMany: some absent -> in the order asked, undefined where absent', async () => {
    const { db, people } = await open(createStorage())
    await people.putMany([
      { id: 'p1', name: 'Ada' },
      { id: 'p2', name: 'Bob' },
    ])
    const names = (await people.getMany(['p2', 'none', 'p1', 'p2'])).map((found) => found?.name)
    expect(names).toEqual(['Bob', undefined, 'Ada', 'Bob'])
    await db.close()
  })

  test('getRaw: stored -> the deterministic bytes and revision 0; absent -> undefined', async () => {
    const { db, people } = await open(createStorage())
    const person = { id: 'p1', name: 'Ada' }
    await people.put(person)
    expect(await people.getRaw('p1')).toEqual({
      ...{ bytes: encodeEntity(person), version: 0, schemaVersion: 1 },
    })
    expect(await people.getRaw('p2')).toBeUndefined()
    await db.close()
  })

  test('nextRaw -> stored bytes in the order of ids, from behind one, at most so many', async () => {
    const { db, people } = await open(createStorage())
    const ids = ['a', 'b', 'c', 'd']
    await people.putMany(ids.map((id) => ({ id, name: id })))
    const idsOf = (raw: readonly { bytes: Uint8Array }[]) =>
      raw.map((one) => readEntityId(one.bytes))
    expect(idsOf(await people.nextRaw({ limit: 9 }))).toEqual(ids)
    expect(idsOf(await people.nextRaw({ after: 'a', limit: 2 }))).toEqual(['b', 'c'])
    expect(idsOf(await people.nextRaw({ after: 'bb', limit: 2 }))).toEqual(['c', 'd'])
    expect(await people.nextRaw({ after: 'd', limit: 2 })).toEqual([])
    expect(await people.nextRaw({ limit: 1 })).toEqual([await people.getRaw('a')])
    await expect(people.nextRaw({ limit: 0 })).rejects.toThrow(TypeError)
    await db.close()
  })

  test('nextRaw: bytesMax -> at least one, and every one in the end; all without it', async () => {
    const { db, people } = await open(createStorage())
    const ids = Array.from({ length: 12 }, (_, i) => `p${String(i).padStart(2, '0')}`)
    await people.putMany(ids.map((id) => ({ id, name: 'x'.repeat(400_000) })))
    expect(await people.nextRaw({ limit: 99 })).toHaveLength(12)
    const seen: string[] = []
    while (seen.length < 12) {
      const raw = await people.nextRaw({ limit: 99, bytesMax: 1, after: seen.at(-1) ?? 'p' })
      expect(raw).not.toEqual([])
      seen.push(...raw.map((one) => readEntityId(one.bytes)))
    }
    expect(seen).toEqual(ids)
    await db.close()
  })

  test('scan: writes meanwhile -> the state at its beginning, whole', async () => {
    const { db, people } = await open(createStorage())
    await people.putMany(
      Array.from({ length: 600 }, (_, i) => ({ id: String(i).padStart(3, '0'), name: 'x' })),
    )
    const seen: string[] = []
    for await (const { id } of people.scan()) {
      if (seen.length === 0) await people.putMany([{ id: '999', name: 'y' }])
      if (seen.length === 1) await people.delete('598')
      seen.push(id)
    }
    expect(seen).toHaveLength(600)
    expect(await people.count()).toBe(600)
    expect((await db.stats()).store.openSnapshots).toBe(0)
    await db.close()
  })
})

describe('schema', () => {
  const schema = (validate: StandardSchema<unknown, Person>['~standard']['validate']) =>
    EntiDB.open({
      storage: memoryStorage(),
      collections: {
        people: defineCollection<Person>({
          schema: { '~standard': { version: 1, vendor: 'test', validate } },
        }),
      },
    })

  test('issues -> schema_violation with the issues', async () => {
    const db = await schema(() => ({
      issues: [{ message: 'too short', path: ['name', { key: 0 }] }],
    }))
    await expect(db.collection('people').put({ id: 'p1', name: '' })).rejects.toMatchObject({
      code: 'schema_violation',
      details: { collection: 'people', issues: [{ message: 'too short', path: 'name.0' }] },
    })
    await db.close()
  })

  test('equal output -> stored; other output -> schema_transforms', async () => {
    const db = await schema((value) => {
      const person = value as Person
      return { value: person.name === 'ada' ? { ...person, name: 'Ada' } : { ...person } }
    })
    const people = db.collection('people')
    await people.put({ id: 'p1', name: 'Bob' })
    await expect(people.put({ id: 'p2', name: 'ada' })).rejects.toMatchObject({
      code: 'schema_transforms',
    })
    await db.close()
  })

  test('asynchronous -> TypeError', async () => {
    const db = await schema(async (value) => ({ value: value as Person }))
    const put = db.collection('people').put({ id: 'p1', name: 'Ada' })
    await expect(put).rejects.toThrow(TypeError)
    await db.close()
  })

  test('replicated state that violates it -> stored all the same', async () => {
    const db = await schema(() => ({ issues: [{ message: 'never' }] }))
    const bytes = encodeEntity({ id: 'p1', name: 'Ada' })
    await db.transaction((tx) =>
      tx.applyRaw({ collection: 'people', entityId: 'p1', version: 5, bytes, schemaVersion: 1 }),
    )
    expect((await db.collection('people').get('p1'))?.name).toBe('Ada')
    await db.close()
  })
})
