import { memoryStorage } from '@entidb/core'
import { EPOCH_STRIDE } from '@entidb/protocol'
import { describe, expect, test } from 'vitest'
import {
  dbId,
  deviceA,
  fates,
  openTestDatabase,
  pull,
  push,
  put,
  writer,
} from './sync-database.test-kit.ts'
import type { SyncDatabase } from './sync-database.ts'

const handshake = (database: SyncDatabase) =>
  database.handshake({ dbId, deviceId: deviceA }, writer)

async function closedWith(ops: Parameters<typeof push>[1]) {
  const storage = memoryStorage()
  const database = await openTestDatabase({ storage })
  await push(database, ops)
  const { epoch, history, serverCursor } = await handshake(database)
  await database.close()
  if (epoch === undefined || history === undefined) throw new Error('no epoch')
  return { storage, epoch, history, head: serverCursor }
}

describe('epochs', () => {
  test('a new database -> one epoch from cursor 1, head at the stride; the first push begins no other', async () => {
    const database = await openTestDatabase()
    const first = await handshake(database)
    expect(first.serverCursor).toBe(EPOCH_STRIDE)
    expect(first.history).toEqual([{ epoch: first.epoch, firstCursor: 1 }])
    const response = await push(database, [put(1, 'x', 0, 'a')], {
      ...(first.epoch === undefined ? {} : { epoch: first.epoch }),
    })
    expect(fates(response)).toEqual({ 1: EPOCH_STRIDE + 1 })
    expect((await handshake(database)).history).toHaveLength(1)
  })

  test('reopened: handshake and pull within the head -> the old epoch is served', async () => {
    const { storage, epoch, head } = await closedWith([put(1, 'x', 0, 'a')])
    const database = await openTestDatabase({ storage })
    expect(await pull(database, { epoch, sinceCursor: head })).toMatchObject({ hasMore: false })
    expect((await handshake(database)).epoch).toEqual(epoch)
  })

  test('reopened: first push with the old epoch -> epoch_mismatch with the history, nothing written; with the new one it is served', async () => {
    const { storage, epoch, history, head } = await closedWith([put(1, 'x', 0, 'a')])
    const database = await openTestDatabase({ storage })
    const ops = [put(2, 'y', 0, 'b')]
    const refusal = await push(database, ops, { epoch }).catch((error: unknown) => error)
    const now = await handshake(database)
    expect(refusal).toMatchObject({ code: 'epoch_mismatch', details: { history: now.history } })
    expect(now.history).toEqual([...history, { epoch: now.epoch, firstCursor: head + 1 }])
    expect(now.epoch).not.toEqual(epoch)
    expect(now.serverCursor).toBe(2 * EPOCH_STRIDE)
    expect((await pull(database)).ops).toHaveLength(1)
    const served = await push(database, ops, now.epoch === undefined ? {} : { epoch: now.epoch })
    expect(fates(served)).toEqual({ 2: 2 * EPOCH_STRIDE + 1 })
  })

  test('reopened: first push without an epoch -> a new epoch, served, revisions past the stride', async () => {
    const { storage } = await closedWith([put(1, 'x', 0, 'a')])
    const database = await openTestDatabase({ storage })
    const response = await push(database, [put(2, 'y', 0, 'b')])
    expect(fates(response)).toEqual({ 2: 2 * EPOCH_STRIDE + 1 })
    expect(response.headBefore).toBe(2 * EPOCH_STRIDE)
  })

  test('reopened: a repeated push -> a duplicate of the old epoch, its old revision', async () => {
    const { storage, head } = await closedWith([put(1, 'x', 0, 'a')])
    const database = await openTestDatabase({ storage })
    expect(fates(await push(database, [put(1, 'x', 0, 'a')]))).toEqual({ 1: head })
  })

  test.each(['pull', 'push'] as const)(
    'reopened older files: a %s with a cursor beyond the head and its epoch -> epoch_mismatch',
    async (kind) => {
      const { storage, epoch, head } = await closedWith([put(1, 'x', 0, 'a')])
      const database = await openTestDatabase({ storage })
      const request =
        kind === 'pull'
          ? pull(database, { epoch, sinceCursor: head + 5 })
          : push(database, [], { epoch, sinceCursor: head + 5 })
      await expect(request).rejects.toMatchObject({ code: 'epoch_mismatch' })
      expect((await handshake(database)).history).toHaveLength(2)
    },
  )

  test('reopened: two first pushes at once -> one new epoch', async () => {
    const { storage } = await closedWith([put(1, 'x', 0, 'a')])
    const database = await openTestDatabase({ storage })
    await Promise.all([
      push(database, [put(2, 'y', 0, 'b')]),
      push(database, [put(1, 'z', 0, 'c', { deviceId: 'device-c' })]),
    ])
    expect((await handshake(database)).history).toHaveLength(2)
  })

  test('the epoch named is unknown -> epoch_mismatch for push and pull, before a cursor past the head', async () => {
    const database = await openTestDatabase()
    const epoch = new Uint8Array(16).fill(0xee)
    const wrong = { epoch, sinceCursor: 2 ** 52 }
    await expect(pull(database, wrong)).rejects.toMatchObject({ code: 'epoch_mismatch' })
    await expect(push(database, [], wrong)).rejects.toMatchObject({ code: 'epoch_mismatch' })
  })

  test('reopened twice with pushes -> firstCursor increases and revisions never repeat', async () => {
    const storage = memoryStorage()
    const revisions: unknown[] = []
    for (let opening = 1; opening <= 3; opening++) {
      const database = await openTestDatabase({ storage })
      revisions.push(fates(await push(database, [put(opening, `e${opening}`, 0, 1)]))[opening])
      const { history = [] } = await handshake(database)
      expect(history).toHaveLength(opening)
      const cursors = history.map(({ firstCursor }) => firstCursor)
      expect(cursors).toEqual([...new Set(cursors)].sort((a, b) => a - b))
      await database.close()
    }
    expect(revisions).toEqual([EPOCH_STRIDE + 1, 2 * EPOCH_STRIDE + 1, 3 * EPOCH_STRIDE + 1])
  })

  test('another dbId in the same files -> unknown_database', async () => {
    const { storage } = await closedWith([put(1, 'x', 0, 'a')])
    await expect(openTestDatabase({ storage, dbId: 'Shop' })).rejects.toMatchObject({
      code: 'unknown_database',
    })
  })

  test('an empty storage that may not be made a database -> unknown_database', async () => {
    await expect(openTestDatabase({ create: false })).rejects.toMatchObject({
      code: 'unknown_database',
    })
  })
})
