import { describe, expect, test } from 'vitest'
import { encodeEntity } from '../cbor/entity-encoder.ts'
import type { FileSystem } from '../files/file-system.ts'
import { createMemoryFileSystem } from '../files/memory-file-system.ts'
import type { Storage } from '../store/key-value-store.ts'
import { Random } from '../store/random.ts'
import { SimulatedDisk } from '../store/simulated-disk.ts'
import type { MountOptions } from '../store/simulated-mount.ts'
import { treeStorage } from '../store/tree-storage.ts'
import { type CollectionOptions, defineCollection } from './collection-definition.ts'
import { EntiDB } from './database.ts'
import type { LiveQuery } from './live-query.ts'
import { memoryStorage } from './memory-storage.ts'
import { replication } from './replication-access.ts'
import type { StandardSchema } from './standard-schema.ts'

interface Note {
  id: string
  text: string
  rank?: number
}

function open(storage: Storage, options: CollectionOptions<Note> = {}) {
  return EntiDB.open({ storage, collections: { notes: defineCollection<Note>(options) } })
}

async function tablesOf(storage: Storage): Promise<readonly string[]> {
  const store = await storage.open({ durability: 'strict' })
  const snapshot = store.snapshot()
  const tables = await snapshot.tables()
  snapshot.release()
  await store.close()
  return tables
}

