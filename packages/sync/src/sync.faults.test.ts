import { decodePushRequest, EPOCH_STRIDE, PUSH_PATH, type SyncOperation } from '@entidb/protocol'
import { afterEach, describe, expect, test } from 'vitest'
import type { SyncConfig } from './config.ts'
import { Device, syncAll, unionResolver } from './test-kit/device.test-kit.ts'
import { CrashError } from './test-kit/faulty-engine.test-kit.ts'
import { type Fault, ModelServer, refusal } from './test-kit/model-server.test-kit.ts'
import { openDevice, openPair } from './test-kit/pair.test-kit.ts'

const baseOf = (op: SyncOperation): number => op.entityVersion

let open: Device[] = []

afterEach(async () => {
  await Promise.all(open.map((device) => device.close()))
  open = []
})

async function device(server: ModelServer, config: Partial<SyncConfig> = {}): Promise<Device> {
  const opened = await Device.open({
    fetch: server.fetch,
    config: { conflictResolver: unionResolver, ...config },
  })
  open.push(opened)
  return opened
}

/** Two devices that edited the same and different notes; `b` is yet to sync. */
async function prepared(limits = { maxOpsPerPush: 2, maxPullOps: 2 }) {
  const server = new ModelServer({ limits })
  const [a, b] = [await device(server), await device(server)]
  for (const id of ['n1', 'n2', 'n3']) await a.addToken(id, 'base')
  await syncAll(a, b)
  for (const id of ['n1', 'n2', 'n4']) await a.addToken(id, 'a')
  await a.sync.sync()
  for (const id of ['n1', 'n3', 'n5']) await b.addToken(id, 'b')
  await b.db.collection('notes').delete('n2')
  return { server, a, b }
}

async function expectAllThere(server: ModelServer, ...devices: readonly Device[]): Promise<void> {
  for (const each of devices) {
    expect(await each.tokens('n1')).toEqual(['a', 'b', 'base'])
    expect(await each.tokens('n3')).toEqual(['b', 'base'])
    expect(await each.tokens('n4')).toEqual(['a'])
    expect(await each.tokens('n5')).toEqual(['b'])
    expect(await each.contents()).toEqual(new Map(sorted(server.database.live())))
    expect(each.sync.status).toMatchObject({ pending: 0, held: 0 })
  }
  const named = server.database.oplog.map((op) => `${op.deviceId}/${op.opId}`)
  expect(new Set(named).size).toBe(named.length)
}

function sorted(live: ReadonlyMap<string, Uint8Array>): [string, Uint8Array][] {
  return [...live].sort(([a], [b]) => (a < b ? -1 : 1))
}

describe('network', () => {
  test.each(['refuse', 'lose', 'twice'] as const)(
    'every request once, %s: -> nothing lost or doubled',
    async (fault) => {
      for (let at = 0; at < 40; at++) {
        const { server, a, b } = await prepared()
        const first = server.requests.length
        let hit = false
        server.fault = ({ index }): Fault => {
          // A lost answer is asked for once more at once: that one is lost too.
          if (index !== first + at && index !== first + at + 1) return 'pass'
          hit = true
          return fault
        }
        await syncAll(b, a)
        await expectAllThere(server, a, b)
        if (!hit) return
      }
      throw new Error('the cycle has no end')
    },
  )

  test('every second answer lost: -> converges', async () => {
    const { server, a, b } = await prepared()
    server.fault = ({ index }) => (index % 2 === 0 ? 'lose' : 'pass')
    await syncAll(b, a)
    await expectAllThere(server, a, b)
  })

  test.each([
    ['HTML', () => new Response('<html>', { headers: { 'content-type': 'text/html' } })],
    [
      'cut',
      () =>
        new Response(new Uint8Array([0xa2]), { headers: { 'content-type': 'application/cbor' } }),
    ],
    ['empty', () => new Response(null, { headers: { 'content-type': 'application/cbor' } })],
  ])('%s instead of an answer: -> invalid_response, nothing applied', async (_, response) => {
    const { server, a, b } = await prepared()
    server.fault = () => response()
    await expect(b.sync.sync()).rejects.toMatchObject({ code: 'invalid_response', retry: 'later' })
    server.fault = () => 'pass'
    await syncAll(b, a)
    await expectAllThere(server, a, b)
  })
})

