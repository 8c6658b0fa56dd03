/** Databases opened without their application: `@entidb/core/tools`. */
import { describe, expect, test } from 'vitest'
import { encodeEntity } from '../cbor/entity-encoder.ts'
import type { Storage } from '../store/key-value-store.ts'
import { Random } from '../store/random.ts'
import { diskWith, SimulatedDisk } from '../store/simulated-disk.ts'
import { treeStorage } from '../store/tree-storage.ts'
import { defineCollection } from './collection-definition.ts'
import { EntiDB } from './database.ts'
import type { OnConflict } from './encoded-put.ts'
import { memoryStorage } from './memory-storage.ts'
import type { DbOperation } from './operation.ts'
import { replication } from './replication-access.ts'
import { openStored } from './stored-database.ts'
import { stores } from './stores.test-kit.ts'
import {
  createStoredCollection,
  putEncodedEntity,
  readToolState,
  storedCollections,
  writeToolState,
} from './tool-access.ts'

interface Note {
  id: string
  text: string
  rank?: number | bigint
}

const collections = {
  notes: defineCollection<Note>({
    version: 3,
    migrations: { 2: (old) => old, 3: (old) => old },
    indexes: { rank: [{ rank: 'desc' }], text: { on: ['text'], unique: true } },
  }),
}

const openApp = (storage: Storage, changeFeed = false) =>
  EntiDB.open({ storage, collections, changeFeed })

async function appStorage(storage: Storage, changeFeed = false): Promise<Storage> {
  const db = await openApp(storage, changeFeed)
  await db.collection('notes').put({ id: 'a', text: 'x', rank: 1 })
  await db.close()
  return storage
}

type StoredDatabase = Awaited<ReturnType<typeof openStored>>

function putBytes(db: StoredDatabase, bytes: Uint8Array, onConflict: OnConflict = 'replace') {
  return db.transaction((tx) => putEncodedEntity(db, tx, 'notes', bytes, onConflict))
}

