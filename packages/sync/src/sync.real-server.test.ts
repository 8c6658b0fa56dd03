/** The client against the real server, in one process. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SyncConfig } from './config.ts'
import { Device, syncAll, unionResolver } from './test-kit/device.test-kit.ts'
import { type Fault, refusal } from './test-kit/model-server.test-kit.ts'
import { RealServer } from './test-kit/real-server.test-kit.ts'

let server: RealServer
let open: Device[]

beforeEach(() => {
  server = new RealServer({ maxOpsPerPush: 2, maxPullOps: 2 })
  open = []
})

afterEach(async () => {
  await Promise.all(open.map((device) => device.close()))
  await server.close()
})

async function device(config: Partial<SyncConfig> = {}): Promise<Device> {
  const opened = await Device.open({
    fetch: server.fetch,
    config: { conflictResolver: unionResolver, ...config },
  })
  open.push(opened)
  return opened
}

async function prepared() {
  const [a, b] = [await device(), await device()]
  for (const id of ['n1', 'n2', 'n3']) await a.addToken(id, 'base')
  await syncAll(a, b)
  for (const id of ['n1', 'n2', 'n4']) await a.addToken(id, 'a')
  await a.sync.sync()
  for (const id of ['n1', 'n3', 'n5']) await b.addToken(id, 'b')
  await b.db.collection('notes').delete('n2')
  return { a, b }
}

async function expectAllThere(...devices: readonly Device[]): Promise<void> {
  const live = new Map([...(await server.live())].sort(([a], [b]) => (a < b ? -1 : 1)))
  for (const each of devices) {
    expect(await each.tokens('n1')).toEqual(['a', 'b', 'base'])
    expect(await each.tokens('n5')).toEqual(['b'])
    expect(await each.contents()).toEqual(live)
    expect(each.sync.status).toMatchObject({ pending: 0, held: 0 })
  }
  const named = (await server.operations()).map((op) => `${op.deviceId}/${op.opId}`)
  expect(new Set(named).size).toBe(named.length)
}

describe('real server', () => {
  test('edits, deletes, conflicts: -> the same bytes everywhere', async () => {
    const { a, b } = await prepared()
    await syncAll(b, a)
    await expectAllThere(a, b)
  })

  test('much to push here, to pull there: -> both show how far, of how much', async () => {
    const [a, b] = [await device(), await device()]
    await a.addToken('n1', 'base')
    await syncAll(a, b)
    for (let i = 0; i < 7; i++) await a.addToken(`m${i}`, 'a')
    const seen: unknown[] = []
    for (const { sync } of [a, b]) sync.on('status', ({ progress }) => seen.push(progress))
    await a.sync.sync()
    const push = { direction: 'push', unit: 'edits', total: 7 }
    for (const done of [0, 2, 4, 6, 7]) expect(seen).toContainEqual({ ...push, done })
    await b.sync.sync()
    const pull = { direction: 'pull', unit: 'revisions', total: 7 }
    for (const done of [0, 2, 4, 6, 7]) expect(seen).toContainEqual({ ...pull, done })
    expect(seen.at(-1)).toBeNull()
  })

  test.each(['refuse', 'lose', 'twice'] as const)(
    'every request once, %s: -> nothing lost or doubled',
    async (fault) => {
      for (let at = 0; ; at++) {
        const { a, b } = await prepared()
        const first = server.requests.length
        let hit = false
        server.fault = ({ index }): Fault => {
          if (index !== first + at && index !== first + at + 1) return 'pass'
          hit = true
          return fault
        }
        await syncAll(b, a)
        await expectAllThere(a, b)
        server.fault = () => 'pass'
        await server.close()
        if (!hit) break
        server = new RealServer({ maxOpsPerPush: 2, maxPullOps: 2 })
      }
    },
  )

  test('restarted again and again: -> new epochs, nothing lost', async () => {
    const { a, b } = await prepared()
    server.fault = async ({ index }): Promise<Fault> => {
      if (index % 5 === 0) await server.restart()
      return 'pass'
    }
    await b.syncThrough()
    server.fault = () => 'pass'
    await syncAll(b, a)
    await expectAllThere(a, b)
  })

  test('read-only token: -> edits are held as rejected, others arrive', async () => {
    const { b } = await prepared()
    server.fault = ({ path }) => (path === '/v1/push' ? refusal('forbidden') : 'pass')
    await b.sync.sync()
    expect(await b.tokens('n4')).toEqual(['a'])
    expect((await b.sync.rejections.list()).map(({ code }) => code)).toContain('forbidden')
  })

  test('a token that saw nothing may see everything: -> what was there all the time arrives', async () => {
    await server.close()
    let sees = true
    const policy = { otherCollections: { read: () => sees }, scope: () => `sees ${sees}` }
    server = new RealServer({}, policy)
    const a = await device()
    await a.addToken('n1', 'a')
    await syncAll(a)
    sees = false
    const b = await device()
    await syncAll(b)
    expect(await b.contents()).toEqual(new Map())
    sees = true
    const events: string[] = []
    b.sync.on('resync', ({ phase, reason }) => events.push(`${phase} ${reason}`))
    await syncAll(b)
    expect(events).toEqual(['began scope', 'ended scope'])
    expect(await b.tokens('n1')).toEqual(['a'])
  })
})
