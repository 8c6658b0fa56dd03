import { EntiDB, memoryStorage, type Storage } from '@entidb/core'
import { encodeEntity } from '@entidb/core/cbor'
import { decodeSyncOperation } from '@entidb/protocol'
import { describe, expect, test } from 'vitest'
import { type ServerDatabase, serverCollections } from './collections.ts'
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
} from './sync-database.test-kit.ts'

const openFiles = (storage: Storage): Promise<ServerDatabase> =>
  EntiDB.open({ storage, collections: serverCollections, limits: { maxIdBytes: 1024 } })

async function written(): Promise<{ storage: Storage; revision: number }> {
  const storage = memoryStorage()
  const database = await openTestDatabase({ storage })
  const revision = revisionOf(await push(database, [put(1, 'x', 0, 'a')]), 1)
  await push(database, [remove(2, 'x', revision), put(3, 'y', 0, 'b'), remove(4, 'z', 0)])
  await push(database, [put(1, 'x', 7, 'late', { deviceId: deviceB })])
  await database.close()
  return { storage, revision }
}

describe('server collections', () => {
  test('after pushes -> rows as the specification names them', async () => {
    const { storage, revision } = await written()
    const files = await openFiles(storage)
    expect(await files.collection('entities').find()).toEqual([
      {
        id: 'items/x',
        collection: 'items',
        entityId: 'x',
        entityVersion: revision + 1,
        entityCbor: null,
        deleted: true,
        updatedByDevice: deviceA,
        schemaVersion: 1,
        sourceOpId: 2,
      },
      {
        id: 'items/y',
        collection: 'items',
        entityId: 'y',
        entityVersion: revision + 2,
        entityCbor: encodeEntity({ id: 'y', value: 'b' }),
        deleted: false,
        updatedByDevice: deviceA,
        schemaVersion: 1,
        sourceOpId: 3,
      },
    ])
    const oplog = await files.collection('server_oplog').find()
    expect(oplog.map(({ operationCbor, ...row }) => row)).toMatchObject([
      { serverCursor: revision, dbId, entityId: 'x', opType: 'PUT', sourceOpId: 1 },
      { serverCursor: revision + 1, entityId: 'x', opType: 'DELETE', sourceOpId: 2 },
      { serverCursor: revision + 2, entityId: 'y', sourceDeviceId: deviceA, sourceOpId: 3 },
    ])
    for (const row of oplog) {
      const operation = decodeSyncOperation(row.operationCbor)
      expect(operation.entityVersion).toBe(row.serverCursor)
      expect(operation.entityId).toBe(row.entityId)
    }
    const accepted = await files.collection('accepted_ops').find()
    expect(accepted.map(({ revision: at, noop }) => [at, noop])).toEqual([
      [revision, false],
      [revision + 1, false],
      [revision + 2, false],
      [0, true],
    ])
    expect(await files.collection('device_state').get(deviceA)).toMatchObject({
      dbId,
      deviceId: deviceA,
      floor: 2,
      lastOpId: 4,
    })
    expect(await files.collection('conflicts').find()).toMatchObject([
      { dbId, entityId: 'x', serverEntityVersion: revision + 1, reason: 'stale' },
    ])
    await files.close()
  })

  test('a conflict that is accepted when sent again -> no longer listed', async () => {
    const { storage, revision } = await written()
    const database = await openTestDatabase({ storage })
    await push(database, [put(5, 'x', revision + 1, 'late')])
    // Now it would change nothing.
    await push(database, [put(1, 'x', 7, 'late', { deviceId: deviceB })])
    await database.close()
    const files = await openFiles(storage)
    expect(await files.collection('conflicts').count()).toBe(0)
    await files.close()
  })

  test('rows compacted away and tombstones purged -> a pull from 0 passes the gap, one from below is cursor_expired', async () => {
    const { storage, revision } = await written()
    const files = await openFiles(storage)
    await files.transaction(async (tx) => {
      const [put_, deleted] = await tx.collection('server_oplog').find()
      for (const row of [put_, deleted]) {
        if (row !== undefined) await tx.collection('server_oplog').delete(row.id)
      }
      await tx.collection('entities').delete('items/x')
      const meta = await tx.collection('meta').get('database')
      if (meta === undefined) throw new Error('no meta row')
      await tx.collection('meta').put({ ...meta, purgedThrough: revision + 1 })
    })
    await files.close()
    const database = await openTestDatabase({ storage })
    const page = await pull(database)
    expect(page.ops.map((op) => op.entityId)).toEqual(['y'])
    expect(page).toMatchObject({ hasMore: false, purgedThrough: revision + 1 })
    await expect(pull(database, { sinceCursor: revision })).rejects.toMatchObject({
      code: 'cursor_expired',
    })
    expect((await pull(database, { sinceCursor: revision + 1 })).ops).toHaveLength(1)
    await database.close()
  })
})
