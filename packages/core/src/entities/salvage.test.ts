/** `salvage`: what is copied out of databases that were damaged at every kind of place. */
import { describe, expect, test } from 'vitest'
import { encodeEntity } from '../cbor/entity-encoder.ts'
import { createMemoryFileSystem } from '../files/memory-file-system.ts'
import { DATA_FILE } from '../store/format.ts'
import type { Storage } from '../store/key-value-store.ts'
import { Random } from '../store/random.ts'
import { diskWith, SimulatedDisk } from '../store/simulated-disk.ts'
import { treeStorage } from '../store/tree-storage.ts'
import { defineCollection } from './collection-definition.ts'
import { EntiDB } from './database.ts'
import { memoryStorage } from './memory-storage.ts'
import { naiveStorage } from './naive-store.test-kit.ts'
import { replication } from './replication-access.ts'
import { salvage } from './salvage.ts'

interface Person {
  readonly id: string
  readonly name: string
  readonly remark?: string
}

const COUNT = 300
/** One of a system collection, then people, then one that is applied and edited. */
const LAST_OP_ID = 1 + COUNT + 2
const collections = { people: defineCollection<Person>({ indexes: { byName: ['name'] } }) }
const system = { _sync: defineCollection() }
const open = (storage: Storage) => EntiDB.open({ storage, collections, changeFeed: true })
const idOf = (i: number) => `p${String(i).padStart(4, '0')}`
const LARGE = 'y'.repeat(5000)

/** Files of a database with everything in it that a database can have. */
async function damagedDatabase(damage: (data: Uint8Array) => void) {
  const disk = new SimulatedDisk(new Random(1))
  const db = await open(treeStorage(disk.mount(), { nodeBytes: 1024 }))
  const { _sync } = await replication(db).openSystemCollections(system)
  await _sync.put({ id: 'cursor', at: 5 })
  await db.transaction(async (tx) => {
    for (let i = 0; i < COUNT; i++) {
      const large = i === 150 ? { remark: LARGE } : {}
      await tx.collection('people').put({ id: idOf(i), name: `name ${i}`, ...large })
    }
    const remote = { collection: 'people', entityId: 'remote', version: 4, schemaVersion: 1 }
    const bytes = encodeEntity({ id: 'remote', name: 'from elsewhere' })
    await tx.replica.applyRaw({ ...remote, bytes })
    await tx.replica.partAt(3)
  })
  await db.collection('people').update('remote', (person) => ({ ...person, name: 'edited' }))
  const { databaseId } = replication(db).identity
  await db.close()
  const image = disk.image()
  const data = image.get(DATA_FILE)?.slice() ?? new Uint8Array(0)
  damage(data)
  const damaged = new Map(image).set(DATA_FILE, data)
  const source = diskWith(new Random(1), damaged)
  return {
    source: treeStorage(source.mount(), { nodeBytes: 1024 }),
    databaseId,
    assertUnchanged: () => expect(source.image()).toEqual(damaged),
  }
}

function flipAt(data: Uint8Array, text: string, nth = 0): void {
  let at = -1
  for (let i = 0; i <= nth; i++) at = Buffer.from(data).indexOf(text, at + 1)
  if (at < 0) throw new Error(`no ${text}`)
  data[at] = (data[at] ?? 0) ^ 1
}

async function saved(damage: (data: Uint8Array) => void) {
  const { source, databaseId, assertUnchanged } = await damagedDatabase(damage)
  const target = memoryStorage()
  const report = await salvage(source, target)
  assertUnchanged()
  const db = await open(target)
  expect((await db.verify()).problems).toEqual([])
  const people = await db.collection('people').find()
  const ids = new Set(people.map(({ id }) => id))
  const missing = [...Array(COUNT).keys()].map(idOf).filter((id) => !ids.has(id))
  return { report, db, databaseId, people, missing }
}

