/** Pages of snapshots as a client gets them: what is in them, and what the pulls after them say. */
import { EntiDB, memoryStorage } from '@entidb/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { serverCollections } from './collections.ts'
import {
  allPages,
  answer,
  filled,
  idsOf,
  keyOf,
  newest,
  RETENTION_MS,
  range,
  replicaOf,
  Writer,
  withoutGroups,
} from './snapshot-page.test-kit.ts'
import {
  deviceA,
  deviceB,
  openTestDatabase,
  pull,
  push,
  put,
  remove,
  revisionOf,
} from './sync-database.test-kit.ts'
import type { SyncDatabase } from './sync-database.ts'

describe('snapshot pages', () => {
  test('everything that exists -> the newest operations, as pulls give them but for their groups', async () => {
    const database = await openTestDatabase()
    const first = await push(database, [
      put(1, 'c', 0, 'old', { tx: 0 }),
      put(2, 'a', 0, 'a', { tx: 0, timestampMs: -1, schemaVersion: 3 }),
      put(3, 'b', 0, 'b', { collection: 'others', timestampMs: Number.MAX_SAFE_INTEGER }),
      put(4, 'aa', 0, 'aa'),
      put(5, 'ab', 0, 'ab', { schemaVersion: 4 }),
    ])
    await push(database, [
      put(9, 'c', revisionOf(first, 1), 'new', { deviceId: deviceB, tx: 7, timestampMs: 0 }),
      remove(10, 'b', revisionOf(first, 3), { deviceId: deviceB, tx: 7, collection: 'others' }),
    ])
    const expected = withoutGroups((await newest(database)).values())
    expect(expected).toHaveLength(5)
    const [page, ...others] = await allPages(database)
    expect(others).toEqual([])
    expect(page?.ops).toEqual(expected)
    expect(page?.purgedThrough).toBe(0)
    for (const limit of [1, 2]) {
      const pages = await allPages(database, { limit })
      expect(withoutGroups(pages.flatMap(({ ops }) => ops))).toEqual(expected)
    }
  })

  test('no entities -> one empty page that leads to the head', async () => {
    const database = await openTestDatabase()
    const head = await database.head()
    const [page] = await allPages(database)
    expect(page).toMatchObject({ ops: [], nextCursor: head, hasMore: false })
    expect(page?.snapshot).toEqual({ through: head })
  })

  test('limit -> so many entities a page in the order of their keys; 1 too; the last page may be full', async () => {
    const database = await filled(['d', 'b', 'f', 'a', 'e', 'c'])
    expect(idsOf(await allPages(database, { limit: 1 }))).toEqual([
      ['a'],
      ['b'],
      ['c'],
      ['d'],
      ['e'],
      ['f'],
    ])
    expect(idsOf(await allPages(database, { limit: 4 }))).toEqual([
      ['d', 'b', 'a', 'c'],
      ['f', 'e'],
    ])
    expect(idsOf(await allPages(database, { limit: 3 }))).toEqual([
      ['b', 'a', 'c'],
      ['d', 'f', 'e'],
    ])
    expect(idsOf(await allPages(database, { limit: 6 }))).toEqual([['d', 'b', 'f', 'a', 'e', 'c']])
  })

  test('limit absent or larger than the maximum -> the maximum', async () => {
    const database = await openTestDatabase({ limits: { maxPullOps: 2 } })
    await push(
      database,
      range(3).map((opId) => put(opId, `e${opId}`, 0, opId)),
    )
    for (const extras of [{}, { limit: 10 }]) {
      expect(idsOf(await allPages(database, extras))).toEqual([['e1', 'e2'], ['e3']])
    }
  })

  test('bytes -> a page stops growing at the bound; an entity larger than that is alone, wherever it is', async () => {
    const cases: [number, string[][]][] = [
      [1, [['e1'], ['e2', 'e3'], ['e4', 'e5']]],
      [2, [['e1'], ['e2'], ['e3', 'e4'], ['e5']]],
      [5, [['e1', 'e2'], ['e3', 'e4'], ['e5']]],
    ]
    for (const [large, expected] of cases) {
      const database = await openTestDatabase({ limits: { maxPullBytes: 2_500 } })
      await push(
        database,
        range(5).map((opId) => put(opId, `e${opId}`, 0, 'x'.repeat(opId === large ? 9_000 : 900))),
      )
      expect(idsOf(await allPages(database))).toEqual(expected)
    }
  })

  test('tombstones -> deletes with their own revisions, among the others; nothing but tombstones too', async () => {
    const database = await filled(['a', 'b', 'c'])
    const write = new Writer(database)
    await write.remove('b')
    const pages = await allPages(database, { limit: 2 })
    expect(pages.map(({ ops }) => ops.map(({ opType }) => opType))).toEqual([
      ['PUT', 'DELETE'],
      ['PUT'],
    ])
    const [, tombstone] = pages[0]?.ops ?? []
    expect(tombstone).toMatchObject({ entityId: 'b', entityCbor: null })
    expect(tombstone?.entityVersion).toBe(await database.head())
    await write.remove('a')
    await write.remove('c')
    expect(idsOf(await allPages(database, { limit: 2 }))).toEqual([['b', 'a'], ['c']])
  })

  test('more rows than a read batch -> every one once', async () => {
    const database = await openTestDatabase()
    for (let from = 0; from < 3000; from += 1000) {
      await push(
        database,
        range(1000).map((i) => put(from + i, `e${from + i}`, 0, i)),
      )
    }
    for (const limit of [64, 1024, 2999]) {
      const seen = (await allPages(database, { limit })).flatMap(({ ops }) => ops)
      expect(withoutGroups(seen).map(({ entityId }) => entityId)).toEqual(
        range(3000).map((i) => `e${i}`),
      )
    }
  })

  test('names that sort in odd ways, the longest too -> every entity once by pages of one', async () => {
    const database = await openTestDatabase()
    const ids = [
      '!',
      '-',
      '/',
      'a',
      'a/b',
      'ü'.repeat(256),
      '\u{1f600}',
      '\uffff',
      '\ufeffx',
      'z'.repeat(512),
    ]
    const collections = ['a', 'a-', 'a-b', 'aa', 'A', 'c'.repeat(64)]
    let opId = 0
    for (const collection of collections) {
      await push(
        database,
        ids.map((id) => put(++opId, id, 0, id, { collection })),
      )
    }
    const pages = await allPages(database, { limit: 1 })
    expect(pages.every(({ ops }) => ops.length === 1)).toBe(true)
    expect(withoutGroups(pages.flatMap(({ ops }) => ops))).toEqual(
      withoutGroups((await newest(database)).values()),
    )
  })

  test('rows from before the source was stored in them -> opId and time from the oplog, also when it was compacted', async () => {
    const storage = memoryStorage()
    const database = await openTestDatabase({ storage })
    const first = await push(database, [
      put(1, 'a', 0, 'old', { timestampMs: 5 }),
      put(2, 'b', 0, 'b', { timestampMs: -7, schemaVersion: 2, tx: 0 }),
      put(3, 'c', 0, 'c', { tx: 0 }),
    ])
    await push(database, [
      put(8, 'a', revisionOf(first, 1), 'new', { deviceId: deviceB }),
      remove(9, 'c', revisionOf(first, 3), { deviceId: deviceB, timestampMs: 11 }),
    ])
    const expected = withoutGroups((await newest(database)).values())
    await database.close()
    const files = await EntiDB.open({
      storage,
      collections: serverCollections,
      limits: { maxIdBytes: 1024 },
    })
    const entities = files.collection('entities')
    const rows = await entities.find()
    await entities.putMany(rows.map(({ sourceOpId: _, timestampMs: __, ...row }) => row))
    await files.close()

    const old = await openTestDatabase({ storage })
    for (const limit of [1, 2, 10]) {
      const pages = await allPages(old, { limit })
      expect(withoutGroups(pages.flatMap(({ ops }) => ops))).toEqual(expected)
    }
    // Some rows of each kind, and a log with gaps.
    await new Writer(old).put('b')
    await old.housekeep()
    const [page] = await allPages(old)
    expect(page?.ops).toEqual(withoutGroups((await newest(old)).values()))
    expect(page?.ops.map(({ opId }) => opId)).toEqual([8, 9, 1_001])
  })

  test('the same request again -> the same page, also after the database was opened anew', async () => {
    const storage = memoryStorage()
    const database = await openTestDatabase({ storage })
    await push(
      database,
      range(5).map((opId) => put(opId, `e${opId}`, 0, opId)),
    )
    const first = await answer(database, {}, { limit: 2 })
    const { through = -1, after = '' } = first.snapshot ?? {}
    const second = await answer(database, { through, after }, { limit: 2 })
    expect(second.ops.map(({ entityId }) => entityId)).toEqual(['e3', 'e4'])
    expect(await answer(database, { through, after }, { limit: 2, deviceId: deviceB })).toEqual(
      second,
    )
    expect(await answer(database, {}, { limit: 2 })).toEqual(first)
    await database.close()
    const again = await openTestDatabase({ storage })
    expect(await answer(again, { through, after }, { limit: 2 })).toEqual(second)
  })
})

