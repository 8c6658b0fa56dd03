/** Local copies that are dropped and fetched, and devices that sign out, against the real server. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Device, syncAll } from './test-kit/device.test-kit.ts'
import { RealServer } from './test-kit/real-server.test-kit.ts'

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
  const opened = await Device.open({ fetch: server.fetch })
  open.push(opened)
  return opened
}

const IDS = Array.from({ length: 12 }, (_, i) => `n${String(i).padStart(2, '0')}`)

async function filled() {
  const [a, b] = [await device(), await device()]
  for (const id of IDS) await a.addToken(id, 'a')
  await a.db.collection('accounts').put({ id: 'x', balance: 1 })
  await syncAll(a, b)
  return { a, b }
}

async function expectProven(...devices: readonly Device[]): Promise<void> {
  for (const each of devices) {
    expect(await each.sync.verify()).toMatchObject({ outcome: 'converged' })
  }
}

const count = ({ db }: Device): Promise<number> => db.collection('notes').count({})

describe('local copies, real server', () => {
  test('evicted -> proven; newer states come, fetch brings the others', async () => {
    const { a, b } = await filled()
    const before = await server.operations()
    expect(await b.sync.evict('notes', IDS)).toEqual({ evicted: 12, skipped: [] })
    await syncAll(b, a)
    expect(await server.operations()).toEqual(before)
    await expectProven(a, b)
    await a.addToken('n03', 'newer')
    await a.db.collection('notes').delete('n04')
    await syncAll(a, b)
    expect(await count(b)).toBe(1)
    await expectProven(a, b)
    expect(await b.sync.fetch('notes', IDS)).toEqual({ missing: [] })
    expect(await b.contents()).toEqual(await a.contents())
    await expectProven(a, b)
  })

  test('deletes purged while it was away -> a re-sync in pages, below the horizon: evicted ones stay so', async () => {
    const { a, b } = await filled()
    await b.sync.evict('notes', ['n00', 'n01', 'n02'])
    await a.db.collection('notes').delete('n00')
    await a.db.collection('notes').delete('n11')
    await a.sync.sync()
    server.passRetention()
    await a.sync.sync()
    expect(await server.purge()).toBe(2)
    const reasons: string[] = []
    b.sync.on('resync', ({ reason }) => reasons.push(reason))
    await b.sync.sync()
    expect(reasons).toEqual(['cursor_expired', 'cursor_expired'])
    expect(await count(b)).toBe(8)
    await expectProven(a, b)
    expect(await b.sync.fetch('notes', IDS)).toEqual({ missing: [] })
    expect(await b.contents()).toEqual(await a.contents())
  })

  test('damage, with deletes purged -> named and healed by pulls in pages below the horizon', async () => {
    const { a, b } = await filled()
    await a.db.collection('notes').delete('n00')
    await syncAll(a, b)
    server.passRetention()
    await syncAll(a, b)
    expect(await server.purge()).toBe(1)
    await b.db.transaction((tx) => tx.replica.evict('notes', 'n05'))
    expect(await b.sync.verify({ repair: true })).toMatchObject({
      outcome: 'repaired',
      repaired: [{ entityId: 'n05', difference: 'missing' }],
    })
    expect(await b.contents()).toEqual(await a.contents())
  })

  test('created blindly -> a conflict with what the server has', async () => {
    const { b } = await filled()
    await b.sync.evict('notes', 'n01')
    await b.db.collection('notes').put({ id: 'n01', tokens: ['blind'] })
    await b.sync.sync()
    expect(await b.sync.conflicts.list()).toMatchObject([
      { entityId: 'n01', remote: { entity: { tokens: ['a'] } } },
    ])
  })

  test('the server began an epoch -> what was evicted stays so', async () => {
    const { a, b } = await filled()
    await b.sync.evict('notes', ['n01', 'n02'])
    await server.restart()
    await a.addToken('n03', 'newer')
    await syncAll(a, b)
    expect(await count(b)).toBe(10)
    await expectProven(a, b)
  })
})

describe('sign-out, real server', () => {
  test('push, finish, in again -> nothing lost, a device of its own', async () => {
    const { a, b } = await filled()
    await b.addToken('n01', 'mine')
    const signOut = await b.sync.signOut()
    await expect(signOut.finish()).rejects.toMatchObject({ code: 'unsynced_edits' })
    expect(await signOut.push()).toMatchObject({ entities: [] })
    const before = await server.operations()
    expect(await signOut.finish()).toEqual({ removed: 13, kept: [] })
    expect(await server.operations()).toEqual(before)
    expect(await count(b)).toBe(0)
    await b.sync.start()
    await b.sync.sync()
    await b.addToken('n02', 'again')
    await syncAll(b, a)
    expect(await b.contents()).toEqual(await a.contents())
    const devices = new Set((await server.operations()).map(({ deviceId }) => deviceId))
    expect(devices.size).toBe(3)
    await expectProven(a, b)
  })

  test('export, discard, finish, import on another device -> the edits arrive', async () => {
    const { a, b } = await filled()
    await b.addToken('n01', 'mine')
    await b.db.collection('notes').delete('n02')
    const signOut = await b.sync.signOut()
    const records: Uint8Array[] = []
    for await (const record of signOut.export()) records.push(record)
    await signOut.discard()
    await signOut.finish()
    const c = await device()
    await c.sync.sync()
    expect(await c.sync.importUnsynced(records)).toMatchObject({ imported: 2 })
    await syncAll(c, a)
    expect(await a.tokens('n01')).toEqual(['a', 'mine'])
    expect(await count(a)).toBe(11)
    await expectProven(a, c)
  })
})
