import { EntiDB, memoryStorage, type Storage } from '@entidb/core'
import { EPOCH_STRIDE } from '@entidb/protocol'
import { describe, expect, test } from 'vitest'
import { createFaultyStorage } from '../faulty-storage.test-kit.ts'
import { serverCollections } from './collections.ts'
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

const HOUR_MS = 3_600_000

/** Edits of `entities` entities in turn, in pushes of `size` that are a group each; answers the next opId. */
async function edit(
  database: SyncDatabase,
  counts: { readonly pushes: number; readonly size: number; readonly entities: number },
  revisions = new Map<string, number>(),
): Promise<ReadonlyMap<string, number>> {
  let opId = 0
  for (let n = 0; n < counts.pushes; n++) {
    const ops = Array.from({ length: counts.size }, () => {
      const entityId = `e${opId % counts.entities}`
      return put(++opId, entityId, revisions.get(entityId) ?? 0, opId, { tx: 0 })
    })
    const response = await push(database, ops)
    for (const op of ops) revisions.set(op.entityId, revisionOf(response, op.opId))
  }
  return revisions
}

async function oplogOf(storage: Storage): Promise<readonly string[]> {
  const files = await EntiDB.open({
    storage,
    collections: serverCollections,
    limits: { maxIdBytes: 1024 },
  })
  const rows = await files.collection('server_oplog').find()
  const [meta] = await files.collection('meta').find()
  expect(meta?.superseded).toBe(rows.length - new Set(rows.map((row) => row.entityId)).size)
  await files.close()
  return rows.map(({ entityId, serverCursor }) => `${entityId}@${serverCursor}`)
}

const newestOf = (revisions: ReadonlyMap<string, number>): string[] =>
  [...revisions]
    .sort(([, a], [, b]) => a - b)
    .map(([entityId, revision]) => `${entityId}@${revision}`)