describe('snapshot pages, with writes between them', () => {
  test('written and deleted before the place and behind it -> the pulls that follow complete it', async () => {
    for (const at of [1, 2, 3]) {
      const database = await filled(['b', 'd', 'f', 'h', 'j', 'l', 'n'])
      const write = new Writer(database)
      const pages = await allPages(database, { limit: 2 }, async (count) => {
        if (count !== at) return
        for (const id of ['a', 'b', 'e', 'l', 'z']) await write.put(id)
        for (const id of ['d', 'n']) await write.remove(id)
        await write.put('d', 'again')
      })
      expect(pages.at(-1)?.hasMore).toBe(true)
      const seen = pages.flatMap(({ ops }) => ops.map(({ entityId }) => entityId))
      for (const id of ['b', 'd', 'f', 'h', 'j', 'l', 'n']) {
        expect(seen.filter((other) => other === id)).toHaveLength(1)
      }
      const replica = await replicaOf(database, pages)
      expect(withoutGroups(replica.values())).toEqual(
        withoutGroups((await newest(database)).values()),
      )
    }
  })

  test('an operation newer than through -> in its page and again behind the snapshot', async () => {
    const database = await filled(['a', 'b', 'c'])
    const pages = await allPages(database, { limit: 1 }, async (count) => {
      if (count === 1) await new Writer(database).put('c', 'new')
    })
    const last = pages.at(-1)?.ops[0]
    expect(last?.entityVersion).toBeGreaterThan(pages.at(-1)?.nextCursor ?? 0)
    const { ops } = await pull(database, { sinceCursor: pages.at(-1)?.nextCursor ?? 0 })
    expect(ops).toEqual([last])
  })

  test('a delete of what a page had, compacted at once -> told by the pulls that follow', async () => {
    const database = await filled(['a', 'b', 'c'])
    const pages = await allPages(database, { limit: 2 }, async () => {
      await new Writer(database).remove('a')
      await database.housekeep()
    })
    const replica = await replicaOf(database, pages)
    expect(replica.get('items a')).toMatchObject({ opType: 'DELETE' })
  })

  test('any writes between any pages -> each lasting entity once, and in the end what the server has', async () => {
    const edit = fc.record({ id: fc.nat({ max: 11 }), isDelete: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(edit, { maxLength: 4 }), { maxLength: 8 }),
        fc.integer({ min: 1, max: 5 }),
        async ([before = [], ...rounds], limit) => {
          const database = await openTestDatabase()
          const write = new Writer(database)
          const run = async (edits: typeof before): Promise<void> => {
            for (const { id, isDelete } of edits) {
              if (isDelete) await write.remove(`e${id}`)
              else await write.put(`e${id}`, await database.head())
            }
          }
          await run(before)
          const lasting = [...(await newest(database)).keys()]
          const pages = await allPages(database, { limit }, (count) => run(rounds[count - 1] ?? []))
          const seen = pages.flatMap(({ ops }) => ops.map(keyOf))
          expect(new Set(seen).size).toBe(seen.length)
          expect(lasting.filter((key) => !seen.includes(key))).toEqual([])
          const replica = await replicaOf(database, pages)
          expect(withoutGroups(replica.values())).toEqual(
            withoutGroups((await newest(database)).values()),
          )
          await database.close()
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('snapshot pages, and purge', () => {
  interface Aging {
    readonly database: SyncDatabase
    readonly write: Writer
    /** A retention later, with the devices that pull meanwhile, tombstones are purged: how many. */
    readonly purge: (meanwhile?: () => Promise<unknown>) => Promise<number>
  }

  async function openAging(): Promise<Aging> {
    let nowMs = 1_700_000_000_000
    const database = await openTestDatabase({ clock: () => nowMs, retentionMs: RETENTION_MS })
    await push(
      database,
      ['a', 'b', 'c', 'd'].map((id, i) => put(i + 1, id, 0, id)),
    )
    // The device that writes has seen everything, so that purge does not wait for it.
    const purge: Aging['purge'] = async (meanwhile = async () => {}) => {
      nowMs += RETENTION_MS
      await meanwhile()
      await pull(database, { deviceId: deviceA, sinceCursor: await database.head() })
      return (await database.housekeep()).purgedTombstones
    }
    return { database, write: new Writer(database), purge }
  }

  test('deletes behind through are purged between two pages -> cursor_expired; a new snapshot does without them', async () => {
    const { database, write, purge } = await openAging()
    const { snapshot } = await answer(database, {}, { limit: 2 })
    await write.remove('a')
    expect(await purge()).toBe(1)
    await expect(answer(database, snapshot ?? {}, { limit: 2 })).rejects.toMatchObject({
      code: 'cursor_expired',
    })
    expect(idsOf(await allPages(database, { limit: 2 }))).toEqual([['b', 'c'], ['d']])
  })

  test('deletes up to through are purged between two pages -> goes on', async () => {
    const { database, write, purge } = await openAging()
    await write.remove('c')
    const pages = await allPages(database, { limit: 2 }, async (count) => {
      if (count === 1) expect(await purge()).toBe(1)
    })
    expect(idsOf(pages)).toEqual([['a', 'b'], ['d']])
    expect(pages.at(-1)?.purgedThrough).toBe(pages[0]?.snapshot?.through)
  })

  test('a device between two pages -> no delete behind through is purged as long as it is active', async () => {
    const { database, write, purge } = await openAging()
    const asB = { limit: 2, deviceId: deviceB }
    const { snapshot } = await answer(database, {}, asB)
    const { through = -1 } = snapshot ?? {}
    await write.remove('a')
    expect(await purge(() => answer(database, snapshot ?? {}, asB))).toBe(0)
    const last = await answer(database, snapshot ?? {}, asB)
    expect(last).toMatchObject({ nextCursor: through, hasMore: true })
    const { ops } = await pull(database, { sinceCursor: through, deviceId: deviceB })
    expect(ops).toMatchObject([{ entityId: 'a', opType: 'DELETE' }])
    const head = await database.head()
    expect(await purge(() => pull(database, { sinceCursor: head, deviceId: deviceB }))).toBe(1)
  })
})