describe('opening', () => {
  test('again -> the same entities and identity; elsewhere -> another identity', async () => {
    const storage = memoryStorage()
    const db = await open(storage)
    await db.collection('notes').put({ id: 'a', text: 'x' })
    const { identity } = replication(db)
    expect(identity.deviceId).toMatch(/^[0-9a-f]{32}$/)
    expect(identity.replicaId).toHaveLength(16)
    await db.close()
    const again = await open(storage)
    expect(await again.collection('notes').get('a')).toEqual({ id: 'a', text: 'x' })
    expect(replication(again).identity).toEqual(identity)
    expect(again.recovery.replayedCommits).toBe(0)
    await again.close()
    const other = await open(memoryStorage())
    expect(replication(other).identity).not.toEqual(identity)
    await other.close()
  })

  test('again with the same definitions, read, closed -> nothing is written, flushed or removed', async () => {
    const disk = new SimulatedDisk(new Random(1))
    const changes: string[] = []
    const openOn = (mount: FileSystem) =>
      EntiDB.open({
        storage: treeStorage(mount),
        collections: { notes: defineCollection<Note>({ indexes: { rank: ['rank'] } }) },
        changeFeed: true,
      })
    const db = await openOn(disk.mount())
    await db.collection('notes').put({ id: 'a', text: 'x', rank: 1 })
    await db.close()

    const failure: MountOptions['failure'] = (operation, file, _count, growth) => {
      const isReading =
        ['read', 'list'].includes(operation) || (operation === 'open' && growth === 0)
      if (!isReading) changes.push(`${operation} ${file}`)
      return undefined
    }
    const again = await openOn(disk.mount({ failure }))
    expect(await again.collection('notes').get('a')).toMatchObject({ text: 'x' })
    expect(await again.collection('notes').count({ where: { rank: 1 } })).toBe(1)
    await again.close()
    expect(changes).toEqual([])
  })

  test('twice at once -> database_locked', async () => {
    const storage = treeStorage(createMemoryFileSystem())
    const db = await open(storage)
    await expect(open(storage)).rejects.toMatchObject({ code: 'database_locked' })
    await db.close()
    await (await open(storage)).close()
  })

  test('an index is new, changed, gone -> built, built anew, removed', async () => {
    const storage = memoryStorage()
    const db = await open(storage)
    await db
      .collection('notes')
      .putMany(
        Array.from({ length: 1200 }, (_, i) => ({ id: String(i), text: `t${i % 3}`, rank: i })),
      )
    await db.close()
    const byText = await open(storage, { indexes: { first: ['text'] } })
    const query = { where: { text: 't1' } }
    expect(await byText.collection('notes').find(query)).toHaveLength(400)
    expect(await byText.collection('notes').explain(query)).toMatchObject({ index: 'first' })
    await byText.close()
    const byRank = await open(storage, { indexes: { first: [{ rank: 'desc' }], second: ['text'] } })
    const top = { orderBy: { rank: 'desc' }, limit: 1 } as const
    expect(await byRank.collection('notes').find(top)).toMatchObject([{ rank: 1199 }])
    expect(await byRank.collection('notes').explain(top)).toMatchObject({ index: 'first' })
    await byRank.close()
    const without = await open(storage)
    await without.close()
    expect((await tablesOf(storage)).filter((name) => name.startsWith('i:'))).toEqual([])
  })

  test.each(['__proto__', 'constructor'])(
    'an index named %s -> is one, and removed',
    async (name) => {
      const storage = memoryStorage()
      const db = await open(storage, { indexes: { [name]: { on: ['text'], unique: true } } })
      await db.collection('notes').put({ id: 'a', text: 'x' })
      const second = db.collection('notes').put({ id: 'b', text: 'x' })
      await expect(second).rejects.toMatchObject({ code: 'unique_violation' })
      await db.close()
      const without = await open(storage)
      await without.collection('notes').put({ id: 'b', text: 'x' })
      expect((await without.verify()).problems).toEqual([])
      await without.close()
      expect(await tablesOf(storage)).not.toContain(`i:notes:${name}`)
    },
  )

  test('opened without a collection -> its indexes are kept right for the next time', async () => {
    const storage = memoryStorage()
    const indexed = { indexes: { text: ['text'] } } as const
    const db = await open(storage, indexed)
    await db.collection('notes').put({ id: 'a', text: 'x' })
    await db.close()
    const other = await EntiDB.open({ storage, collections: {} })
    expect(() => other.collection('notes' as never)).toThrow(
      expect.objectContaining({ code: 'unknown_collection' }),
    )
    const bytes = encodeEntity({ id: 'b', text: 'y' })
    await other.transaction((tx) =>
      tx.applyRaw({ collection: 'notes', entityId: 'b', version: 1, bytes, schemaVersion: 1 }),
    )
    await other.close()
    const again = await open(storage, indexed)
    expect(await again.collection('notes').find({ where: { text: 'y' } })).toHaveLength(1)
    expect(await again.collection('notes').find({ where: { text: 'x' } })).toHaveLength(1)
    await again.close()
  })

  test('data of a newer version -> data_newer_than_code, and the store is free again', async () => {
    const storage = memoryStorage()
    await (await open(storage, { version: 3 })).close()
    await expect(open(storage, { version: 2 })).rejects.toMatchObject({
      code: 'data_newer_than_code',
      details: { collection: 'notes', stored: 3, defined: 2 },
    })
    const db = await open(storage, { version: 4 })
    await db.collection('notes').put({ id: 'a', text: 'x' })
    expect(await db.collection('notes').getRaw('a')).toMatchObject({ schemaVersion: 4 })
    await db.close()
  })

  test.each<[string, Record<string, CollectionOptions<Note>>]>([
    ['a reserved name', { _notes: {} }],
    ['a name with a slash', { 'a/b': {} }],
    ['an empty name', { '': {} }],
    ['a version of zero', { notes: { version: 0 } }],
    ['an index without fields', { notes: { indexes: { none: [] } } }],
    ['an index name with a colon', { notes: { indexes: { 'a:b': ['text'] } } }],
    ['an index of nothing', { notes: { indexes: { none: [''] as never } } }],
    ['an unknown option', { notes: { upgrades: {} } as never }],
    ['an unknown option of an index', { notes: { indexes: { a: { fields: ['a'] } as never } } }],
    ['an unknown direction', { notes: { indexes: { a: [{ text: 'up' as never }] } } }],
  ])('definitions: %s -> TypeError', async (_, collections) => {
    const storage = memoryStorage()
    await expect(EntiDB.open({ storage, collections })).rejects.toThrow(TypeError)
    await (await open(storage)).close()
  })

  test('limits that are no sizes -> TypeError', async () => {
    const options = { storage: memoryStorage(), collections: {}, limits: { maxIdBytes: -1 } }
    await expect(EntiDB.open(options)).rejects.toThrow(TypeError)
  })

  test('limits.maxIdBytes -> longer ids', async () => {
    const options = { storage: memoryStorage(), limits: { maxIdBytes: 1024 } }
    const db = await EntiDB.open({ ...options, collections: { notes: defineCollection<Note>() } })
    await db.collection('notes').put({ id: 'x'.repeat(1024), text: 'x' })
    const longer = db.collection('notes').put({ id: 'x'.repeat(1025), text: 'x' })
    await expect(longer).rejects.toMatchObject({ code: 'invalid_id' })
    await db.close()
  })

  test('a larger limits.maxEntityBytes -> also with a schema, and in live queries', async () => {
    const MEBIBYTE = 1024 * 1024
    const schema: StandardSchema<unknown, Note> = {
      '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as Note }) },
    }
    const db = await EntiDB.open({
      storage: memoryStorage(),
      limits: { maxEntityBytes: 20 * MEBIBYTE },
      collections: { notes: defineCollection<Note>({ schema }) },
    })
    const notes = db.collection('notes')
    const large = (letter: string) => ({ id: 'a', text: letter.repeat(17 * MEBIBYTE) })
    await notes.put(large('a'))
    let live: LiveQuery<Note> | undefined
    // What was written before it was opened is not known to it: it compares.
    await db.transaction(async (tx) => {
      await tx.collection('notes').put(large('b'))
      live = notes.live()
    })
    expect(live?.getSnapshot()?.[0]?.text[0]).toBe('b')
    const larger = notes.put({ id: 'b', text: 'x'.repeat(20 * MEBIBYTE) })
    await expect(larger).rejects.toMatchObject({ code: 'invalid_entity' })
    await db.close()
  })

  test('a smaller limits.maxIdBytes -> own ids are refused, those of other devices are not', async () => {
    const options = { storage: memoryStorage(), limits: { maxIdBytes: 5 } }
    const db = await EntiDB.open({ ...options, collections: { notes: defineCollection<Note>() } })
    const notes = db.collection('notes')
    const id = 'x'.repeat(512)
    await expect(notes.put({ id, text: 'x' })).rejects.toMatchObject({ code: 'invalid_id' })
    const bytes = encodeEntity({ id, text: 'x' })
    const operation = { collection: 'notes', entityId: id, version: 1, schemaVersion: 1, bytes }
    await db.transaction((tx) => tx.replica.applyNewer([operation]))
    expect((await notes.get(id))?.text).toBe('x')
    expect((await notes.delete(id)).existed).toBe(true)
    await db.transaction((tx) => tx.applyRaw({ ...operation, version: 2 }))
    expect((await notes.get(id))?.text).toBe('x')
    await db.close()
  })

  test.each([
    ['durability of no known name', { durability: 'Strict' }, 'durability'],
    ['changeFeed that is no boolean', { changeFeed: 'no' }, 'changeFeed'],
    ['a misspelt option', { changefeed: true }, 'changefeed'],
    ['a misspelt limit', { limits: { maxEntitybytes: 1 } }, 'maxEntitybytes'],
    ['limits that are a number', { limits: 5 }, 'limits'],
    ['a path for a storage', { storage: './data' }, 'storage'],
    ['a definition that is a number', { collections: { notes: 5 } }, 'notes'],
    ['a schema that is none', { collections: { notes: { schema: {} } } }, 'schema'],
  ])('%s -> a TypeError that names it', async (_, wrong, name) => {
    const opened = EntiDB.open({ storage: memoryStorage(), collections: {}, ...wrong } as never)
    await expect(opened).rejects.toThrow(TypeError)
    await expect(opened).rejects.toThrow(name)
  })
})