describe.each(stores)('opening as stored: $store', ({ createStorage }) => {
  test('collections -> with the indexes and versions they were defined with, kept in step', async () => {
    const storage = await appStorage(createStorage())
    const db = await openStored({ storage })
    expect(storedCollections(db)).toEqual([
      {
        name: 'notes',
        isSystem: false,
        schemaVersion: 3,
        indexes: {
          rank: { fields: [{ path: 'rank', direction: 'desc' }], unique: false, sparse: false },
          text: { fields: [{ path: 'text', direction: 'asc' }], unique: true, sparse: false },
        },
      },
    ])
    await db.collection('notes').put({ id: 'b', text: 'y', rank: 2 })
    const query = { where: { rank: 2 } }
    expect(await db.collection('notes').find(query)).toHaveLength(1)
    await expect(db.collection('notes').put({ id: 'c', text: 'y' })).rejects.toMatchObject({
      code: 'unique_violation',
    })
    expect(await db.collection('notes').getRaw('b')).toMatchObject({ schemaVersion: 3 })
    expect(() => db.collection('others')).toThrow(
      expect.objectContaining({ code: 'unknown_collection' }),
    )
    await db.close()
    const app = await openApp(storage)
    expect(await app.collection('notes').find(query)).toEqual([{ id: 'b', text: 'y', rank: 2 }])
    expect((await app.verify()).ok).toBe(true)
    await app.close()
  })

  test.each([true, false])('change feed %s -> stays so, and has the writes if on', async (feed) => {
    const storage = await appStorage(createStorage(), feed)
    const db = await openStored({ storage })
    expect(replication(db).feedOn).toBe(feed)
    await putBytes(db, encodeEntity({ id: 'b', text: 'y' }))
    await db.close()
    const app = await openApp(storage, feed)
    const seen: Partial<DbOperation>[] = []
    if (feed) for await (const op of app.changes({ wait: false })) seen.push(op)
    expect(
      seen.map(({ entityId, origin, transactionLast }) => [entityId, origin, transactionLast]),
    ).toEqual(feed ? ['a', 'b'].map((id) => [id, 'local', true]) : [])
    await app.close()
  })

  test('collection that only replication brought -> is there, without indexes', async () => {
    const storage = await appStorage(createStorage())
    const app = await openApp(storage)
    const bytes = encodeEntity({ id: 'z' })
    await app.transaction((tx) =>
      tx.applyRaw({ collection: 'foreign', entityId: 'z', bytes, version: 7, schemaVersion: 2 }),
    )
    await app.close()
    const db = await openStored({ storage })
    expect(storedCollections(db).map(({ name }) => name)).toEqual(['foreign', 'notes'])
    expect(await db.collection('foreign').get('z')).toEqual({ id: 'z' })
    await db.close()
  })

  test('store that no application opened -> not_a_database', async () => {
    const opening = openStored({ storage: createStorage() })
    await expect(opening).rejects.toMatchObject({ code: 'not_a_database' })
  })

  test('collection created -> usable at once and again; the application adds its indexes', async () => {
    const storage = createStorage()
    await (await EntiDB.open({ storage, collections: {} })).close()
    const db = await openStored({ storage })
    await createStoredCollection(db, 'notes', { schemaVersion: 3 })
    await putBytes(db, encodeEntity({ id: 'a', text: 'x', rank: 5 }))
    await createStoredCollection(db, 'notes')
    await expect(createStoredCollection(db, '_mine')).rejects.toThrow(TypeError)
    await db.close()
    const app = await openApp(storage)
    expect(await app.collection('notes').find({ where: { rank: 5 } })).toHaveLength(1)
    expect(await app.collection('notes').getRaw('a')).toMatchObject({ schemaVersion: 3 })
    expect((await app.verify()).ok).toBe(true)
    await app.close()
  })

  test('tool state -> there if and only if the transaction is', async () => {
    const storage = await appStorage(createStorage())
    const db = await openStored({ storage })
    const read = (from: StoredDatabase) => from.transaction((tx) => readToolState(tx, 'k'))
    expect(await read(db)).toBeUndefined()
    const failing = db.transaction(async (tx) => {
      await writeToolState(tx, 'k', { at: 1 })
      expect(await readToolState(tx, 'k')).toEqual({ at: 1 })
      throw new Error('undone')
    })
    await expect(failing).rejects.toThrow('undone')
    expect(await read(db)).toBeUndefined()
    await db.transaction((tx) => writeToolState(tx, 'k', { at: 2 }))
    await db.close()
    const again = await openStored({ storage })
    expect(await read(again)).toEqual({ at: 2 })
    await again.transaction((tx) => writeToolState(tx, 'k', undefined))
    expect(await read(again)).toBeUndefined()
    expect((await again.verify()).ok).toBe(true)
    await again.close()
  })
})