describe('crash', () => {
  test.each(['before', 'after'] as const)(
    '%s the commit of every transaction: -> goes on where it was',
    async (point) => {
      for (let at = 0; at < 60; at++) {
        const { server, a, b } = await prepared()
        b.restart()
        b.engine.crashPoint = point
        b.engine.crashAt = at
        const { engine } = b
        await b.syncThrough()
        await syncAll(b, a)
        await expectAllThere(server, a, b)
        if (engine.transactions <= at) return
      }
      throw new Error('the cycle has no end')
    },
  )

  test('after the freeze and with the answer lost: -> the same bytes are sent again first', async () => {
    const { server, a, b } = await prepared()
    server.fault = ({ path }) => (path === '/v1/push' ? 'lose' : 'pass')
    await expect(b.sync.sync()).rejects.toMatchObject({ code: 'server_unreachable' })
    const lost = server.requests.at(-1)
    b.restart()
    server.fault = () => 'pass'
    const next = server.requests.length
    await b.sync.sync()
    expect(server.requests[next]).toEqual({ ...lost, index: next })
    await syncAll(b, a)
    await expectAllThere(server, a, b)
  })

  test('edit while a push is under way: -> sent after it, on its revision', async () => {
    const { server, a, b } = await prepared()
    await b.sync.sync()
    await b.addToken('n5', 'second')
    let edited = false
    server.fault = async ({ path }): Promise<Fault> => {
      if (path === '/v1/push' && !edited) {
        edited = true
        expect(b.sync.stateOf('notes', 'n5')).toBe('inFlight')
        await b.addToken('n5', 'third')
      }
      return 'pass'
    }
    await b.sync.sync()
    await syncAll(b, a)
    expect(await a.tokens('n5')).toEqual(['b', 'second', 'third'])
    expect(b.sync.status).toMatchObject({ pending: 0, held: 0 })
  })
})

describe('server restored', () => {
  test('from a backup: -> what it lost is offered again, nothing else asked', async () => {
    const { server, a, b } = await prepared()
    const backup = server.database.backup()
    await syncAll(a, b)
    await a.addToken('n6', 'late')
    await a.db.collection('notes').delete('n4')
    await syncAll(a, b)
    const before = sorted(server.database.live())
    server.database.restore(backup)
    const epochs: unknown[] = []
    a.sync.on('epoch', (epoch) => epochs.push(epoch))
    const [lost, seen] = [backup.head, server.requests.length]
    const firstNew = (Math.floor(lost / EPOCH_STRIDE) + 1) * EPOCH_STRIDE
    await b.addToken('n7', 'new')
    await syncAll(b, a)
    expect(epochs).toHaveLength(1)
    const pushes = server.requests.slice(seen).filter(({ path }) => path === PUSH_PATH)
    const bases = pushes.flatMap(({ body }) => decodePushRequest(body).ops.map(baseOf))
    expect(bases.filter((base) => base > lost && base < firstNew)).toEqual([])
    const after = new Map(server.database.live())
    after.delete('notes/n7')
    expect(sorted(after)).toEqual(before)
    expect(await a.contents()).toEqual(await b.contents())
    expect(await a.sync.conflicts.list()).toEqual([])
  })

  test('with an answer still open: -> same operations, same opIds, new epoch', async () => {
    const { server, a, b } = await prepared()
    const backup = server.database.backup()
    server.fault = ({ path }) => (path === '/v1/push' ? 'lose' : 'pass')
    await expect(b.sync.sync()).rejects.toMatchObject({ code: 'server_unreachable' })
    server.fault = () => 'pass'
    server.database.restore(backup)
    await syncAll(b, a)
    await expectAllThere(server, a, b)
  })

  test('ordinary restart: -> a new epoch, and nothing is offered again', async () => {
    const { server, a, b } = await prepared()
    await syncAll(a, b)
    server.database.reopen()
    const epochs: unknown[] = []
    b.sync.on('epoch', (epoch) => epochs.push(epoch))
    const pushed = server.database.oplog.length
    await b.addToken('n8', 'x')
    await syncAll(b, a)
    expect(epochs).toMatchObject([{ recovered: 0 }])
    expect(server.database.oplog).toHaveLength(pushed + 1)
  })

  test('one device deletes what it lost, another offers it again: -> they are asked, nothing comes back by itself', async () => {
    for (const isEmptied of [false, true]) {
      const { server, a, b } = await openPair()
      const empty = new ModelServer().database.backup()
      await a.addToken('n1', 'before')
      await syncAll(a, b)
      const backup = isEmptied ? empty : server.database.backup()
      await a.addToken('n1', 'after')
      await syncAll(a, b)
      await b.db.collection('notes').delete('n1')
      server.database.restore(backup)
      if (isEmptied) {
        server.database.beginEpoch()
        // Somebody made it, and deleted it again.
        const c = await openDevice(server)
        await c.addToken('n1', 'other')
        await c.sync.sync()
        await c.db.collection('notes').delete('n1')
        await c.sync.sync()
      }
      await b.sync.sync()
      await a.sync.sync()
      expect(await a.tokens('n1')).toEqual(['after', 'before'])
      expect(await a.sync.conflicts.list()).toMatchObject([{ remote: { entity: null } }])
      expect(server.database.live().size).toBe(0)
    }
  })

  test('what an edit was made on is lost, and somebody edited since -> a conflict without a known base', async () => {
    const bases: unknown[] = []
    const { server, a, b } = await openPair({
      conflictResolver: {
        resolve(_local, _remote, { base }) {
          bases.push(base)
          return { type: 'defer' }
        },
      },
    })
    await a.addToken('n1', 'first')
    await syncAll(a, b)
    const backup = server.database.backup()
    await a.addToken('n1', 'lost')
    await syncAll(a, b)
    await b.addToken('n1', 'b')
    server.database.restore(backup)
    const c = await openDevice(server)
    await c.sync.sync()
    await c.addToken('n1', 'c')
    await c.sync.sync()
    await b.sync.sync()
    expect(bases).toEqual([undefined])
    expect(await b.sync.conflicts.list()).toMatchObject([{ base: undefined }])
  })

  test('emptied: -> everything is offered to it again', async () => {
    const { server, a, b } = await prepared()
    await syncAll(a, b)
    const before = sorted(server.database.live())
    const empty = new ModelServer().database.backup()
    server.database.restore(empty)
    server.database.beginEpoch()
    await syncAll(b, a)
    expect(sorted(server.database.live())).toEqual(before)
    await expectAllThere(server, a, b)
  })
})

