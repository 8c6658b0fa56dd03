import { describe, expect, test } from 'vitest'
import type { Storage } from '../store/key-value-store.ts'
import { defineCollection } from './collection-definition.ts'
import { EntiDB } from './database.ts'
import { memoryStorage } from './memory-storage.ts'
import type { DbOperation } from './operation.ts'
import { replication } from './replication-access.ts'
import { stores } from './stores.test-kit.ts'

interface Note {
  id: string
  text: string
}

const collections = { notes: defineCollection<Note>() }

function open(storage: Storage = memoryStorage(), changeFeed = true) {
  return EntiDB.open({ storage, collections, changeFeed, clock: () => 1234 })
}

async function collect(changes: AsyncIterable<DbOperation>): Promise<DbOperation[]> {
  const found: DbOperation[] = []
  for await (const op of changes) found.push(op)
  return found
}

describe.each(stores)('change feed on the $store store', ({ createStorage }) => {
  test('writes -> operations in commit order, the last of each transaction marked', async () => {
    const db = await open(createStorage())
    await db.transaction(async (tx) => {
      await tx.collection('notes').put({ id: 'a', text: '1' })
      await tx.collection('notes').put({ id: 'b', text: '2' })
      await tx.collection('notes').delete('a')
    })
    await db.collection('notes').put({ id: 'c', text: '3' })
    const found = await collect(db.changes({ wait: false }))
    const identity = replication(db).identity
    expect(found).toMatchObject([
      { opId: 1, entityId: 'a', opType: 'PUT', payload: { id: 'a', text: '1' } },
      { opId: 2, entityId: 'b', transactionId: 1, transactionLast: false },
      { opId: 3, entityId: 'a', opType: 'DELETE', payload: null, transactionLast: true },
      {
        ...{ opId: 4, collection: 'notes', entityId: 'c', transactionId: 4, transactionLast: true },
        ...{ dbId: identity.databaseId, deviceId: identity.deviceId, timestampMs: 1234 },
        ...{ origin: 'local', entityVersion: 0, staleBase: false, schemaVersion: 1 },
      },
    ])
    expect(Object.isFrozen(found[0]?.payload)).toBe(true)
    expect(await collect(db.changes({ after: 3, wait: false }))).toHaveLength(1)
    expect(await collect(db.changes({ after: 4, wait: false }))).toEqual([])
    await db.close()
  })

  test.each([
    [1234.75, 1234],
    [-1234.75, -1234],
    [-0.5, 0],
    [Number.NaN, 0],
    [2 ** 53, 0],
  ])('a clock that tells %s -> %s, which sync can send', async (time, expected) => {
    const storage = createStorage()
    const db = await EntiDB.open({ storage, collections, changeFeed: true, clock: () => time })
    await db.collection('notes').put({ id: 'a', text: '1' })
    const [operation] = await collect(db.changes({ wait: false }))
    expect(operation?.timestampMs).toBe(expected)
    await db.close()
  })

  test('waiting -> wakes with each commit, ends with the signal', async () => {
    const db = await open(createStorage())
    const controller = new AbortController()
    const seen: string[] = []
    const following = (async () => {
      for await (const op of db.changes({ signal: controller.signal })) {
        seen.push(op.entityId)
        if (seen.length === 3) controller.abort()
      }
    })()
    for (const id of ['a', 'b', 'c']) await db.collection('notes').put({ id, text: id })
    await following
    expect(seen).toEqual(['a', 'b', 'c'])
    await db.close()
  })

  test.each(['return', 'throw'] as const)('%s while a step waits -> both end', async (end) => {
    const db = await open(createStorage())
    const reader = await db.feedReader('mine')
    for (const steps of [db.changes(), reader.changes()]) {
      const waiting = steps.next()
      await new Promise((resolve) => setTimeout(resolve, 5))
      const error = new Error('left')
      const ending = end === 'return' ? steps.return() : steps.throw(error)
      await (end === 'return' ? ending : expect(ending).rejects.toBe(error))
      expect(await waiting).toEqual({ done: true, value: undefined })
      expect(await steps.next()).toEqual({ done: true, value: undefined })
    }
    await db.close()
  })

  test('reopen -> goes on, opIds go on', async () => {
    const storage = createStorage()
    const db = await open(storage)
    await db.collection('notes').put({ id: 'a', text: '1' })
    await db
      .transaction(async (tx) => {
        await tx.collection('notes').put({ id: 'b', text: '1' })
        throw new Error('no')
      })
      .catch(() => {})
    const { opIds } = await db.collection('notes').put({ id: 'c', text: '1' })
    await db.close()
    const again = await open(storage)
    const later = await again.collection('notes').put({ id: 'd', text: '1' })
    expect(later.opIds[0]).toBeGreaterThan(opIds[0] ?? 0)
    const ids = (await collect(again.changes({ wait: false }))).map(({ entityId }) => entityId)
    expect(ids).toEqual(['a', 'c', 'd'])
    await again.close()
  })

  test('many operations -> all of them, in batches', async () => {
    const db = await open(createStorage())
    const notes = Array.from({ length: 700 }, (_, i) => ({ id: String(i), text: 'x' }))
    await db.collection('notes').putMany(notes)
    expect(await collect(db.changes({ wait: false }))).toHaveLength(700)
    await db.close()
  })
})

