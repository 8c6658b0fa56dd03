/** `db.verify`: healthy databases, damaged files, and records and indexes that do not agree. */
import { afterEach, describe, expect, test } from 'vitest'
import { encodeEntity } from '../cbor/entity-encoder.ts'
import { createMemoryFileSystem } from '../files/memory-file-system.ts'
import { DATA_FILE } from '../store/format.ts'
import type { KeyValueStore, Storage } from '../store/key-value-store.ts'
import { treeStorage } from '../store/tree-storage.ts'
import { defineCollection } from './collection-definition.ts'
import { EntiDB } from './database.ts'
import { idKeyOf } from './entity-id.ts'
import { indexEntryValue } from './index-plan.ts'
import { encodeKey } from './key-writer.ts'
import { encodeRecord } from './record.ts'
import { stores } from './stores.test-kit.ts'
import type { VerifyProgress } from './verify-report.ts'

interface Person {
  readonly id: string
  readonly name: string
  readonly tags?: readonly string[]
  readonly remark?: string
}

const collections = {
  people: defineCollection<Person>({
    indexes: {
      byName: ['name'],
      byTags: { on: ['tags'], sparse: true },
      latest: [{ name: 'desc' }, 'tags'],
    },
  }),
  empty: defineCollection<Person>({ indexes: { byName: { on: ['name'], unique: true } } }),
}

const open = (storage: Storage) => EntiDB.open({ storage, collections, changeFeed: true })

async function filled(storage: Storage, size = 50) {
  const db = await open(storage)
  await db.transaction(async (tx) => {
    for (let i = 0; i < size; i++) {
      const tags = i % 3 === 0 ? { tags: [`t${i % 5}`] } : {}
      await tx.collection('people').put({ id: `p${i}`, name: `name ${i % 7}`, ...tags })
    }
  })
  await db.collection('people').delete('p1')
  return db
}

let opened: EntiDB[] = []

afterEach(async () => {
  for (const db of opened) await db.close()
  opened = []
})

function closing<T extends EntiDB<typeof collections>>(db: T): T {
  opened.push(db as unknown as EntiDB)
  return db
}

/** Changes the tables behind the back of the entity layer. */
async function tamper(
  storage: Storage,
  change: (tx: Awaited<ReturnType<KeyValueStore['begin']>>) => void | Promise<void>,
) {
  const store = await storage.open({ durability: 'strict' })
  const tx = await store.begin()
  await change(tx)
  await tx.commit()
  await store.close()
}

const BY_NAME = 'i:people:byName'

/** The key of the entry that `byName` has, or would have, for an entity. */
function nameKey(name: string, id: string): Uint8Array {
  return Uint8Array.of(...encodeKey(name), 1, ...idKeyOf(id))
}

const recordOf = (entity: Uint8Array): Uint8Array =>
  encodeRecord({ pending: false, revision: 0, schemaVersion: 1, stamp: 1, opId: 0 }, entity)

