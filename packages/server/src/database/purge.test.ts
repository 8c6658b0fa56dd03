import { describe, expect, test } from 'vitest'
import {
  dbId,
  deviceA,
  deviceB,
  fates,
  openTestDatabase,
  pull,
  push,
  put,
  remove,
  revisionOf,
  writer,
} from './sync-database.test-kit.ts'
import type { SyncDatabase } from './sync-database.ts'

const DAY_MS = 86_400_000
const RETENTION_MS = 30 * DAY_MS

interface Aging {
  readonly database: SyncDatabase
  pass(days: number): void
}

async function openAging(): Promise<Aging> {
  let nowMs = 1_700_000_000_000
  const database = await openTestDatabase({ clock: () => nowMs, retentionMs: RETENTION_MS })
  return {
    database,
    pass: (days) => {
      nowMs += days * DAY_MS
    },
  }
}

/** `x` is made and deleted, `y` made; answers the revision of the tombstone. */
async function deleteOne({ database }: Aging): Promise<number> {
  const made = revisionOf(await push(database, [put(1, 'x', 0, 'a')]), 1)
  const deleted = revisionOf(await push(database, [remove(2, 'x', made)]), 2)
  await push(database, [put(3, 'y', 0, 'a')])
  return deleted
}

const seeAt = (database: SyncDatabase, deviceId: string, sinceCursor: number) =>
  pull(database, { deviceId, sinceCursor })