describe('re-sync', () => {
  const onePage = { maxOpsPerPush: 2, maxPullOps: 100 }

  test('away longer than deletes are remembered: -> no zombies, edits kept', async () => {
    const { server, a, b } = await prepared(onePage)
    await syncAll(a, b)
    await a.db.collection('notes').delete('n4')
    await a.db.collection('notes').delete('n3')
    await a.sync.sync()
    server.database.purge()
    await b.addToken('n3', 'kept')
    await b.addToken('n9', 'new')
    const events: string[] = []
    b.sync.on('resync', ({ phase, reason }) => events.push(`${phase} ${reason}`))
    await syncAll(b, a)
    expect(events).toEqual(['began cursor_expired', 'ended cursor_expired'])
    expect(await b.db.collection('notes').get('n4')).toBeUndefined()
    expect(await a.tokens('n3')).toEqual(['b', 'base', 'kept'])
    expect(await a.contents()).toEqual(await b.contents())
  })

  test('crash at every transaction of it: -> the same end', async () => {
    for (let at = 0; at < 60; at++) {
      const { server, a, b } = await prepared(onePage)
      await syncAll(a, b)
      await a.db.collection('notes').delete('n4')
      await a.sync.sync()
      server.database.purge()
      await b.addToken('n9', 'new')
      b.restart()
      const { engine } = b
      engine.crashAt = at
      await b.syncThrough()
      await syncAll(b, a)
      expect(await b.db.collection('notes').get('n4')).toBeUndefined()
      expect(await a.contents()).toEqual(await b.contents())
      if (engine.transactions <= at) return
    }
    throw new Error('the cycle has no end')
  })

  test('scope changed: -> what may be seen now, and nothing else', async () => {
    const { server, a, b } = await prepared(onePage)
    await syncAll(a, b)
    server.database.scope = 'less'
    const events: string[] = []
    b.sync.on('resync', ({ phase, reason }) => events.push(`${phase} ${reason}`))
    await b.sync.sync()
    expect(events).toEqual(['began scope', 'ended scope'])
    expect(await a.contents()).toEqual(await b.contents())
  })
})