describe('change feed', () => {
  test('off -> change_feed_off, nothing stored', async () => {
    const db = await open(memoryStorage(), false)
    await db.collection('notes').put({ id: 'a', text: '1' })
    await expect(collect(db.changes())).rejects.toMatchObject({ code: 'change_feed_off' })
    expect((await db.stats()).feed).toEqual({ on: false, operations: 0 })
    await db.close()
  })

  test('turned off and on again -> a reader from before is told of the gap', async () => {
    const storage = memoryStorage()
    const first = await open(storage)
    await first.collection('notes').putMany([{ id: 'a', text: '1' }])
    await first.close()
    const second = await open(storage, false)
    await second.collection('notes').putMany([{ id: 'b', text: '1' }])
    await second.close()
    const third = await open(storage)
    await third.collection('notes').putMany([{ id: 'c', text: '1' }])
    await expect(collect(third.changes({ after: 1 }))).rejects.toMatchObject({
      code: 'change_feed_off',
    })
    const ids = (await collect(third.changes({ wait: false }))).map(({ entityId }) => entityId)
    expect(ids).toEqual(['c'])
    await third.close()
  })

  test('the database closes while it waits -> database_closed', async () => {
    const db = await open()
    const following = collect(db.changes())
    await new Promise((resolve) => setTimeout(resolve, 5))
    const outcome = expect(following).rejects.toMatchObject({ code: 'database_closed' })
    await db.close()
    await outcome
  })

  test('the consumer breaks off -> no listener is left', async () => {
    const db = await open()
    await db.collection('notes').put({ id: 'a', text: '1' })
    for await (const op of db.changes()) {
      expect(op.entityId).toBe('a')
      break
    }
    await db.collection('notes').put({ id: 'b', text: '1' })
    await db.close()
  })
})