describe('opening as stored, what only the application can do', () => {
  const before = { notes: defineCollection<Note>({ indexes: { text: ['text'] } }) }
  const after = {
    notes: defineCollection<Note>({
      version: 2,
      migrations: { 2: (old) => ({ ...old, text: `new ${String(old.text)}` }) },
      indexes: { text: ['text'] },
    }),
  }

  test('entities of an older version -> read and found as they are stored, not replaced', async () => {
    const storage = memoryStorage()
    const old = await EntiDB.open({ storage, collections: before, changeFeed: true })
    await old.collection('notes').put({ id: 'a', text: 'x' })
    await old.close()
    await (await EntiDB.open({ storage, collections: after, changeFeed: true })).close()
    const db = await openStored({ storage })
    const notes = db.collection('notes')
    expect(await notes.getRaw('a')).toMatchObject({ schemaVersion: 1 })
    expect(await notes.find({ where: { text: 'x' } })).toEqual([{ id: 'a', text: 'x' }])
    expect(await notes.find({ where: { text: 'new x' } })).toEqual([])
    expect(await notes.explain({ where: { text: 'x' } })).toMatchObject({ index: null })
    const bytes = encodeEntity({ id: 'a', text: 'y' })
    await expect(putBytes(db, bytes)).rejects.toMatchObject({ code: 'migration_failed' })
    expect(await putBytes(db, bytes, 'skip')).toBe('skipped')
    expect(await putBytes(db, encodeEntity({ id: 'b', text: 'y' }))).toBe('inserted')
    await db.close()
    const app = await EntiDB.open({ storage, collections: after, changeFeed: true })
    const texts = await app.collection('notes').find({ where: { text: { in: ['new x', 'y'] } } })
    expect(texts.map(({ id }) => id)).toEqual(['a', 'b'])
    expect((await app.verify()).ok).toBe(true)
    await app.close()
  })

  test('putMany over one of an older version -> refused without a trace, the transaction commits', async () => {
    const storage = memoryStorage()
    const ranked = { notes: defineCollection<Note>({ version: 2, indexes: { rank: ['rank'] } }) }
    const app = await EntiDB.open({ storage, collections: ranked })
    const bytes = encodeEntity({ id: 'old', text: 'x', rank: 1 })
    const older = { collection: 'notes', entityId: 'old', version: 7, schemaVersion: 1, bytes }
    await app.transaction((tx) => tx.applyRaw(older))
    await app.close()
    const db = await openStored({ storage })
    await db.transaction(async (tx) => {
      const notes = tx.collection('notes')
      const both = [{ id: 'new' }, { id: 'old' }]
      await expect(notes.putMany(both)).rejects.toMatchObject({ code: 'migration_failed' })
    })
    expect((await db.collection('notes').find()).map(({ id }) => id)).toEqual(['new', 'old'])
    expect((await db.verify()).problems).toEqual([])
    await db.close()
  })

  test('an index that is still being made -> read without it; writing is migration_failed', async () => {
    const storage = memoryStorage()
    const old = await EntiDB.open({ storage, collections: { notes: defineCollection<Note>() } })
    const notes = Array.from({ length: 5000 }, (_, i) => ({ id: `n${i}`, text: `${i}` }))
    await old.collection('notes').putMany(notes)
    await old.close()
    const onProgress = () => {
      throw new Error('stopped')
    }
    const opening = EntiDB.open({ storage, collections: before, onProgress })
    await expect(opening).rejects.toThrow('stopped')
    const db = await openStored({ storage, readOnly: true })
    const query = { where: { text: '4999' } }
    expect(await db.collection('notes').find(query)).toEqual([{ id: 'n4999', text: '4999' }])
    expect(await db.collection('notes').explain(query)).toMatchObject({ index: null })
    await db.close()
    await expect(openStored({ storage })).rejects.toMatchObject({
      code: 'migration_failed',
      details: { collection: 'notes', index: 'text' },
    })
    await (await EntiDB.open({ storage, collections: before })).close()
    await (await openStored({ storage })).close()
  })
})

describe('opening as stored, files', () => {
  test('read only, and read -> not a byte of them changes; writing is read_only', async () => {
    const random = new Random(1)
    const disk = new SimulatedDisk(random)
    const app = await openApp(await appStorage(treeStorage(disk.mount())))
    // Not closed: there is a log to replay.
    await app.collection('notes').put({ id: 'b', text: 'y' })
    const copy = diskWith(random, disk.image())
    await app.close()
    const before = copy.image()
    const db = await openStored({ storage: treeStorage(copy.mount()), readOnly: true })
    expect(await db.collection('notes').find()).toHaveLength(2)
    await expect(db.collection('notes').delete('a')).rejects.toMatchObject({ code: 'read_only' })
    await db.close()
    expect(copy.image()).toEqual(before)
  })
})