describe('refusals of the whole request', () => {
  test('push forbidden: -> held as rejected, outcome unknown; pulling goes on', async () => {
    const { server, a, b } = await prepared()
    server.fault = ({ path }) => (path === '/v1/push' ? refusal('forbidden') : 'pass')
    await b.sync.sync()
    const rejections = await b.sync.rejections.list()
    expect(rejections.length).toBeGreaterThan(0)
    expect(rejections[0]).toMatchObject({ code: 'forbidden', outcomeUnknown: true })
    expect(await b.tokens('n4')).toEqual(['a'])
    server.fault = () => 'pass'
    for (const id of ['n1', 'n3', 'n5']) await b.addToken(id, 'again')
    await syncAll(b, a)
    expect(await a.tokens('n5')).toEqual(['again', 'b'])
  })

  test('answer lost, then forbidden: -> the echo settles it', async () => {
    const { server, b } = await prepared({ maxOpsPerPush: 100, maxPullOps: 100 })
    server.fault = ({ path }) => (path === '/v1/push' ? 'lose' : 'pass')
    await expect(b.sync.sync()).rejects.toMatchObject({ code: 'server_unreachable' })
    server.fault = ({ path }) => (path === '/v1/push' ? refusal('forbidden') : 'pass')
    await b.sync.sync()
    expect(b.sync.stateOf('notes', 'n5')).toBe('synced')
    expect(b.sync.stateOf('notes', 'n3')).toBe('synced')
    const entity = { collection: 'notes', entityId: 'n5' }
    const revision = server.database.oplog.find(({ entityId }) => entityId === 'n5')?.entityVersion
    expect(await b.sync.ledger.list({ entity })).toMatchObject([
      { fate: 'committed', isSettled: true, entities: [{ entityVersion: revision }] },
    ])
  })

  test('413 from something in between: -> smaller requests', async () => {
    const { server, a, b } = await prepared({ maxOpsPerPush: 100, maxPullOps: 100 })
    server.fault = ({ path, body }) =>
      path === '/v1/push' && body.length > 500 ? new Response(null, { status: 413 }) : 'pass'
    await syncAll(b, a)
    await expectAllThere(server, a, b)
  })

  test('internal three times: -> halved until one group is alone, which is held', async () => {
    const { server, a, b } = await prepared({ maxOpsPerPush: 100, maxPullOps: 100 })
    await b.addToken('n8', 'poison')
    server.fault = ({ path, body }) =>
      path === '/v1/push' && Buffer.from(body).includes('poison') ? refusal('internal') : 'pass'
    await b.syncThrough()
    expect(await b.sync.rejections.list()).toMatchObject([{ entityId: 'n8', code: 'internal' }])
    expect(await b.sync.rejections.discard((await b.sync.rejections.list())[0]?.id ?? '')).toBe(
      true,
    )
    await syncAll(b, a)
    await expectAllThere(server, a, b)
  })

  test('device taken over: -> device_conflict, until it gets a name of its own', async () => {
    const server = new ModelServer()
    const [a, b] = [
      await device(server, { deviceId: 'same' }),
      await device(server, { deviceId: 'same' }),
    ]
    await a.addToken('n1', 'a')
    await a.sync.sync()
    await b.addToken('n2', 'b')
    await b.sync.sync()
    await a.addToken('n3', 'a')
    const told: unknown[] = []
    a.sync.on('device', (event) => told.push(event))
    await expect(a.sync.sync()).rejects.toMatchObject({ code: 'device_conflict' })
    await a.sync.renameDevice('other')
    expect(told).toEqual([
      { reason: 'superseded', deviceId: 'same' },
      { reason: 'renamed', deviceId: 'other' },
    ])
    await syncAll(a, b)
    expect(await a.contents()).toEqual(await b.contents())
    expect((await a.contents()).size).toBe(3)
  })

  test('given another name, and the configuration is the same in the next process: -> the name lasts', async () => {
    const server = new ModelServer()
    const [a, b] = [
      await device(server, { deviceId: 'same' }),
      await device(server, { deviceId: 'same' }),
    ]
    await a.sync.sync()
    await b.sync.sync()
    await a.sync.renameDevice('other')
    const authors = async (config: Partial<SyncConfig>) => {
      a.restart(config)
      await a.addToken('n1', String(server.database.head))
      await a.sync.sync()
      return server.database.oplog.at(-1)?.deviceId
    }
    expect(await authors({})).toBe('other')
    expect(await authors({ deviceId: 'third' })).toBe('third')
  })
})

test('crash kit: a dead process does nothing more', async () => {
  const { b } = await prepared()
  b.engine.crashAt = b.engine.transactions
  await expect(b.sync.sync()).rejects.toBeInstanceOf(CrashError)
})
