/** Devices whose files are restored or copied, and databases that are older than their sync. */
import { createMemoryFileSystem, type FileSystem, treeStorage } from '@entidb/core'
import { PULL_PATH, PUSH_PATH } from '@entidb/protocol'
import { afterEach, describe, expect, test } from 'vitest'
import { copyFiles } from './test-kit/copied-files.test-kit.ts'
import { Device, syncAll, unionResolver } from './test-kit/device.test-kit.ts'
import { ModelServer, refusal } from './test-kit/model-server.test-kit.ts'

let open: Device[] = []

afterEach(async () => {
  await Promise.all(open.map((device) => device.close()))
  open = []
})

async function deviceOn(files: FileSystem, server: ModelServer): Promise<Device> {
  const device = await Device.open({
    fetch: server.fetch,
    storage: treeStorage(files),
    config: { conflictResolver: unionResolver },
  })
  open.push(device)
  return device
}

async function closed(device: Device): Promise<void> {
  open = open.filter((each) => each !== device)
  await device.close()
}

/** A device that synced, and a copy of its files from then. */
async function withBackup() {
  const server = new ModelServer()
  const files = createMemoryFileSystem()
  const first = await deviceOn(files, server)
  await first.addToken('n1', 'one')
  await first.sync.sync()
  await closed(first)
  return { server, files, backup: await copyFiles(files) }
}

describe('device restored from a copy of its files', () => {
  test('it had pushed more since: -> new edits get new opIds, old ones come back', async () => {
    const { server, files, backup } = await withBackup()
    const original = await deviceOn(files, server)
    for (const token of ['two', 'three']) {
      await original.addToken('n1', token)
      await original.sync.sync()
    }
    await closed(original)
    const restored = await deviceOn(backup, server)
    const told: unknown[] = []
    restored.sync.on('device', ({ reason }) => told.push(reason))
    await restored.addToken('n1', 'new')
    await restored.addToken('n2', 'new')
    await syncAll(restored)
    expect(told).toEqual(['renumbered'])
    expect(await restored.tokens('n1')).toEqual(['new', 'one', 'three', 'two'])
    expect(server.database.live().size).toBe(2)
  })

  test('both go on (a clone): -> op_id_reused is survived, both sides arrive', async () => {
    const { server, files, backup } = await withBackup()
    const [a, b] = [await deviceOn(files, server), await deviceOn(backup, server)]
    for (let round = 0; round < 4; round++) {
      await a.addToken('n1', `a${round}`)
      await b.addToken('n1', `b${round}`)
      await a.addToken(`a${round}`, 'x')
      await b.addToken(`b${round}`, 'x')
      await Promise.all([a.syncThrough(), b.syncThrough()])
    }
    await syncAll(a, b)
    expect(await a.contents()).toEqual(await b.contents())
    expect(await a.tokens('n1')).toHaveLength(9)
    const named = server.database.oplog.map(({ deviceId, opId }) => `${deviceId}/${opId}`)
    expect(new Set(named).size).toBe(named.length)
  })

  test('a clone pushed its edit, the delete of which is forgotten -> it is told of that before it pushes', async () => {
    const { server, files, backup: older } = await withBackup()
    const other = await deviceOn(older, server)
    await other.sync.renameDevice('other')
    await other.sync.sync()
    const writer = await deviceOn(files, server)
    await writer.addToken('n3', 'mine')
    await writer.sync.stop()
    await closed(writer)
    const copy = await copyFiles(files)
    const original = await deviceOn(files, server)
    server.fault = ({ path }) => (path === PULL_PATH ? 'refuse' : 'pass')
    await expect(original.sync.sync()).rejects.toMatchObject({ code: 'server_unreachable' })
    server.fault = () => 'pass'
    await (await deviceOn(copy, server)).sync.sync()
    await other.sync.sync()
    await other.db.collection('notes').delete('n3')
    await other.sync.sync()
    server.database.purge()
    await original.sync.sync()
    await syncAll(original, other)
    expect(await original.contents()).toEqual(server.database.live())
    expect(await other.contents()).toEqual(server.database.live())
    expect(await original.tokens('n3')).toEqual(['mine'])
  })

  test('with a frozen batch the original went on to send: -> taken as the duplicate it is', async () => {
    const server = new ModelServer()
    const files = createMemoryFileSystem()
    const first = await deviceOn(files, server)
    await first.addToken('n1', 'one')
    server.fault = ({ path }) => (path === '/v1/push' ? 'refuse' : 'pass')
    await expect(first.sync.sync()).rejects.toMatchObject({ code: 'server_unreachable' })
    server.fault = () => 'pass'
    await closed(first)
    const backup = await copyFiles(files)
    const original = await deviceOn(files, server)
    await original.sync.sync()
    await original.addToken('n1', 'two')
    await original.sync.sync()
    await closed(original)
    const restored = await deviceOn(backup, server)
    await restored.addToken('n1', 'three')
    await syncAll(restored)
    expect(await restored.tokens('n1')).toEqual(['one', 'three', 'two'])
    expect(restored.sync.status).toMatchObject({ pending: 0, held: 0 })
  })
})

