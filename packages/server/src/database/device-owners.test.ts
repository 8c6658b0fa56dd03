import { memoryStorage } from '@entidb/core'
import { describe, expect, test } from 'vitest'
import type { Identity } from '../auth/identity.ts'
import {
  dbId,
  deviceA,
  deviceB,
  openTestDatabase,
  pull,
  pushRequest,
  put,
} from './sync-database.test-kit.ts'
import type { SyncDatabase } from './sync-database.ts'

const ada: Identity = { subject: 'ada', databases: '*', access: 'write' }
const eve: Identity = { subject: 'eve', databases: '*', access: 'write' }
const conflict = { code: 'device_conflict' }
const LAST_OP_ID = Number.MAX_SAFE_INTEGER

const replica = (n: number): Uint8Array => new Uint8Array(16).fill(n)

const handshake = (database: SyncDatabase, identity: Identity, n: number, deviceId = deviceA) =>
  database.handshake({ dbId, deviceId, replicaId: replica(n) }, identity)

const push = (database: SyncDatabase, identity: Identity, opId: number, deviceId = deviceA) =>
  database.push(pushRequest([put(opId, `x${opId}`, 0, 'a', { deviceId })]), identity)

describe('deviceIds that belong to subjects', () => {
  test('another subject -> device_conflict everywhere, and the owner goes on', async () => {
    const database = await openTestDatabase({ bindDevices: true })
    await handshake(database, ada, 1)
    await expect(handshake(database, eve, 2)).rejects.toMatchObject(conflict)
    await expect(push(database, eve, LAST_OP_ID)).rejects.toMatchObject(conflict)
    await expect(pull(database, { deviceId: deviceA }, eve)).rejects.toMatchObject(conflict)
    const snapshot = { dbId, sinceCursor: 0, packed: 2, snapshot: {}, deviceId: deviceA }
    await expect(database.pullSnapshot(snapshot, eve)).rejects.toMatchObject(conflict)
    expect(await handshake(database, ada, 1)).toMatchObject({ lastOpId: 0 })
    expect(await push(database, ada, 1)).toMatchObject({ acknowledgedUpToOpId: 1 })
    await expect(handshake(database, eve, 2, deviceB)).resolves.toBeDefined()
  })

  test('the same subject with another token, installed anew -> takes its deviceId over', async () => {
    const database = await openTestDatabase({ bindDevices: true })
    await handshake(database, ada, 1)
    await push(database, ada, 1)
    const again: Identity = { ...ada, expiresAtMs: 2e12, databases: [dbId] }
    expect(await handshake(database, again, 2)).toMatchObject({ lastOpId: 1 })
    await expect(push(database, again, 2)).resolves.toBeDefined()
  })

  test('a push without a handshake -> its deviceId belongs to the subject', async () => {
    const database = await openTestDatabase({ bindDevices: true })
    await push(database, ada, 1)
    await expect(push(database, eve, 2)).rejects.toMatchObject(conflict)
    await expect(handshake(database, eve, 1)).rejects.toMatchObject(conflict)
  })

  test('a device that was there before -> belongs to who comes next, also after a restart', async () => {
    const storage = memoryStorage()
    const before = await openTestDatabase({ storage })
    await handshake(before, ada, 1)
    await before.close()
    const bound = await openTestDatabase({ storage, bindDevices: true })
    await handshake(bound, ada, 1)
    await bound.close()
    const database = await openTestDatabase({ storage, bindDevices: true })
    await expect(handshake(database, eve, 2)).rejects.toMatchObject(conflict)
    await expect(handshake(database, ada, 1)).resolves.toBeDefined()
  })

  test('not asked for -> any subject may use any deviceId, and none is kept', async () => {
    const storage = memoryStorage()
    const free = await openTestDatabase({ storage })
    await handshake(free, ada, 1)
    await expect(handshake(free, eve, 2)).resolves.toBeDefined()
    await expect(push(free, ada, 1)).resolves.toBeDefined()
    await free.close()
    const bound = await openTestDatabase({ storage, bindDevices: true })
    await expect(handshake(bound, eve, 2)).resolves.toBeDefined()
  })
})
