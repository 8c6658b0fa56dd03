/** `verify` against the real server: damage on either side, and random edits that must never look like one. */
import { encodeEntity } from '@entidb/core/cbor'
import { DIGEST_BYTES, decodeSyncOperation, encodeSyncOperation } from '@entidb/protocol'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Device, syncAll, unionResolver } from './test-kit/device.test-kit.ts'
import { RealServer, type ServerDatabase } from './test-kit/real-server.test-kit.ts'

let server: RealServer
let open: Device[]

beforeEach(() => {
  server = new RealServer({ maxOpsPerPush: 4, maxPullOps: 3 })
  open = []
})

afterEach(async () => {
  await Promise.all(open.map((device) => device.close()))
  await server.close()
})

async function device(): Promise<Device> {
  const opened = await Device.open({
    fetch: server.fetch,
    config: { conflictResolver: unionResolver },
  })
  open.push(opened)
  return opened
}

async function filled(): Promise<{ readonly a: Device; readonly b: Device }> {
  const [a, b] = [await device(), await device()]
  for (const id of ['n1', 'n2', 'n3']) await a.addToken(id, 'base')
  await a.db.collection('accounts').put({ id: 'x', balance: 1 })
  await syncAll(a, b)
  return { a, b }
}

/** The stored entity and the operation that made it, changed alike. */
async function forgeOnServer(db: ServerDatabase, key: string, bytes: Uint8Array): Promise<void> {
  const entity = await db.collection('entities').get(key)
  if (entity === undefined) throw new Error(`${key} is not there`)
  await db.collection('entities').put({ ...entity, entityCbor: bytes })
  for (const row of await db.collection('server_oplog').find({})) {
    const op = decodeSyncOperation(row.operationCbor)
    if (`${op.collection}/${op.entityId}` !== key) continue
    const operationCbor = encodeSyncOperation({ ...op, entityCbor: bytes })
    await db.collection('server_oplog').put({ ...row, operationCbor })
  }
}

describe('verify, real server', () => {
  test('equal copies, also after a restart -> converged', async () => {
    const { a, b } = await filled()
    expect(await a.sync.verify()).toMatchObject({ outcome: 'converged', entities: 4 })
    await server.restart()
    expect(await b.sync.verify()).toMatchObject({ outcome: 'converged', entities: 4 })
  })

  test('entities damaged on the device -> only their collections are pulled; named and healed', async () => {
    const { b } = await filled()
    await b.db.transaction(async (tx) => {
      const { version } = await tx.replica.state('notes', 'n2')
      const bytes = encodeEntity({ id: 'n2', tokens: ['forged'] })
      const forged = { collection: 'notes', entityId: 'n2', version, bytes, schemaVersion: 1 }
      await tx.replica.applyRaw(forged)
      await tx.replica.evict('notes', 'n3')
    })
    const found = await b.sync.verify()
    expect(found).toMatchObject({ outcome: 'diverged', collections: ['notes'] })
    expect(found).toMatchObject({
      divergent: [
        { entityId: 'n2', difference: 'bytes' },
        { entityId: 'n3', difference: 'missing' },
      ],
    })
    expect(await b.sync.verify({ repair: true })).toMatchObject({ outcome: 'repaired' })
    expect(await b.contents()).toEqual(new Map([...(await server.live())].sort()))
  })

  test('the digest of the server is wrong, its entities are not -> told, without names', async () => {
    const { b } = await filled()
    await server.tamper(async (db) => {
      const states = db.collection('collection_state')
      const row = await states.get('notes')
      if (row !== undefined) await states.put({ ...row, digest: new Uint8Array(DIGEST_BYTES) })
    })
    const result = { outcome: 'diverged', collections: ['notes'], divergent: [], repaired: [] }
    expect(await b.sync.verify()).toMatchObject(result)
    expect(await b.sync.verify({ repair: true })).toMatchObject(result)
  })

  test('entities changed on the server behind its digest -> told and named once the digest tells', async () => {
    const { a, b } = await filled()
    await server.tamper((db) =>
      forgeOnServer(db, 'notes/n1', encodeEntity({ id: 'n1', tokens: ['forged'] })),
    )
    // The digest is of what the server once accepted: both hold that.
    expect(await b.sync.verify()).toMatchObject({ outcome: 'converged' })
    const c = await device()
    expect(await c.sync.verify()).toMatchObject({ outcome: 'diverged', collections: ['notes'] })
    await a.addToken('n1', 'new')
    await syncAll(a, b, c)
    expect(await c.tokens('n1')).toEqual(['base', 'new'])
  })

  test('random edits on three devices, verified all the while -> never a divergence', async () => {
    const devices = [await device(), await device(), await device()]
    const ids = ['n1', 'n2', 'n3', 'n4', 'n5']
    let seed = 7
    const below = (count: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff
      return (seed >>> 8) % count
    }
    const outcomes: string[] = []
    const act = async (each: Device, step: number): Promise<void> => {
      const id = ids[below(ids.length)] ?? 'n1'
      const dice = below(10)
      if (dice < 4) await each.addToken(id, `t${step}`)
      else if (dice < 5) await each.db.collection('notes').delete(id)
      else if (dice < 7) await each.sync.sync()
      else outcomes.push((await each.sync.verify({ repair: dice === 9 })).outcome)
    }
    for (let step = 0; step < 60; step++) {
      await Promise.all(devices.map((each, i) => act(each, step * 3 + i)))
    }
    await syncAll(...devices)
    for (const each of devices) outcomes.push((await each.sync.verify()).outcome)
    expect(outcomes.filter((outcome) => outcome !== 'converged' && outcome !== 'notAsked')).toEqual(
      [],
    )
    expect(outcomes.slice(-3)).toEqual(['converged', 'converged', 'converged'])
  })
})
