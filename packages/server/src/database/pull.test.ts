import { encodeEntity } from '@entidb/core/cbor'
import { describe, expect, test } from 'vitest'
import {
  dbId,
  deviceA,
  deviceB,
  openTestDatabase,
  pull,
  push,
  put,
  remove,
  revisionOf,
  writer,
} from './sync-database.test-kit.ts'

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1)

async function pullAll(
  database: Awaited<ReturnType<typeof openTestDatabase>>,
  limit: number,
): Promise<string[][]> {
  const pages: string[][] = []
  for (let sinceCursor = 0; ; ) {
    const page = await pull(database, { sinceCursor, limit })
    pages.push(page.ops.map((op) => op.entityId))
    if (page.hasMore && page.nextCursor <= sinceCursor) throw new Error('the cursor stands still')
    sinceCursor = page.nextCursor
    if (!page.hasMore) return pages
  }
}

describe('pull', () => {
  test('everything that was committed -> in cursor order with revisions, authors and bytes as pushed', async () => {
    const database = await openTestDatabase()
    const created = await push(database, [
      put(4, 'x', 0, 'a', { timestampMs: -1, schemaVersion: 3 }),
    ])
    const revision = revisionOf(created, 4)
    await push(database, [remove(2, 'x', revision, { deviceId: deviceB })])
    const page = await pull(database)
    expect(page.ops).toEqual([
      {
        opId: 4,
        dbId,
        deviceId: deviceA,
        collection: 'items',
        entityId: 'x',
        opType: 'PUT',
        entityVersion: revision,
        entityCbor: encodeEntity({ id: 'x', value: 'a' }),
        timestampMs: -1,
        schemaVersion: 3,
      },
      {
        opId: 2,
        dbId,
        deviceId: deviceB,
        collection: 'items',
        entityId: 'x',
        opType: 'DELETE',
        entityVersion: revision + 1,
        entityCbor: null,
      },
    ])
    expect(page).toMatchObject({ nextCursor: revision + 1, hasMore: false, head: revision + 1 })
  })

  test('own operations -> echoed; the same request again -> the same answer', async () => {
    const database = await openTestDatabase()
    await push(database, [put(1, 'x', 0, 'a')])
    const request = { deviceId: deviceA }
    const page = await pull(database, request)
    expect(page.ops.map((op) => op.deviceId)).toEqual([deviceA])
    expect(await pull(database, request)).toEqual(page)
  })

  test('nothing after the cursor -> empty page that ends at the head', async () => {
    const database = await openTestDatabase()
    const head = await database.head()
    expect(await pull(database)).toMatchObject({ ops: [], nextCursor: head, hasMore: false })
    expect(await pull(database, { sinceCursor: head })).toMatchObject({ ops: [], nextCursor: head })
  })

  test('limit -> pages of at most so many operations, all of them once', async () => {
    const database = await openTestDatabase()
    await push(
      database,
      range(7).map((opId) => put(opId, `e${opId}`, 0, opId)),
    )
    expect(await pullAll(database, 3)).toEqual([['e1', 'e2', 'e3'], ['e4', 'e5', 'e6'], ['e7']])
  })

  test('limit absent or larger than the maximum -> the maximum', async () => {
    const database = await openTestDatabase({ limits: { maxPullOps: 2 } })
    await push(
      database,
      range(3).map((opId) => put(opId, `e${opId}`, 0, opId)),
    )
    expect((await pull(database)).ops).toHaveLength(2)
    expect((await pull(database, { limit: 10 })).ops).toHaveLength(2)
  })

  test('bytes -> a page stops growing at the bound but holds at least one operation', async () => {
    const database = await openTestDatabase({ limits: { maxPullBytes: 1000 } })
    await push(
      database,
      range(4).map((opId) => put(opId, `e${opId}`, 0, 'x'.repeat(opId === 1 ? 5000 : 300))),
    )
    expect(await pullAll(database, 100)).toEqual([['e1'], ['e2', 'e3'], ['e4']])
  })

  test('a group that does not fit -> the page ends before it; alone it is sent whole', async () => {
    const database = await openTestDatabase()
    await push(database, [
      put(1, 'a', 0, 1),
      put(2, 'b', 0, 1, { tx: 0 }),
      put(3, 'c', 0, 1, { tx: 0 }),
      put(4, 'd', 0, 1, { tx: 0 }),
      put(5, 'e', 0, 1),
    ])
    expect(await pullAll(database, 2)).toEqual([['a'], ['b', 'c', 'd'], ['e']])
    expect(await pullAll(database, 1)).toEqual([['a'], ['b', 'c', 'd'], ['e']])
    expect(await pullAll(database, 4)).toEqual([['a', 'b', 'c', 'd'], ['e']])
  })

  test('neighbouring groups of two devices with one number -> not one group', async () => {
    const database = await openTestDatabase()
    await push(database, [put(1, 'a', 0, 1, { tx: 0 }), put(2, 'b', 0, 1, { tx: 0 })])
    await push(database, [
      put(1, 'c', 0, 1, { tx: 0, deviceId: deviceB }),
      put(2, 'd', 0, 1, { tx: 0, deviceId: deviceB }),
    ])
    expect(await pullAll(database, 1)).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ])
  })

  test('collections -> only these; nextCursor passes over the others', async () => {
    const database = await openTestDatabase({ limits: { maxPullOps: 2 } })
    const response = await push(database, [
      put(1, 'a', 0, 1),
      ...range(4).map((i) => put(i + 1, `o${i}`, 0, 1, { collection: 'others' })),
      put(6, 'b', 0, 1),
      put(7, 'o9', 0, 1, { collection: 'others' }),
    ])
    const first = await pull(database, { collections: ['items'] })
    expect(first.ops.map((op) => op.entityId)).toEqual(['a', 'b'])
    expect(first).toMatchObject({ nextCursor: response.head, hasMore: false })
    const none = await pull(database, { collections: [] })
    expect(none).toMatchObject({ ops: [], nextCursor: response.head })
  })

  test('very many hidden rows -> the page ends early, and the cursor moves on', async () => {
    const database = await openTestDatabase({ limits: { maxPullOps: 2 } })
    await push(
      database,
      range(20).map((i) => put(i, `o${i}`, 0, 1, { collection: 'others' })),
    )
    const page = await pull(database, { collections: ['items'] })
    expect(page.ops).toEqual([])
    expect(page.hasMore).toBe(true)
    expect(page.nextCursor).toBe((await database.head()) - 12)
  })

  test('more rows than a read batch -> every one once', async () => {
    const database = await openTestDatabase()
    for (let from = 0; from < 3000; from += 1000) {
      await push(
        database,
        range(1000).map((i) => put(from + i, `e${from + i}`, 0, i)),
      )
    }
    const page = await pull(database)
    expect(page.ops.map((op) => op.entityId)).toEqual(range(3000).map((i) => `e${i}`))
  })

  test('a cursor past the head of this epoch -> cursor_ahead', async () => {
    const database = await openTestDatabase()
    const sinceCursor = (await database.head()) + 1
    await expect(database.pull({ dbId, sinceCursor }, writer)).rejects.toMatchObject({
      code: 'cursor_ahead',
    })
  })
})