describe('replication(db)', () => {
  test('onCommit -> after durability, in order, with the origin; not for system rows', async () => {
    const db = await open()
    const core = replication(db)
    await core.openSystemCollections({ _state: defineCollection() })
    const told: unknown[] = []
    const off = core.onCommit((commit) => told.push(commit))
    await Promise.all([
      db.collection('notes').put({ id: 'a', text: '1' }),
      db.transaction(
        async (tx) => {
          await tx.collection('notes').put({ id: 'b', text: '1' })
          await tx.collection('notes').put({ id: 'c', text: '1' })
        },
        { origin: 'sync' },
      ),
      db.transaction(async (tx) => {
        await tx.collection('_state').put({ id: 's' })
      }),
    ])
    expect(told).toMatchObject([
      { lastOpId: 1, transactionId: 1, origin: 'local' },
      { lastOpId: 3, transactionId: 2, origin: 'sync' },
    ])
    off()
    await db.collection('notes').put({ id: 'd', text: '1' })
    expect(told).toHaveLength(2)
    await db.close()
  })

  test('readFeed: bounds -> whole transactions, one too large is cut', async () => {
    const db = await open()
    const core = replication(db)
    for (const count of [2, 3, 5]) {
      await db
        .collection('notes')
        .putMany(Array.from({ length: count }, (_, i) => ({ id: `${count}-${i}`, text: 'x' })))
    }
    const read = async (after: number, opsMax: number, bytesMax = 1e9) =>
      (await core.readFeed({ after, opsMax, bytesMax })).map(({ opId }) => opId)
    expect(await read(0, 100)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(await read(0, 6)).toEqual([1, 2, 3, 4, 5])
    expect(await read(0, 4)).toEqual([1, 2])
    expect(await read(5, 4)).toEqual([6, 7, 8, 9])
    expect(await read(9, 4)).toEqual([10])
    expect(await read(0, 100, 1)).toEqual([1])
    expect(await core.feedHead()).toBe(10)
    await db.close()
  })

  test('acknowledgeFeed: two readers -> what both have is removed; the feed stays on', async () => {
    const storage = memoryStorage()
    const db = await open(storage)
    const core = replication(db)
    const notes = Array.from({ length: 10 }, (_, i) => ({ id: String(i), text: 'x' }))
    await db.collection('notes').putMany(notes)
    await db.transaction((tx) => core.acknowledgeFeed(tx, 'one', 8))
    expect((await db.stats()).feed.operations).toBe(2)
    await db.transaction((tx) => core.acknowledgeFeed(tx, 'two', 9))
    expect((await db.stats()).feed.operations).toBe(2)
    await db.transaction((tx) => core.acknowledgeFeed(tx, 'one', 10))
    expect((await db.stats()).feed.operations).toBe(1)
    await db.transaction((tx) => core.acknowledgeFeed(tx, 'two', 10))
    expect((await db.stats()).feed.operations).toBe(0)
    expect(await core.feedHead()).toBe(10)
    await expect(collect(db.changes({ after: 4 }))).rejects.toMatchObject({
      code: 'change_feed_off',
    })
    await db.close()
    const again = await open(storage, false)
    expect(replication(again).feedOn).toBe(true)
    expect(await replication(again).feedHead()).toBe(10)
    await again.transaction((tx) => replication(again).removeFeedReader(tx, 'one'))
    await again.transaction((tx) => replication(again).removeFeedReader(tx, 'two'))
    await again.close()
    const off = await open(storage, false)
    expect(replication(off).feedOn).toBe(false)
    await off.close()
  })

  test('acknowledgeFeed: the feed was off -> on from then; rolled back -> still off', async () => {
    const db = await open(memoryStorage(), false)
    const core = replication(db)
    await db.collection('notes').put({ id: 'a', text: '1' })
    await db
      .transaction(async (tx) => {
        await core.acknowledgeFeed(tx, 'sync', 0)
        throw new Error('no')
      })
      .catch(() => {})
    expect(core.feedOn).toBe(false)
    await db.transaction((tx) => core.acknowledgeFeed(tx, 'sync', 0))
    expect(core.feedOn).toBe(true)
    await db.collection('notes').put({ id: 'b', text: '1' })
    const found = await core.readFeed({ after: 0, opsMax: 10, bytesMax: 1000 })
    expect(found.map(({ entityId }) => entityId)).toEqual(['b'])
    await db.close()
  })

  test('system collections -> in the same transactions, outside feed, pending and scan', async () => {
    const storage = memoryStorage()
    const db = await open(storage)
    const core = replication(db)
    const { _state } = await core.openSystemCollections({
      _state: defineCollection<{ id: string; cursor: number }>({ indexes: { cursor: ['cursor'] } }),
    })
    await db.transaction(async (tx) => {
      await tx.collection('notes').put({ id: 'a', text: '1' })
      await tx.collection('_state').put({ id: 'x'.repeat(1000), cursor: 5 })
    })
    expect(await _state.find({ where: { cursor: 5 } })).toHaveLength(1)
    expect(await collect(db.changes({ wait: false }))).toHaveLength(1)
    const scanned = await db.transaction((tx) => tx.replica.scan({ entriesMax: 10 }))
    expect(scanned).toHaveLength(1)
    expect((await _state.put({ id: 's', cursor: 6 })).opIds).toEqual([])
    await _state.delete('s')
    expect((await db.stats()).collections).toMatchObject({ notes: 1, _state: 1 })
    await expect(core.openSystemCollections({ state: defineCollection() })).rejects.toThrow(
      TypeError,
    )
    const raw = { version: 1, bytes: null, schemaVersion: 1 }
    const applied = db.transaction((tx) =>
      tx.applyRaw({ collection: '_state', entityId: 'x', ...raw }),
    )
    await expect(applied).rejects.toThrow(TypeError)
    await db.close()
    const again = await open(storage)
    const reopened = await replication(again).openSystemCollections({
      _state: defineCollection<{ id: string; cursor: number }>({ indexes: { cursor: ['cursor'] } }),
    })
    expect(await reopened._state.count()).toBe(1)
    await again.close()
  })
})
