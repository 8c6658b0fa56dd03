import { EntiDB, memoryStorage, type Storage } from '@entidb/core'
import { describe, expect, test } from 'vitest'
import { createFaultyStorage } from '../faulty-storage.test-kit.ts'
import { createManualTimers } from '../timers.test-kit.ts'
import type { Timers } from '../timers.ts'
import { type ServerDatabase, serverCollections } from './collections.ts'
import {
  dbId,
  deviceA,
  deviceB,
  fates,
  openTestDatabase,
  pull,
  push,
  put,
  reader,
  remove,
  revisionOf,
  writer,
} from './sync-database.test-kit.ts'
import type { SyncDatabase } from './sync-database.ts'

const DAY_MS = 86_400_000

async function inspect<T>(storage: Storage, look: (db: ServerDatabase) => Promise<T>): Promise<T> {
  const files = await EntiDB.open({
    storage,
    collections: serverCollections,
    limits: { maxIdBytes: 1024 },
  })
  try {
    return await look(files)
  } finally {
    await files.close()
  }
}

/** Edits `count` entities in one push, which supersedes what was pushed of them before. */
function editor(database: SyncDatabase, count: number): () => Promise<void> {
  let opId = 0
  let revisions: readonly number[] = Array.from({ length: count }, () => 0)
  return async () => {
    const ops = revisions.map((revision, i) => put(++opId, `e${i}`, revision, opId))
    const response = await push(database, ops)
    revisions = ops.map((op) => revisionOf(response, op.opId))
  }
}

describe('housekeeping by itself', () => {
  test('enough superseded operations -> removed a while after a push, without being asked', async () => {
    const timers = createManualTimers()
    let nowMs = 1_700_000_000_000
    const database = await openTestDatabase({ timers, clock: () => nowMs })
    const edit = editor(database, 400)
    const countOps = async () => (await pull(database)).ops.length
    await edit()
    await edit()
    // The first round after opening clears whatever there is.
    await timers.run()
    expect(await countOps()).toBe(400)
    await edit()
    await edit()
    nowMs += 60_000
    await timers.run()
    expect(await countOps()).toBe(3 * 400)
    await edit()
    nowMs += 60_000
    await timers.run()
    expect(await countOps()).toBe(400)
    await database.close()
  })

  test('a round beside requests -> pauses between its steps', async () => {
    let nowMs = 1_700_000_000_000
    const manual = createManualTimers()
    const delays: number[] = []
    const timers: Timers = {
      set(callback, delayMs) {
        delays.push(delayMs)
        return manual.set(callback, delayMs)
      },
    }
    const database = await openTestDatabase({ timers, clock: () => (nowMs += 1) })
    const edit = editor(database, 1_000)
    await edit()
    await edit()
    expect(delays).toHaveLength(1)
    await manual.run()
    expect(delays.slice(1).every((delayMs) => delayMs > 0 && delayMs <= 200)).toBe(true)
    expect(delays.length).toBeGreaterThan(3)
    expect((await pull(database)).ops).toHaveLength(1_000)
    await database.close()
  })

  test('closed while it stores what was seen of devices -> the files are named as they are then', async () => {
    const disk = createFaultyStorage()
    const { storage } = disk
    let nowMs = 0
    const timers = createManualTimers()
    const database = await openTestDatabase({ storage, timers, clock: () => nowMs })
    await push(database, [put(1, 'x', 0, 'a')])
    await timers.run()
    nowMs += DAY_MS
    await pull(database, { deviceId: deviceB })
    let letGo = (): void => {}
    disk.held = new Promise((resolve) => {
      letGo = resolve
    })
    await timers.run()
    const closing = database.close()
    await new Promise((resolve) => setTimeout(resolve, 20))
    letGo()
    const files = await closing
    const commits = await inspect(storage, async (db) => db.recovery.lastLsn)
    expect(files).toMatchObject({ commits })
  })

  test('closed in the middle of a round -> ends after the step in hand', async () => {
    const timers = createManualTimers()
    const storage = memoryStorage()
    const database = await openTestDatabase({ timers, storage, limits: { maxOpsPerPush: 2_000 } })
    const ops = Array.from({ length: 1_000 }, (_, i) => put(i + 1, `e${i}`, 0, i))
    const { headBefore = 0 } = await push(database, ops)
    await push(
      database,
      ops.map((_, i) => put(1_001 + i, `e${i}`, headBefore + 1 + i, 'again')),
    )
    const running = database.housekeep()
    await database.close()
    const { compactedOps } = await running
    expect(compactedOps).toBeLessThan(1_000)
    const left = await inspect(storage, (db) => db.collection('server_oplog').count())
    expect(left).toBe(2_000 - compactedOps)
  })
})