describe('salvage', () => {
  test('nothing damaged -> everything, with replication state, feed, identity and system collections', async () => {
    const { report, db, databaseId, missing } = await saved(() => {})
    expect(report).toEqual({
      ok: true,
      entities: { _sync: 1, people: COUNT + 1 },
      losses: [],
      lossCount: 0,
    })
    expect(missing).toEqual([])
    expect(replication(db).identity.databaseId).toBe(databaseId)
    const state = await db.transaction((tx) => tx.replica.state('people', 'remote'))
    expect(state).toMatchObject({ pending: true, version: 4, base: { version: 4 } })
    const operations = []
    for await (const { opId } of db.changes({ wait: false })) operations.push(opId)
    expect(operations).toHaveLength(COUNT + 2)
    const { opIds } = await db.collection('people').put({ id: 'new', name: '' })
    expect(opIds[0]).toBeGreaterThan(Math.max(...operations))
    const { _sync } = await replication(db).openSystemCollections(system)
    expect(await _sync.get('cursor')).toEqual({ id: 'cursor', at: 5 })
    await db.close()
  })

  test('a leaf of records -> the others are there, the missing ones are named by their ids', async () => {
    // The index comes first in the file, then the record, then the operation.
    const { report, db, missing } = await saved((data) => flipAt(data, 'name 77', 1))
    expect(report.ok).toBe(false)
    expect(missing.length).toBeGreaterThan(2)
    expect(missing).toContain(idOf(77))
    const named = report.losses.map(({ id }) => id).filter((id) => id !== undefined)
    expect(named.sort()).toEqual(missing)
    expect(report.losses[0]).toMatchObject({
      code: 'corrupt',
      file: DATA_FILE,
      offset: expect.any(Number),
      collection: 'people',
    })
    expect(report.lossCount).toBe(missing.length + 1)
    expect(report.entities).toEqual({ _sync: 1, people: COUNT + 1 - missing.length })
    await db.close()
  })

  test('a large value -> that entity alone is missing, and named', async () => {
    const { report, db, missing } = await saved((data) => flipAt(data, 'y'.repeat(4000)))
    expect(missing).toEqual([idOf(150)])
    expect(report.losses).toMatchObject([
      { code: 'corrupt', file: DATA_FILE, collection: 'people', id: idOf(150) },
    ])
    await db.close()
  })

  test('an edited entity, and not the state it was edited from -> has that state, and that is told', async () => {
    // In the index, in the record, in the feed.
    const { report, db } = await saved((data) => flipAt(data, 'edited', 1))
    expect(await db.collection('people').get('remote')).toMatchObject({ name: 'from elsewhere' })
    const state = await db.transaction((tx) => tx.replica.state('people', 'remote'))
    expect(state).toMatchObject({ pending: false, version: 4 })
    expect(report.losses).toContainEqual({
      code: 'corrupt',
      collection: 'people',
      id: 'remote',
      message: expect.stringContaining('local edits'),
    })
    await db.close()
  })

  test('any unit of the file -> what is there is right; what is missing is named or told', async () => {
    const size = (await sizeOfDatabase()) ?? 0
    let whole = 0
    for (let at = 8192 + 40; at < size; at += 512 * 11) {
      const { report, db, people, missing } = await saved((data) => {
        data[at] = (data[at] ?? 0) ^ 1
      })
      for (const { id, name } of people) {
        if (id !== 'remote') expect(name).toBe(`name ${Number(id.slice(1))}`)
      }
      if (report.ok) whole++
      if (missing.length > 0) expect(report.ok).toBe(false)
      await db.close()
    }
    // Free space, and indexes: they are made anew.
    expect(whole).toBeGreaterThan(0)
  })

  async function sizeOfDatabase() {
    let size = 0
    await damagedDatabase((data) => {
      size = data.length
    })
    return size
  }

  test('an index -> nothing is missing', async () => {
    // An index has the name behind the byte for text.
    const { report, db } = await saved((data) => flipAt(data, '\u0020name 99\0'))
    expect(report).toMatchObject({ ok: true, lossCount: 0 })
    expect(await db.collection('people').count({ where: { name: 'name 99' } })).toBe(1)
    await db.close()
  })

  test('the feed -> every entity is there; the feed begins behind the damage', async () => {
    const { report, db, missing } = await saved((data) => flipAt(data, 'name 77', 2))
    expect(missing).toEqual([])
    expect(report.ok).toBe(false)
    const operations = []
    for await (const { opId } of db.changes({ wait: false })) operations.push(opId)
    const [first = 0] = operations
    expect(first).toBeGreaterThan(77)
    expect(operations).toEqual([...Array(LAST_OP_ID - first + 1).keys()].map((i) => first + i))
    const early = db.changes({ after: 1, wait: false }).next()
    await expect(early).rejects.toMatchObject({ code: 'change_feed_off' })
    await db.close()
  })

  test('what the database knows of itself -> a new identity; no opId is given twice', async () => {
    const { report, db, databaseId, missing } = await saved((data) => flipAt(data, 'lastOpId'))
    expect(missing).toEqual([])
    expect(report.losses.map(({ message }) => message).join()).toContain('identity')
    expect(replication(db).identity.databaseId).not.toBe(databaseId)
    const { opIds } = await db.collection('people').put({ id: 'new', name: '' })
    expect(opIds[0]).toBeGreaterThan(LAST_OP_ID)
    await db.close()
  })

  test('both superblocks -> everything, and that the last commits may be missing', async () => {
    const { report, db, missing } = await saved((data) => data.fill(0, 0, 8192))
    expect(missing).toEqual([])
    expect(report).toMatchObject({ ok: false, lossCount: 1 })
    await db.close()
  })

  /** The list of tables, which is written anew by every checkpoint: all of them. */
  function withoutCatalogs(data: Uint8Array): void {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
    for (let at = 8192; at + 24 <= data.length; at += 512) {
      const isCatalog = view.getUint32(at, true) === 4 && view.getUint32(at + 8, true) === at / 512
      if (isCatalog) view.setUint32(at + 20, 0, true)
    }
  }

  test.each([
    ['the list of tables', withoutCatalogs],
    [
      'the list of tables and both superblocks',
      (data: Uint8Array) => {
        withoutCatalogs(data)
        data.fill(0, 0, 8192)
      },
    ],
  ])('%s -> found by its nodes alone: every entity, in its collection', async (_, damage) => {
    const { report, db, databaseId, missing } = await saved(damage)
    expect(missing).toEqual([])
    expect(report.entities).toMatchObject({ people: COUNT + 1 })
    expect(report.ok).toBe(false)
    expect(replication(db).identity.databaseId).toBe(databaseId)
    expect(await db.collection('people').get('remote')).toMatchObject({ name: 'edited' })
    expect(await db.collection('people').count({ where: { name: 'name 99' } })).toBe(1)
    const { opIds } = await db.collection('people').put({ id: 'new', name: '' })
    expect(opIds[0]).toBe(LAST_OP_ID + 1)
    const basedOn = { revision: 4, stamp: LAST_OP_ID - 1 }
    await db.collection('people').put({ id: 'remote', name: 'late' }, { basedOn })
    // Made on what the server had where its history parted from the one known then.
    const [late] = await replication(db).readFeed({
      after: LAST_OP_ID + 1,
      opsMax: 9,
      bytesMax: 999,
    })
    expect(late).toMatchObject({ entityId: 'remote', entityVersion: 3 })
    await db.close()
  })

  test('the list of tables, two collections, no feed -> every entity, in collections that are told', async () => {
    const fileSystem = createMemoryFileSystem()
    const both = { cats: defineCollection(), dogs: defineCollection() }
    const storage = treeStorage(fileSystem)
    const db = await EntiDB.open({ storage, collections: both })
    for (const id of ['a', 'b', 'identity', 'lastOpId']) await db.collection('cats').put({ id })
    for (const id of ['a', 'c']) await db.collection('dogs').put({ id, isDog: true })
    await db.close()
    const file = await fileSystem.open(DATA_FILE, { create: false })
    const data = new Uint8Array(file?.size() ?? 0)
    await file?.readAt(0, data)
    withoutCatalogs(data)
    await file?.writeAt(0, data)
    await file?.close()
    const target = memoryStorage()
    const report = await salvage(storage, target)
    const names = Object.keys(report.entities)
    expect(Object.values(report.entities).sort()).toEqual([2, 4])
    for (const name of names) {
      expect(report.losses).toContainEqual({
        code: 'corrupt',
        collection: name,
        message: expect.stringContaining(name),
      })
    }
    const collections = Object.fromEntries(names.map((name) => [name, defineCollection()]))
    const copy = await EntiDB.open({ storage: target, collections })
    expect((await copy.verify()).problems).toEqual([])
    const ids = []
    for (const name of names) {
      for (const { id } of await copy.collection(name).find()) ids.push(id)
    }
    expect(ids.sort()).toEqual(['a', 'a', 'b', 'c', 'identity', 'lastOpId'])
    await copy.close()
  })

  test('a record that makes no sense -> left out and named', async () => {
    const source = memoryStorage()
    const db = await open(source)
    await db.collection('people').put({ id: 'good', name: 'a' })
    await db.close()
    const store = await source.open({ durability: 'strict' })
    const tx = await store.begin()
    await tx.put('c:people', new TextEncoder().encode('bad'), Uint8Array.of(0, 0, 1, 1, 0xff))
    await tx.commit()
    await store.close()
    const target = memoryStorage()
    const report = await salvage(source, target)
    expect(report.entities).toEqual({ people: 1 })
    expect(report.losses).toMatchObject([
      { code: 'invalid_record', collection: 'people', id: 'bad' },
    ])
  })

  test('a log with damage -> later commits are used, and a later state of an entity is no loss', async () => {
    const disk = new SimulatedDisk(new Random(1))
    const db = await open(treeStorage(disk.mount()))
    for (let i = 0; i < 20; i++) {
      await db.collection('people').put({ id: idOf(i), name: `name ${i}` })
    }
    await db.collection('people').put({ id: idOf(7), name: 'again' })
    const image = disk.image()
    const log = [...image.keys()].find((name) => name.startsWith('wal-')) ?? ''
    const content = image.get(log) ?? new Uint8Array(0)
    flipAt(content, 'name 7')
    flipAt(content, 'name 12')
    const target = memoryStorage()
    const source = treeStorage(diskWith(new Random(1), image).mount())
    const report = await salvage(source, target)
    const copy = await open(target)
    expect(await copy.collection('people').get(idOf(7))).toMatchObject({ name: 'again' })
    expect(await copy.collection('people').get(idOf(12))).toBeUndefined()
    expect(await copy.collection('people').count()).toBe(19)
    expect(report.losses.map(({ message }) => message).join()).toMatch(/commit \d+ is lost/)
    expect((await copy.verify()).problems).toEqual([])
    await copy.close()
  })

  test('much -> in transactions of a few MiB, with progress', async () => {
    const source = memoryStorage()
    const db = await open(source)
    await db.transaction(async (tx) => {
      for (let i = 0; i < 3000; i++) {
        await tx.collection('people').put({ id: idOf(i), name: `name ${i}`, remark: LARGE })
      }
    })
    await db.close()
    const target = memoryStorage()
    const phases = new Map<string, number>()
    await salvage(source, target, {
      onProgress: ({ phase, done, total }) => {
        expect(done).toBeGreaterThanOrEqual(phases.get(phase) ?? 0)
        expect(done).toBeLessThanOrEqual(total)
        phases.set(phase, done)
      },
    })
    expect(phases.get('indexes')).toBe(3000)
    const store = await target.open({ durability: 'strict', readOnly: true })
    // 30 MB: more than seven, and not one for each entity.
    expect(store.stats().lastLsn).toBeGreaterThan(7)
    expect(store.stats().lastLsn).toBeLessThan(30)
    await store.close()
  })
})