describe('encoded put', () => {
  const first = encodeEntity({ id: 'a', text: 'x', rank: 1 })
  const other = encodeEntity({ id: 'a', text: 'x', rank: 2 })

  test('id is there -> replaced, unchanged, skipped, or entity_exists', async () => {
    const db = await openStored({ storage: await appStorage(memoryStorage()) })
    const stamp = async () => (await db.collection('notes').getRaw('a'))?.bytes
    expect(await putBytes(db, first)).toBe('unchanged')
    expect(await putBytes(db, other, 'skip')).toBe('skipped')
    await expect(putBytes(db, other, 'fail')).rejects.toMatchObject({ code: 'entity_exists' })
    expect(await stamp()).toEqual(first)
    expect(await putBytes(db, other)).toBe('replaced')
    expect(await stamp()).toEqual(other)
    expect(await putBytes(db, encodeEntity({ id: 'b', text: 'y' }), 'fail')).toBe('inserted')
    expect((await db.verify()).ok).toBe(true)
    await db.close()
  })

  test('same bytes of an older schema version -> replaced', async () => {
    const storage = memoryStorage()
    const open = (version: 1 | 2) =>
      EntiDB.open({
        storage,
        collections: {
          notes: defineCollection<Note>(
            version === 1 ? {} : { version, migrations: { 2: (old) => old } },
          ),
        },
        changeFeed: true,
      })
    const old = await open(1)
    await old.collection('notes').put({ id: 'a', text: 'x', rank: 1 })
    await old.close()
    await (await open(2)).close()
    const db = await openStored({ storage })
    expect(await putBytes(db, first)).toBe('replaced')
    expect(await db.collection('notes').getRaw('a')).toMatchObject({ schemaVersion: 2 })
    expect(await putBytes(db, first)).toBe('unchanged')
    await db.close()
  })

  test('integers beyond 2^53 as other implementations write them -> their bytes are kept', async () => {
    const db = await openStored({ storage: await appStorage(memoryStorage()) })
    // { id: 'b', rank: 2^60, text: 'y' }
    const bytes = Buffer.from('a362696461626472616e6b1b100000000000000064746578746179', 'hex')
    await putBytes(db, bytes)
    expect(Buffer.from((await db.collection('notes').getRaw('b'))?.bytes ?? [])).toEqual(bytes)
    expect(await db.collection('notes').find({ where: { rank: 2n ** 60n } })).toHaveLength(1)
    expect((await db.verify()).ok).toBe(true)
    await db.close()
  })

  test.each([
    ['no CBOR', 'invalid_cbor', Uint8Array.of(0xff)],
    ['cut off', 'invalid_cbor', first.subarray(0, -1)],
    ['something behind it', 'invalid_cbor', Uint8Array.of(...first, 0)],
    ['no map', 'invalid_cbor', encodeEntity(['a'])],
    ['a date', 'invalid_id', encodeEntity(new Date(0))],
    ['nothing', 'invalid_cbor', new Uint8Array()],
    ['no id', 'invalid_id', encodeEntity({ text: 'x' })],
    ['an empty id', 'invalid_id', encodeEntity({ id: '', text: 'x' })],
    ['a number as id', 'invalid_id', encodeEntity({ id: 1, text: 'x' })],
    ['a key that another has', 'unique_violation', encodeEntity({ id: 'b', text: 'x' })],
  ])('%s -> %s, and the transaction can go on', async (_, code, bytes) => {
    const db = await openStored({ storage: await appStorage(memoryStorage()) })
    await db.transaction(async (tx) => {
      const putting = putEncodedEntity(db, tx, 'notes', bytes, 'replace')
      await expect(putting).rejects.toMatchObject({ code })
      await tx.collection('notes').put({ id: 'c', text: 'z' })
    })
    expect(await db.collection('notes').count()).toBe(2)
    expect((await db.verify()).ok).toBe(true)
    await db.close()
  })

  test('larger than allowed -> invalid_entity, too_large', async () => {
    const storage = await appStorage(memoryStorage())
    const db = await openStored({ storage, limits: { maxEntityBytes: 20 } })
    const bytes = encodeEntity({ id: 'b', text: 'more than twenty' })
    await expect(putBytes(db, bytes)).rejects.toMatchObject({
      code: 'invalid_entity',
      details: { reason: 'too_large' },
    })
    await db.close()
  })

  test('collection unknown, or of the system -> unknown_collection, TypeError', async () => {
    const db = await openStored({ storage: await appStorage(memoryStorage()) })
    await replication(db).openSystemCollections({ _state: defineCollection() })
    const put = (name: string) =>
      db.transaction((tx) => putEncodedEntity(db, tx, name, first, 'replace'))
    await expect(put('absent')).rejects.toMatchObject({ code: 'unknown_collection' })
    await expect(put('_state')).rejects.toThrow(TypeError)
    await db.close()
  })
})