describe('compaction', () => {
  test('a long history of a few entities -> a pull from 0 brings the newest of each, in pages that hold whole groups', async () => {
    const database = await openTestDatabase()
    const revisions = await edit(database, { pushes: 40, size: 3, entities: 7 })
    expect(await database.housekeep()).toMatchObject({ compactedOps: 40 * 3 - 7 })
    const { ops, nextCursor, hasMore } = await pull(database)
    expect(ops.map((op) => `${op.entityId}@${op.entityVersion}`)).toEqual(newestOf(revisions))
    expect({ nextCursor, hasMore }).toEqual({ nextCursor: await database.head(), hasMore: false })
    const pages: (readonly (number | undefined)[])[] = []
    for (let sinceCursor = 0; sinceCursor < nextCursor; ) {
      const page = await pull(database, { sinceCursor, limit: 1 })
      pages.push(page.ops.map((op) => op.tx))
      expect(page.hasMore).toBe(page.nextCursor < nextCursor)
      sinceCursor = page.nextCursor
    }
    expect(pages.flat()).toHaveLength(7)
    // No group is in two pages.
    for (const page of pages) expect(new Set(page).size).toBe(1)
    expect(new Set(pages.map(([tx]) => tx)).size).toBe(pages.length)
  })

  test('a live device in the middle of the log -> everything after its cursor stays as it was', async () => {
    const database = await openTestDatabase()
    const revisions = new Map<string, number>()
    await edit(database, { pushes: 10, size: 2, entities: 3 }, revisions)
    const middle = (await database.head()) - 6
    await pull(database, { deviceId: deviceB, sinceCursor: middle })
    const before = await pull(database, { sinceCursor: middle })
    await database.housekeep()
    expect(await pull(database, { sinceCursor: middle })).toEqual(before)
    // Up to there only what is newest there is left.
    const older = (await pull(database)).ops.filter((op) => op.entityVersion <= middle)
    expect(new Set(older.map((op) => op.entityId)).size).toBe(older.length)
  })

  test('a device that was silent for a day -> not waited for, and it ends with the same state', async () => {
    let nowMs = 1_700_000_000_000
    const database = await openTestDatabase({
      clock: () => nowMs,
      retentionMs: 1_000 * HOUR_MS,
    })
    const revisions = await edit(database, { pushes: 10, size: 2, entities: 3 })
    await pull(database, { deviceId: deviceB, sinceCursor: (await database.head()) - 15 })
    nowMs += 25 * HOUR_MS
    await database.housekeep()
    const { ops } = await pull(database, { sinceCursor: (await database.head()) - 15 })
    expect(ops.map((op) => `${op.entityId}@${op.entityVersion}`)).toEqual(newestOf(revisions))
  })

  test('repeated afterwards -> duplicates with their revisions; below the floor never accepted', async () => {
    const database = await openTestDatabase()
    const first = await push(database, [put(1, 'x', 0, 'a'), put(2, 'y', 0, 'a')])
    const [x, y] = [revisionOf(first, 1), revisionOf(first, 2)]
    const last = [put(3, 'x', x, 'b'), put(4, 'y', y, 'b'), put(5, 'z', 0, 'b')]
    const answer = await push(database, last)
    await push(database, [put(1, 'x', x + 2, 'c', { deviceId: deviceB })])
    await database.housekeep()
    expect(fates(await push(database, last))).toEqual(fates(answer))
    // Records of the request before the last one are gone: no-ops and stale conflicts, whatever the content.
    expect(fates(await push(database, [put(1, 'x', 0, 'a'), put(2, 'y', 0, 'b')]))).toEqual({
      1: 'stale',
      2: y + 2,
    })
  })

  test('a delete made anew, and one that follows a delete -> the newest of each', async () => {
    const database = await openTestDatabase()
    const x = revisionOf(await push(database, [put(1, 'x', 0, 'a')]), 1)
    await push(database, [remove(2, 'x', x)])
    await push(database, [put(3, 'x', x + 1, 'b')])
    await push(database, [remove(4, 'x', x + 2)])
    await database.housekeep()
    expect((await pull(database)).ops).toMatchObject([{ opType: 'DELETE', entityVersion: x + 3 }])
  })

  test('pushes while it runs -> answered between its steps', async () => {
    const database = await openTestDatabase({ limits: { maxOpsPerPush: 2_000 } })
    const revisions = new Map<string, number>()
    await edit(database, { pushes: 3, size: 1_000, entities: 1_000 }, revisions)
    let ended = false
    const running = database.housekeep().then((report) => {
      ended = true
      return report
    })
    await push(database, [put(9_000, 'late', 0, 'a')])
    expect(ended).toBe(false)
    expect(await running).toMatchObject({ compactedOps: 2_000 })
    expect((await pull(database)).ops).toHaveLength(1_001)
  })

  test('a failure in any of its transactions -> after opening anew it goes on, and the log is whole at any time', async () => {
    const isDone = async (flushes: number): Promise<boolean> => {
      const files = createFaultyStorage()
      const database = await openTestDatabase({ storage: files.storage })
      const revisions = await edit(database, { pushes: 5, size: 200, entities: 300 })
      files.failAfter(flushes)
      const failed = await database.housekeep().then(
        () => false,
        () => true,
      )
      files.failAfter(Number.POSITIVE_INFINITY)
      const again = await openTestDatabase({ storage: files.storage })
      const seen = new Map<string, number>()
      for (const op of (await pull(again)).ops) seen.set(op.entityId, op.entityVersion)
      expect(seen).toEqual(revisions)
      await again.housekeep()
      await again.close()
      expect(await oplogOf(files.storage)).toEqual(newestOf(revisions))
      return !failed
    }
    let flushes = 0
    while (!(await isDone(flushes))) flushes++
    // One flush for each transaction, at least.
    expect(flushes).toBeGreaterThan(3)
  })

  test('a database begun before rows said what they replace -> left as it is', async () => {
    const storage = memoryStorage()
    const database = await openTestDatabase({ storage })
    await edit(database, { pushes: 5, size: 2, entities: 2 })
    await database.close()
    const files = await EntiDB.open({
      storage,
      collections: serverCollections,
      limits: { maxIdBytes: 1024 },
    })
    await files.transaction(async (tx) => {
      const { compactedThrough, superseded, ...meta } = (await tx
        .collection('meta')
        .get('database')) as never as Record<string, unknown> & { id: 'database' }
      await tx.collection('meta').put(meta as never)
    })
    await files.close()
    const again = await openTestDatabase({ storage })
    expect(await again.housekeep()).toMatchObject({ compactedOps: 0 })
    expect((await pull(again)).ops).toHaveLength(10)
  })

  test('groups at the same place of two epochs, next to each other after it -> still two groups', async () => {
    const storage = memoryStorage()
    let revision = 0
    // Cursors of groups that are 2^32 apart.
    const epochs = 2 ** 32 / EPOCH_STRIDE
    for (let epoch = 0; epoch <= epochs; epoch++) {
      const database = await openTestDatabase({ storage })
      if (epoch === 0 || epoch === epochs) {
        const [a, b] = [`a${epoch}`, `b${epoch}`]
        await push(database, [
          put(2 * epoch + 1, a, 0, 1, { tx: 0 }),
          put(2 * epoch + 2, b, 0, 1, { tx: 0 }),
        ])
      }
      const ops = [put(epoch + 1, 'z', revision, epoch, { deviceId: deviceB })]
      revision = revisionOf(await push(database, ops), epoch + 1)
      await database.housekeep()
      await database.close()
    }
    const database = await openTestDatabase({ storage })
    const { ops } = await pull(database)
    expect(ops.map((op) => op.entityId)).toEqual(['a0', 'b0', `a${epochs}`, `b${epochs}`, 'z'])
    const [first, , second] = ops
    expect((second?.entityVersion ?? 0) - (first?.entityVersion ?? 0)).toBe(2 ** 32)
    expect(second?.tx).not.toBe(first?.tx)
  })

  test('what handshakes tell -> not changed by it', async () => {
    const database = await openTestDatabase()
    await edit(database, { pushes: 5, size: 2, entities: 3 })
    const ask = () => database.handshake({ dbId, deviceId: deviceA }, writer)
    const before = await ask()
    await database.housekeep()
    expect(await ask()).toEqual(before)
  })
})
