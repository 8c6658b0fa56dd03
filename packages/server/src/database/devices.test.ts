import { describe, expect, test } from 'vitest'
import {
  dbId,
  deviceA,
  deviceB,
  openTestDatabase,
  pull,
  push,
  put,
  writer,
} from './sync-database.test-kit.ts'
import type { SyncDatabase } from './sync-database.ts'

const replica = (n: number): Uint8Array => new Uint8Array(16).fill(n)

const handshake = (database: SyncDatabase, n?: number, deviceId = deviceA) =>
  database.handshake(
    { dbId, deviceId, ...(n === undefined ? {} : { replicaId: replica(n) }) },
    writer,
  )

describe('replicas', () => {
  test('a new replica shakes hands -> it owns the deviceId, the old one gets device_conflict everywhere', async () => {
    const database = await openTestDatabase()
    await handshake(database, 1)
    await handshake(database, 2)
    const old = { deviceId: deviceA, replicaId: replica(1) }
    const conflict = { code: 'device_conflict' }
    await expect(handshake(database, 1)).rejects.toMatchObject(conflict)
    await expect(pull(database, old)).rejects.toMatchObject(conflict)
    await expect(push(database, [put(1, 'x', 0, 'a')], old)).rejects.toMatchObject(conflict)
    await expect(
      push(database, [put(1, 'x', 0, 'a')], { replicaId: replica(2) }),
    ).resolves.toMatchObject({ acknowledgedUpToOpId: 1 })
  })

  test('superseded, then the owner is superseded too -> both stay out', async () => {
    const database = await openTestDatabase()
    for (const n of [1, 2, 3]) await handshake(database, n)
    for (const n of [1, 2]) {
      await expect(handshake(database, n)).rejects.toMatchObject({ code: 'device_conflict' })
    }
    await expect(handshake(database, 3)).resolves.toBeDefined()
  })

  test('superseded on one deviceId -> welcome under another', async () => {
    const database = await openTestDatabase()
    await handshake(database, 1)
    await handshake(database, 2)
    await expect(handshake(database, 1, deviceB)).resolves.toBeDefined()
  })

  test('a replica that never shook hands -> served without taking over', async () => {
    const database = await openTestDatabase()
    await handshake(database, 1)
    await push(database, [put(1, 'x', 0, 'a')], { replicaId: replica(9) })
    await expect(handshake(database, 1)).resolves.toBeDefined()
  })

  test('no replicaId -> served and nothing is taken over', async () => {
    const database = await openTestDatabase()
    await handshake(database, 1)
    await handshake(database)
    await push(database, [put(1, 'x', 0, 'a')])
    await expect(handshake(database, 1)).resolves.toMatchObject({ lastOpId: 1 })
  })

  test('device_conflict comes before epoch_mismatch and cursor_ahead', async () => {
    const database = await openTestDatabase()
    await handshake(database, 1)
    await handshake(database, 2)
    await expect(
      pull(database, {
        deviceId: deviceA,
        replicaId: replica(1),
        epoch: new Uint8Array(16),
        sinceCursor: 2 ** 50,
      }),
    ).rejects.toMatchObject({ code: 'device_conflict' })
  })
})

describe('handshake', () => {
  test('a new device -> head, limits, capabilities, lastOpId 0', async () => {
    const database = await openTestDatabase({ limits: { maxOpsPerPush: 7 } })
    expect(await handshake(database, 1)).toMatchObject({
      serverCursor: await database.head(),
      lastOpId: 0,
      protocol: [1, 0],
      purgedThrough: 0,
      scope: 'all',
      counts: {},
      limits: { maxOpsPerPush: 7, maxDepth: 64 },
      capabilities: {
        pull: true,
        push: true,
        sse: true,
        groups: true,
        rejections: true,
        digest: true,
        collections: true,
        packed: true,
      },
    })
  })

  test('lastOpId -> the highest decided, conflicts and rejections included, never lower', async () => {
    const database = await openTestDatabase()
    await push(database, [put(3, 'x', 0, 'a'), put(8, 'y', 5, 'stale')])
    expect((await handshake(database)).lastOpId).toBe(8)
    await push(database, [{ ...put(9, 'z', 0, 'a'), entityCbor: new Uint8Array(1) }])
    expect((await handshake(database)).lastOpId).toBe(9)
    await push(database, [put(3, 'x', 0, 'a')])
    expect((await handshake(database)).lastOpId).toBe(9)
  })

  test('counts -> live entities by collection, kept through delete and re-creation', async () => {
    const database = await openTestDatabase()
    const { headBefore = 0 } = await push(database, [
      put(1, 'a', 0, 1),
      put(2, 'b', 0, 1),
      put(3, 'c', 0, 1, { collection: 'others' }),
    ])
    expect((await handshake(database)).counts).toEqual({ items: 2, others: 1 })
    await push(database, [
      { ...put(4, 'a', headBefore + 1, 1), opType: 'DELETE', entityCbor: null },
      put(5, 'b', headBefore + 2, 2),
      {
        ...put(6, 'c', headBefore + 3, 1, { collection: 'others' }),
        opType: 'DELETE',
        entityCbor: null,
      },
    ])
    expect((await handshake(database)).counts).toEqual({ items: 1 })
    await push(database, [put(7, 'a', headBefore + 4, 1)])
    expect((await handshake(database)).counts).toEqual({ items: 2 })
  })

  test('protocol: another major version -> unsupported_protocol with ours; a newer minor -> served', async () => {
    const database = await openTestDatabase()
    const request = { dbId, deviceId: deviceA }
    await expect(
      database.handshake({ ...request, protocol: [2, 0] }, writer),
    ).rejects.toMatchObject({ code: 'unsupported_protocol', details: { supported: [[1, 0]] } })
    await expect(
      database.handshake({ ...request, protocol: [1, 9] }, writer),
    ).resolves.toMatchObject({ protocol: [1, 0] })
  })

  test('stats -> head, epoch, live entities and devices', async () => {
    const database = await openTestDatabase()
    await push(database, [put(1, 'a', 0, 1), put(2, 'b', 0, 1)])
    const { epoch } = await handshake(database, 1, deviceB)
    expect(await database.stats()).toEqual({
      head: await database.head(),
      epoch: Buffer.from(epoch ?? []).toString('hex'),
      liveEntities: 2,
      devices: 2,
      purgedThrough: 0,
    })
  })
})
