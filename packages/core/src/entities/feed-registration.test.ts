import { describe, expect, test } from 'vitest'
import { EntiDBError } from '../errors/entidb-error.ts'
import type { Storage } from '../store/key-value-store.ts'
import { defineCollection } from './collection-definition.ts'
import { EntiDB } from './database.ts'
import type { FeedReader } from './feed-registration.ts'
import { memoryStorage } from './memory-storage.ts'
import { naiveStorage } from './naive-store.test-kit.ts'
import { replication } from './replication-access.ts'

interface Note {
  readonly id: string
}

const collections = {
  notes: defineCollection<Note>(),
  counts: defineCollection<{ id: string; seen: number }>(),
}

function open(storage: Storage = memoryStorage(), changeFeed = true) {
  return EntiDB.open({ storage, collections, changeFeed })
}

async function unread(reader: FeedReader): Promise<string[]> {
  const ids: string[] = []
  for await (const { entityId } of reader.changes({ wait: false })) ids.push(entityId)
  return ids
}

describe('registered readers', () => {
  test('what a reader has not acknowledged -> kept, also when the database was closed and the feed is not asked for', async () => {
    const storage = memoryStorage()
    const db = await open(storage)
    await db.collection('notes').putMany([{ id: 'a' }, { id: 'b' }, { id: 'c' }])
    const reader = await db.feedReader('search')
    expect(await unread(reader)).toEqual(['a', 'b', 'c'])
    await reader.acknowledge(2)
    expect(await unread(reader)).toEqual(['c'])
    expect((await db.stats()).feed.operations).toBe(1)
    await db.close()
    const again = await open(storage, false)
    await again.collection('notes').put({ id: 'd' })
    const found = await again.feedReader('search')
    expect(await found.acknowledged()).toBe(2)
    expect(await unread(found)).toEqual(['c', 'd'])
    await again.close()
  })

  test('two readers -> the feed keeps what the slower one needs, until it is removed', async () => {
    const db = await open()
    const fast = await db.feedReader('fast')
    const slow = await db.feedReader('slow')
    await db.collection('notes').putMany([{ id: 'a' }, { id: 'b' }])
    await fast.acknowledge(2)
    expect((await db.stats()).feed.operations).toBe(2)
    await slow.remove()
    await slow.remove()
    await fast.acknowledge(2)
    await db.collection('notes').put({ id: 'c' })
    await fast.acknowledge(3)
    expect((await db.stats()).feed.operations).toBe(0)
    const unknown = { code: 'feed_reader_unknown', details: { name: 'slow' } }
    await expect(slow.acknowledge(3)).rejects.toMatchObject(unknown)
    await expect(slow.acknowledged()).rejects.toMatchObject(unknown)
    await expect(unread(slow)).rejects.toMatchObject(unknown)
    await db.close()
  })

  test('acknowledged in a transaction -> with what it wrote, or not at all', async () => {
    const db = await open()
    const reader = await db.feedReader('counter')
    await db.collection('notes').putMany([{ id: 'a' }, { id: 'b' }])
    const count = (fails: boolean) =>
      db.transaction(async (tx) => {
        for await (const op of reader.changes({ wait: false })) {
          const counts = tx.collection('counts')
          const seen = (await counts.get('all'))?.seen ?? 0
          if (op.collection === 'notes') await counts.put({ id: 'all', seen: seen + 1 })
          await reader.acknowledge(op.opId, { tx })
        }
        if (fails) throw new Error('no')
      })
    await expect(count(true)).rejects.toThrow('no')
    expect(await reader.acknowledged()).toBe(0)
    await count(false)
    expect(await db.collection('counts').get('all')).toEqual({ id: 'all', seen: 2 })
    expect(await reader.acknowledged()).toBe(2)
    await db.close()
  })

  test('the store fails in the middle, which is caught -> nothing is committed', async () => {
    const storage = naiveStorage()
    let deletesLeft = Number.POSITIVE_INFINITY
    const failing: Storage = {
      description: 'fails',
      open: async (options) => {
        const store = await storage.open(options)
        const begin = store.begin.bind(store)
        store.begin = async () => {
          const tx = await begin()
          const remove = tx.delete.bind(tx)
          tx.delete = (...entry) => {
            if (deletesLeft-- === 0) throw new EntiDBError('io_failed', 'simulated')
            return remove(...entry)
          }
          return tx
        }
        return store
      },
    }
    const db = await open(failing)
    const reader = await db.feedReader('search')
    await db.collection('notes').putMany([{ id: 'a' }, { id: 'b' }])
    const acknowledge = db.transaction(async (tx) => {
      deletesLeft = 1
      await reader.acknowledge(2, { tx }).catch(() => {})
    })
    await expect(acknowledge).rejects.toMatchObject({ code: 'io_failed' })
    expect(await unread(reader)).toEqual(['a', 'b'])
    const remove = db.transaction(async (tx) => {
      deletesLeft = 0
      await replication(db)
        .removeFeedReader(tx, 'app:search')
        .catch(() => {})
    })
    await expect(remove).rejects.toMatchObject({ code: 'io_failed' })
    await db.close()
  })

  test('an earlier opId -> has no effect', async () => {
    const db = await open()
    const reader = await db.feedReader('search')
    await db.collection('notes').putMany([{ id: 'a' }, { id: 'b' }])
    await reader.acknowledge(2)
    await reader.acknowledge(1)
    expect(await reader.acknowledged()).toBe(2)
    await db.close()
  })

  test('the feed was off -> on from then; of what was before, nothing', async () => {
    const db = await open(memoryStorage(), false)
    await db.collection('notes').put({ id: 'a' })
    const reader = await db.feedReader('search')
    await db.collection('notes').put({ id: 'b' })
    expect(await unread(reader)).toEqual(['b'])
    await db.close()
  })

  test('beside sync, which needs no operations of its own -> gets those too', async () => {
    const db = await open()
    const core = replication(db)
    const ignores = { ignores: 'sync' }
    await db.transaction((tx) => core.acknowledgeFeed(tx, 'sync', 0, ignores))
    const reader = await db.feedReader('sync')
    await db.transaction((tx) => core.acknowledgeFeed(tx, 'sync', 0, ignores))
    const bytes = Uint8Array.of(0xa1, 0x62, 0x69, 0x64, 0x61, 0x61)
    const state = { collection: 'notes', entityId: 'a', version: 1, schemaVersion: 1, bytes }
    await db.transaction((tx) => tx.applyRaw(state), { origin: 'sync' })
    expect(await unread(reader)).toEqual(['a'])
    await db.close()
  })

  test.each(['', '_search', 'a b', 7 as never])('the name %j -> a TypeError', async (name) => {
    const db = await open()
    await expect(db.feedReader(name)).rejects.toThrow(TypeError)
    await db.close()
  })

  test('no opId -> a TypeError', async () => {
    const db = await open()
    const reader = await db.feedReader('search')
    await expect(reader.acknowledge(-1)).rejects.toThrow(TypeError)
    await db.close()
  })
})