describe('purge', () => {
  test('a tombstone older than the retention -> gone, and purgedThrough says so everywhere', async () => {
    const aging = await openAging()
    const { database } = aging
    const tombstone = await deleteOne(aging)
    aging.pass(29)
    expect(await database.housekeep()).toMatchObject({ purgedTombstones: 0 })
    aging.pass(1)
    expect(await database.housekeep()).toMatchObject({ purgedTombstones: 1 })
    const told = { purgedThrough: tombstone }
    expect(await database.handshake({ dbId, deviceId: deviceB }, writer)).toMatchObject(told)
    expect(await pull(database)).toMatchObject(told)
    expect((await pull(database)).ops.map((op) => op.entityId)).toEqual(['y'])
    expect(await push(database, [])).toMatchObject(told)
    expect(await database.stats()).toMatchObject(told)
  })

  test('the entity of a purged tombstone -> revision 0', async () => {
    const aging = await openAging()
    const { database } = aging
    const tombstone = await deleteOne(aging)
    aging.pass(30)
    await database.housekeep()
    const response = await push(database, [put(4, 'x', tombstone, 'late')])
    expect(response.conflicts).toMatchObject([
      { serverState: { entityVersion: 0, entityCbor: null }, reason: 'stale' },
    ])
    expect(fates(await push(database, [remove(5, 'x', tombstone)]))).toEqual({ 5: 0 })
    const again = await push(database, [put(6, 'x', 0, 'again')])
    expect(fates(again)).toEqual({ 6: await database.head() })
  })

  test('a delete and a create sent again after the purge -> duplicates, nothing comes back', async () => {
    const aging = await openAging()
    const { database } = aging
    const made = revisionOf(await push(database, [put(1, 'x', 0, 'a')]), 1)
    const asB = { deviceId: deviceB }
    await push(database, [remove(1, 'x', made, asB)])
    aging.pass(30)
    await database.housekeep()
    expect(fates(await push(database, [put(1, 'x', 0, 'a')]))).toEqual({ 1: made })
    expect(fates(await push(database, [remove(1, 'x', made, asB)]))).toEqual({ 1: made + 1 })
    expect((await pull(database)).ops).toEqual([])
    // Once the device has pushed something newer, the floor answers in place of the record.
    await push(database, [put(2, 'other', 0, 'a')])
    await database.housekeep()
    expect(fates(await push(database, [put(1, 'x', 0, 'a')]))).toEqual({ 1: 'stale' })
  })

  test('an active device that has not seen it -> kept until it has', async () => {
    const aging = await openAging()
    const { database } = aging
    const tombstone = await deleteOne(aging)
    aging.pass(25)
    await seeAt(database, deviceB, tombstone - 1)
    aging.pass(25)
    expect(await database.housekeep()).toMatchObject({ purgedTombstones: 0 })
    await seeAt(database, deviceB, tombstone)
    expect(await database.housekeep()).toMatchObject({ purgedTombstones: 1 })
    expect((await seeAt(database, deviceB, tombstone)).ops).toHaveLength(1)
  })

  test('a device that only sends empty pushes -> active, and as far as they say', async () => {
    const aging = await openAging()
    const { database } = aging
    const tombstone = await deleteOne(aging)
    aging.pass(40)
    await push(database, [], { deviceId: deviceB, sinceCursor: tombstone - 1 })
    expect(await database.housekeep()).toMatchObject({ purgedTombstones: 0 })
    await push(database, [], { deviceId: deviceB, sinceCursor: tombstone })
    expect(await database.housekeep()).toMatchObject({ purgedTombstones: 1 })
  })

  test('a place of a snapshot in a pull that is answered by cursor -> not what its device has seen', async () => {
    const aging = await openAging()
    const { database } = aging
    await deleteOne(aging)
    aging.pass(30)
    const snapshot = { through: await database.head(), after: 'items/x' }
    await pull(database, { deviceId: deviceB, snapshot })
    expect(await database.housekeep()).toMatchObject({ purgedTombstones: 0 })
  })

  test('a device that stays away for longer than the retention -> not waited for; it is told cursor_expired', async () => {
    const aging = await openAging()
    const { database } = aging
    const tombstone = await deleteOne(aging)
    await seeAt(database, deviceB, tombstone - 1)
    aging.pass(30)
    await database.housekeep()
    await expect(seeAt(database, deviceB, tombstone - 1)).rejects.toMatchObject({
      code: 'cursor_expired',
    })
  })

  describe('a retention of less than a day, and a device that was silent for longer than that', () => {
    async function silentReader(edits: number) {
      let nowMs = 1_700_000_000_000
      const database = await openTestDatabase({ clock: () => nowMs, retentionMs: 1_000 })
      let { head = 0 } = await push(database, [put(1, 'x', 0, 'a')])
      await seeAt(database, deviceB, head)
      const seen = head
      for (let opId = 2; opId <= edits; opId++) {
        head = (await push(database, [put(opId, 'x', head, opId)])).head ?? 0
      }
      const tombstone = (await push(database, [remove(edits + 1, 'x', head)])).head ?? 0
      await push(database, [put(edits + 2, 'y', 0, 'a')])
      nowMs += 2_000
      // The author is active, and has seen it.
      await seeAt(database, deviceA, tombstone)
      return { database, seen, tombstone, pass: (ms: number) => (nowMs += ms) }
    }

    test.each([1, 5])(
      'deleted after %i edits -> not waited for; nothing of it is left in the log',
      async (edits) => {
        const { database, seen, tombstone, pass } = await silentReader(edits)
        expect(await database.housekeep()).toMatchObject({ purgedTombstones: 1 })
        await expect(seeAt(database, deviceB, seen)).rejects.toMatchObject({
          code: 'cursor_expired',
        })
        expect((await pull(database)).ops.map((op) => op.entityId)).toEqual(['y'])
        expect(await push(database, [])).toMatchObject({ purgedThrough: tombstone })
        // Compaction finds what is left, and nothing missing.
        pass(DAY_MS)
        expect(await database.housekeep()).toEqual({ compactedOps: 0, purgedTombstones: 0 })
      },
    )

    test('more edits than one step takes out of the log -> with compaction, after a day', async () => {
      const { database, seen, pass } = await silentReader(400)
      expect(await database.housekeep()).toMatchObject({ purgedTombstones: 0 })
      expect((await seeAt(database, deviceB, seen)).ops).toHaveLength(401)
      pass(DAY_MS)
      expect(await database.housekeep()).toMatchObject({ purgedTombstones: 1 })
      expect((await pull(database)).ops.map((op) => op.entityId)).toEqual(['y'])
    })
  })

  test('deleted, then made again -> nothing to purge', async () => {
    const aging = await openAging()
    const { database } = aging
    const tombstone = await deleteOne(aging)
    await push(database, [put(4, 'x', tombstone, 'again')])
    aging.pass(60)
    expect(await database.housekeep()).toMatchObject({ purgedTombstones: 0 })
    expect((await pull(database)).ops.map((op) => op.entityId)).toEqual(['y', 'x'])
    expect((await database.stats()).purgedThrough).toBe(0)
  })

  test('a pull from 0 in pages below purgedThrough -> goes on to the end; the same cursor of others is expired', async () => {
    const aging = await openAging()
    const { database } = aging
    await push(database, [put(1, 'a', 0, 1), put(2, 'b', 0, 1), put(3, 'c', 0, 1)])
    const { head = 0 } = await push(database, [put(4, 'x', 0, 1)])
    await push(database, [remove(5, 'x', head)])
    aging.pass(30)
    await database.housekeep()
    for (const deviceId of [deviceB, undefined]) {
      const named = deviceId === undefined ? {} : { deviceId }
      const ids: string[] = []
      for (let since = 0, more = true; more; ) {
        const page = await pull(database, { ...named, sinceCursor: since, limit: 1 })
        ids.push(...page.ops.map((op) => op.entityId))
        ;[since, more] = [page.nextCursor, page.hasMore]
        // Asked again, after an answer was lost.
        if (more) await pull(database, { ...named, sinceCursor: since, limit: 1 })
      }
      expect(ids).toEqual(['a', 'b', 'c'])
    }
    await expect(seeAt(database, deviceA, head - 3)).rejects.toMatchObject({
      code: 'cursor_expired',
    })
  })

  test('a pull from 0 under way -> purge waits for it; not for one that stands still, which is expired', async () => {
    const aging = await openAging()
    const { database } = aging
    const first = await push(database, [put(1, 'a', 0, 1), put(2, 'b', 0, 1)])
    await push(database, [remove(3, 'a', revisionOf(first, 1))])
    aging.pass(30)
    // It has got the entity, and not yet the delete.
    const page = await pull(database, { limit: 1 })
    expect(page.ops).toMatchObject([{ entityId: 'a', opType: 'PUT' }])
    const rest = { sinceCursor: page.nextCursor, limit: 1 }
    expect(await database.housekeep()).toMatchObject({ purgedTombstones: 0 })
    await pull(database, rest)
    aging.pass(1)
    expect(await database.housekeep()).toMatchObject({ purgedTombstones: 1 })
    await expect(pull(database, rest)).rejects.toMatchObject({ code: 'cursor_expired' })
  })

  test('a pull from 0 without a device -> purge waits for it, whatever others of its subject pull', async () => {
    const aging = await openAging()
    const { database } = aging
    const first = await push(database, [put(1, 'a', 0, 1), put(2, 'b', 0, 1)])
    const { head = 0 } = await push(database, [remove(3, 'a', revisionOf(first, 1))])
    aging.pass(30)
    const page = await pull(database, { limit: 1 })
    expect(page.ops).toMatchObject([{ entityId: 'a', opType: 'PUT' }])
    // Another one from the beginning to the end, and one that keeps up.
    const other = await pull(database, { limit: 1 })
    await pull(database, { sinceCursor: other.nextCursor })
    await pull(database, { sinceCursor: head })
    await pull(database)
    expect(await database.housekeep()).toMatchObject({ purgedTombstones: 0 })
    const rest = await pull(database, { sinceCursor: page.nextCursor })
    expect(rest.ops.at(-1)).toMatchObject({ entityId: 'a', opType: 'DELETE' })
    expect(await database.housekeep()).toMatchObject({ purgedTombstones: 1 })
  })

  test('the clock was ahead for a while -> tombstones and devices of that time wait a retention from now', async () => {
    const aging = await openAging()
    const { database } = aging
    aging.pass(10_000)
    const tombstone = await deleteOne(aging)
    await seeAt(database, deviceB, tombstone - 1)
    await database.housekeep()
    aging.pass(-10_000)
    await database.housekeep()
    aging.pass(29)
    expect(await database.housekeep()).toMatchObject({ purgedTombstones: 0 })
    aging.pass(1)
    expect(await database.housekeep()).toMatchObject({ purgedTombstones: 1 })
  })

  test('a pull from 0 asked for while the clock was ahead, and given up -> not waited for', async () => {
    const aging = await openAging()
    const { database } = aging
    await deleteOne(aging)
    aging.pass(10_000)
    expect(await pull(database, { limit: 1 })).toMatchObject({ hasMore: true })
    aging.pass(-10_000 + 30)
    expect(await database.housekeep()).toMatchObject({ purgedTombstones: 1 })
  })

  test('many tombstones -> all purged, in small steps', async () => {
    const aging = await openAging()
    const { database } = aging
    const ops = Array.from({ length: 500 }, (_, i) => put(i + 1, `e${i}`, 0, i))
    const { headBefore = 0 } = await push(database, ops)
    await push(
      database,
      ops.map((_, i) => remove(501 + i, `e${i}`, headBefore + 1 + i)),
    )
    aging.pass(30)
    expect(await database.housekeep()).toMatchObject({ purgedTombstones: 500 })
    expect((await pull(database)).ops).toEqual([])
  })
})