describe('salvage refuses', () => {
  test('a target that holds a database -> database_exists, unchanged; the source as target -> database_locked', async () => {
    const source = memoryStorage()
    await (await open(source)).close()
    const target = memoryStorage()
    const other = await open(target)
    await other.collection('people').put({ id: 'a', name: 'mine' })
    await expect(salvage(source, target)).rejects.toMatchObject({ code: 'database_locked' })
    await other.close()
    await expect(salvage(source, target)).rejects.toMatchObject({ code: 'database_exists' })
    await expect(salvage(source, source)).rejects.toMatchObject({ code: 'database_locked' })
    const again = await open(target)
    expect(await again.collection('people').count()).toBe(1)
    await again.close()
    await (await open(source)).close()
  })

  test('nothing there -> not_a_database, and no target', async () => {
    const target = createMemoryFileSystem()
    await expect(salvage(memoryStorage(), treeStorage(target))).rejects.toMatchObject({
      code: 'not_a_database',
    })
    expect(await target.list()).toEqual([])
  })

  test('signal -> its reason, and the source is free', async () => {
    const { source } = await damagedDatabase(() => {})
    const controller = new AbortController()
    const options = {
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('stop')),
    }
    await expect(salvage(source, memoryStorage(), options)).rejects.toThrow('stop')
    await (await open(source)).close()
  })

  test('a store that others look after -> TypeError', async () => {
    await expect(salvage(naiveStorage(), memoryStorage())).rejects.toThrow(TypeError)
  })
})