describe.each(stores)('verify on a $store store', ({ createStorage }) => {
  test('healthy: entities, indexes, a feed, replication -> ok, and everything counted', async () => {
    const db = closing(await filled(createStorage()))
    await db.transaction(async (tx) => {
      const bytes = encodeEntity({ id: 'r1', name: 'remote' })
      const operation = { collection: 'people', entityId: 'r1', version: 3, schemaVersion: 1 }
      await tx.replica.applyRaw({ ...operation, bytes })
    })
    await db.collection('people').update('r1', (person) => ({ ...person, name: 'edited' }))
    const steps: VerifyProgress[] = []
    const report = await db.verify({ onProgress: (step) => steps.push(step) })
    expect(report).toMatchObject({ ok: true, problems: [] })
    expect(report.checked.entities).toBe(50)
    // Of three indexes; the sparse one has those with tags.
    expect(report.checked.indexEntries).toBe(50 + 50 + 17)
    expect(report.checked.rows).toBeGreaterThan(50)
    expect(steps.at(-1)).toMatchObject({ phase: 'entities' })
    expect(steps.at(-1)?.done).toBe(steps.at(-1)?.total)
  })

  test('while others write -> ok', async () => {
    const db = closing(await filled(createStorage(), 300))
    const people = db.collection('people')
    const verifying = db.verify()
    for (let i = 0; i < 40; i++) await people.put({ id: `p${i}`, name: `changed ${i}` })
    expect((await verifying).problems).toEqual([])
    expect((await db.verify()).problems).toEqual([])
  })

  test.each([
    [
      'an entry removed',
      (tx: Tx) => tx.delete(BY_NAME, nameKey('name 2', 'p2')),
      { code: 'index_missing', collection: 'people', id: 'p2' },
    ],
    [
      'an entry added for an old state',
      (tx: Tx) => tx.put(BY_NAME, nameKey('old', 'p2'), indexEntryValue(idKeyOf('p2'))),
      { code: 'index_extra', collection: 'people', id: 'p2' },
    ],
    [
      'an entry added for no entity',
      (tx: Tx) => tx.put(BY_NAME, nameKey('name', 'gone'), indexEntryValue(idKeyOf('gone'))),
      { code: 'index_extra', collection: 'people', id: 'gone' },
    ],
    [
      'an entry with another length of the id',
      (tx: Tx) => tx.put(BY_NAME, nameKey('name 2', 'p2'), Uint8Array.of(1)),
      { code: 'index_wrong', collection: 'people', id: 'p2' },
    ],
    [
      'an entry that is none',
      (tx: Tx) => tx.put(BY_NAME, Uint8Array.of(7), new Uint8Array(0)),
      { code: 'index_extra', collection: 'people' },
    ],
    [
      'an index that nobody defined',
      (tx: Tx) => tx.put('i:people:other', Uint8Array.of(7), Uint8Array.of(1)),
      { code: 'index_extra', collection: 'people' },
    ],
    [
      'a record that is no CBOR',
      (tx: Tx) => tx.put('c:empty', idKeyOf('x'), recordOf(Uint8Array.of(0xff))),
      { code: 'invalid_record', collection: 'empty', id: 'x' },
    ],
    [
      'a record that is cut off',
      (tx: Tx) => tx.put('c:empty', idKeyOf('x'), Uint8Array.of(0x80)),
      { code: 'invalid_record', collection: 'empty', id: 'x' },
    ],
    [
      'a record of an array',
      (tx: Tx) => tx.put('c:empty', idKeyOf('x'), recordOf(Uint8Array.of(0x80))),
      { code: 'invalid_record', collection: 'empty', id: 'x' },
    ],
    [
      'an entity under another id',
      (tx: Tx) => tx.put('c:empty', idKeyOf('x'), recordOf(encodeEntity({ id: 'y', name: '' }))),
      { code: 'invalid_record', collection: 'empty', id: 'x' },
    ],
    [
      'an entity in another form of CBOR',
      // {"id": "x"} with the length of the text in two bytes.
      (tx: Tx) =>
        tx.put(
          'c:empty',
          idKeyOf('x'),
          recordOf(Uint8Array.of(0xa1, 0x62, 0x69, 0x64, 0x78, 1, 0x78)),
        ),
      { code: 'invalid_record', collection: 'empty', id: 'x' },
    ],
    [
      'a replica row of no kind',
      (tx: Tx) => tx.put('r:people', idKeyOf('p2'), Uint8Array.of(9, 0, 1, 0, 0)),
      { code: 'invalid_record', collection: 'people', id: 'p2' },
    ],
    [
      'a feed row that is cut off',
      (tx: Tx) => tx.put('feed', Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 200), Uint8Array.of(1)),
      { code: 'invalid_record' },
    ],
  ])('%s -> just that problem', async (_, change, problem) => {
    const storage = createStorage()
    await (await filled(storage)).close()
    await tamper(storage, async (tx) => {
      await change(tx)
    })
    const db = closing(await open(storage))
    const { ok, problems } = await db.verify()
    expect(ok).toBe(false)
    expect(
      problems.filter(({ code }) => code !== 'index_missing' || problem.code === code),
    ).toEqual([{ ...problem, message: expect.any(String) }])
  })

  test('signal: given before, or during -> its reason', async () => {
    const db = closing(await filled(createStorage()))
    await expect(db.verify({ signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no')
    const controller = new AbortController()
    const onProgress = () => controller.abort(new Error('enough'))
    const verifying = db.verify({ signal: controller.signal, onProgress })
    await expect(verifying).rejects.toThrow('enough')
    expect((await db.stats()).store.openSnapshots).toBe(0)
  })

  test('closed: before, or meanwhile -> database_closed', async () => {
    const db = await filled(createStorage(), 2000)
    const verifying = db.verify().catch((error: unknown) => error)
    await db.close()
    expect(await verifying).toMatchObject({ code: 'database_closed' })
    await expect(db.verify()).rejects.toMatchObject({ code: 'database_closed' })
  })
})

type Tx = Awaited<ReturnType<KeyValueStore['begin']>>

describe('verify of damaged files', () => {
  async function damagedAt(find: (data: Uint8Array) => number) {
    const fileSystem = createMemoryFileSystem()
    const storage = treeStorage(fileSystem, { nodeBytes: 1024 })
    const db = await EntiDB.open({ storage, collections })
    for (let i = 0; i < 40; i++) {
      const large = i === 7 ? { remark: 'y'.repeat(900) } : {}
      await db.collection('people').put({ id: `p${i}`, name: 'x'.repeat(20), ...large })
    }
    await db.close()
    const file = await fileSystem.open(DATA_FILE, { create: false })
    if (file === undefined) throw new Error('no data file')
    const data = new Uint8Array(file.size())
    await file.readAt(0, data)
    const offset = find(data)
    await file.writeAt(offset, Uint8Array.of((data[offset] ?? 0) ^ 1))
    await file.close()
    return closing(await open(storage))
  }

  const indexOf = (data: Uint8Array, text: string) => Buffer.from(data).indexOf(text)

  test('a large value -> the place in the file, the collection and the id', async () => {
    const db = await damagedAt((data) => indexOf(data, 'y'.repeat(800)) + 10)
    const { ok, problems } = await db.verify()
    expect(ok).toBe(false)
    expect(problems).toContainEqual({
      code: 'corrupt',
      file: DATA_FILE,
      offset: expect.any(Number),
      collection: 'people',
      id: 'p7',
      message: expect.any(String),
    })
  })

  test('a leaf -> its place and collection, once; everything else is still looked at', async () => {
    const db = await damagedAt((data) => indexOf(data, 'p20'))
    const { problems, checked } = await db.verify()
    expect(problems.filter(({ code }) => code === 'corrupt')).toHaveLength(1)
    expect(problems[0]).toMatchObject({ file: DATA_FILE, collection: 'people' })
    expect(checked.rows).toBeGreaterThan(0)
  })
})