describe('what the server forgets', () => {
  test('accepted operations -> kept from the floor of their device on', async () => {
    const storage = memoryStorage()
    const database = await openTestDatabase({ storage })
    await push(database, [put(1, 'a', 0, 1), put(2, 'b', 0, 1)])
    await push(database, [put(3, 'c', 0, 1), put(4, 'd', 0, 1)])
    await push(database, [put(7, 'e', 0, 1, { deviceId: deviceB })])
    await database.housekeep()
    await database.close()
    const ids = await inspect(storage, async (db) =>
      (await db.collection('accepted_ops').find()).map(({ id }) => id),
    )
    expect(ids.map((id) => `${id.split('/')[0]} ${Number(id.split('/')[1])}`)).toEqual([
      `${deviceA} 3`,
      `${deviceA} 4`,
      `${deviceB} 7`,
    ])
  })

  test('a no-op below the floor, decided after those were forgotten -> its record is forgotten in turn', async () => {
    const database = await openTestDatabase()
    await push(database, [put(1, 'a', 0, 1)])
    await push(database, [put(2, 'a', 0, 1)])
    await database.housekeep()
    const noOp = remove(1, 'x', 0)
    expect(fates(await push(database, [noOp]))).toEqual({ 1: 0 })
    await push(database, [put(1, 'x', 0, 1, { deviceId: deviceB })])
    await database.housekeep()
    // Decided anew, below the floor.
    expect(fates(await push(database, [noOp]))).toEqual({ 1: 'stale' })
  })

  test('silent devices -> those that never pushed and never changed hands are gone after the retention', async () => {
    let nowMs = 1_700_000_000_000
    const database = await openTestDatabase({ clock: () => nowMs, retentionMs: 30 * DAY_MS })
    const replica = (n: number) => new Uint8Array(16).fill(n)
    const shake = (deviceId: string, n: number) =>
      database.handshake({ dbId, deviceId, replicaId: replica(n) }, reader)
    await shake('looker', 1)
    await shake('changed', 1)
    await shake('changed', 2)
    await push(database, [put(1, 'x', 0, 'a', { deviceId: 'writer' })])
    await pull(database, { deviceId: 'puller' })
    await database.housekeep()
    expect((await database.stats()).devices).toBe(4)
    nowMs += 30 * DAY_MS
    await database.housekeep()
    expect((await database.stats()).devices).toBe(2)
    await expect(shake('changed', 1)).rejects.toMatchObject({ code: 'device_conflict' })
    expect(await database.handshake({ dbId, deviceId: 'writer' }, writer)).toMatchObject({
      lastOpId: 1,
    })
    await expect(shake('looker', 1)).resolves.toMatchObject({ lastOpId: 0 })
  })

  test('a device that only reads, silent for longer than deletes are remembered, not for a day -> compaction waits for it', async () => {
    let nowMs = 1_700_000_000_000
    const database = await openTestDatabase({ clock: () => nowMs, retentionMs: 1_000 })
    const edit = editor(database, 3)
    await edit()
    const { nextCursor: sinceCursor } = await pull(database, { deviceId: deviceB })
    await pull(database, { deviceId: deviceB, sinceCursor })
    await database.housekeep()
    nowMs += 5_000
    for (let round = 0; round < 3; round++) {
      await edit()
      await database.housekeep()
    }
    expect((await pull(database, { deviceId: deviceB, sinceCursor })).ops).toHaveLength(9)
    nowMs += DAY_MS
    await database.housekeep()
    await database.housekeep()
    expect((await pull(database, { sinceCursor })).ops).toHaveLength(3)
  })

  test('conflicts -> listed for the retention', async () => {
    let nowMs = 1_700_000_000_000
    const storage = memoryStorage()
    const database = await openTestDatabase({
      storage,
      clock: () => nowMs,
      retentionMs: 30 * DAY_MS,
    })
    await push(database, [put(1, 'x', 5, 'early')])
    nowMs += 20 * DAY_MS
    await push(database, [put(2, 'x', 5, 'late')])
    nowMs += 10 * DAY_MS
    await database.housekeep()
    await database.close()
    const left = await inspect(storage, (db) => db.collection('conflicts').find())
    expect(left.map(({ id }) => Number(id.split('/')[1]))).toEqual([2])
  })

  test('conflicts of a time when the clock was ahead -> listed for a retention from when it was set right', async () => {
    let nowMs = 1_700_000_000_000
    const storage = memoryStorage()
    const options = { storage, clock: () => nowMs, retentionMs: 30 * DAY_MS }
    const database = await openTestDatabase(options)
    nowMs += 10_000 * DAY_MS
    await push(database, [put(1, 'x', 5, 'ahead')])
    nowMs -= 10_000 * DAY_MS
    await database.housekeep()
    nowMs += 30 * DAY_MS
    await database.housekeep()
    await database.close()
    expect(await inspect(storage, (db) => db.collection('conflicts').count())).toBe(0)
  })

  test('a device that only reads -> remembered with its cursor when the database is closed, without a commit before', async () => {
    const storage = memoryStorage()
    const database = await openTestDatabase({ storage })
    const { head = 0 } = await push(database, [put(1, 'x', 0, 'a')])
    await pull(database, { deviceId: deviceB })
    await pull(database, { deviceId: deviceB, sinceCursor: head })
    expect((await database.stats()).devices).toBe(1)
    await database.close()
    const row = await inspect(storage, (db) => db.collection('device_state').get(deviceB))
    expect(row).toMatchObject({ lastSeenCursor: head, lastOpId: 0 })
  })
})