describe('device renamed while an answer is on its way', () => {
  test.each([
    ['too large, of a group alone', 'too_large', 3],
    ['forbidden', 'forbidden', 1],
  ] as const)('%s: -> nothing is held, all goes out under the new name', async (_, code, at) => {
    const server = new ModelServer()
    const device = await deviceOn(createMemoryFileSystem(), server)
    for (const id of ['n1', 'n2', 'n3', 'n4']) await device.addToken(id, 'one')
    let pushes = 0
    let renaming: Promise<unknown> | undefined
    server.fault = ({ path }) => {
      if (path !== PUSH_PATH) return 'pass'
      pushes += 1
      if (pushes === at) renaming = device.sync.renameDevice('renamed')
      return pushes > at ? 'pass' : refusal(code)
    }
    const rejected: unknown[] = []
    device.sync.on('rejected', (rejection) => rejected.push(rejection))
    await device.sync.sync()
    await renaming
    expect(rejected).toEqual([])
    expect(device.sync.status).toMatchObject({ pending: 0, held: 0 })
    const authors = server.database.oplog.map(({ entityId, deviceId }) => [entityId, deviceId])
    expect(authors).toEqual(['n1', 'n2', 'n3', 'n4'].map((id) => [id, 'renamed']))
  })
})

describe('device renamed', () => {
  test.each(['server', '', '.hidden', 'a b'])(
    'to %j: -> refused, it keeps its name',
    async (name) => {
      const server = new ModelServer()
      const device = await deviceOn(createMemoryFileSystem(), server)
      await expect(device.sync.renameDevice(name)).rejects.toThrow(TypeError)
      await device.addToken('n1', 'one')
      await device.sync.sync()
      expect(server.database.oplog).toMatchObject([{ deviceId: device.engine.identity.deviceId }])
    },
  )
})

describe('database that is older than its sync', () => {
  test('written with the feed off: -> every entity is offered once', async () => {
    const server = new ModelServer({ limits: { maxOpsPerPush: 100 } })
    const files = createMemoryFileSystem()
    const before = await Device.open({
      fetch: server.fetch,
      storage: treeStorage(files),
      changeFeed: false,
    })
    await expect(before.sync.sync()).rejects.toMatchObject({ code: 'change_feed_off' })
    for (let i = 0; i < 1_200; i++) await before.addToken(`n${i}`, 'old')
    await before.close()
    const device = await deviceOn(files, server)
    await device.addToken('n5', 'new')
    await device.addToken('fresh', 'new')
    await syncAll(device)
    expect(server.database.live().size).toBe(1_201)
    expect(server.database.oplog).toHaveLength(1_201)
    expect(await device.tokens('n5')).toEqual(['new', 'old'])
  })

  test('crash while offering: -> still once', async () => {
    for (let at = 0; at < 40; at++) {
      const server = new ModelServer({ limits: { maxOpsPerPush: 400 } })
      const files = createMemoryFileSystem()
      const options = { fetch: server.fetch, storage: treeStorage(files) }
      const before = await Device.open({ ...options, changeFeed: false })
      await before.db.transaction(async (tx) => {
        for (let i = 0; i < 700; i++) await tx.collection('notes').put({ id: `n${i}`, tokens: [] })
      })
      await before.close()
      const device = await deviceOn(files, server)
      const { engine } = device
      engine.crashAt = at
      await device.syncThrough()
      await syncAll(device)
      expect(server.database.oplog).toHaveLength(700)
      await closed(device)
      if (engine.transactions <= at) return
    }
    throw new Error('the cycle has no end')
  })
})
