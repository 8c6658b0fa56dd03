/** Told again and again that there is more, and given nothing: the client asks less and less often. */
import {
  decodePullRequest,
  encodePullResponse,
  PULL_PATH,
  type PullRequest,
  type PullResponse,
} from '@entidb/protocol'
import { describe, expect, test } from 'vitest'
import { ManualTimers, settle } from './test-kit/manual-timers.test-kit.ts'
import { cborAnswer, ModelServer } from './test-kit/model-server.test-kit.ts'
import { expectConverged, openDevice } from './test-kit/pair.test-kit.ts'

/** Answers a pull in the server's place; undefined: the server does. */
type MakePage = (request: PullRequest) => PullResponse | undefined

/** A started device with timers of its own, and somebody between it and the server who makes pages. */
async function startedDevice(server: ModelServer) {
  const between: { pageFor: MakePage } = { pageFor: () => undefined }
  server.fault = ({ path, body }) => {
    const page = path === PULL_PATH ? between.pageFor(decodePullRequest(body)) : undefined
    return page === undefined ? 'pass' : cborAnswer(encodePullResponse(page))
  }
  const timers = new ManualTimers()
  const environment = { timers, random: () => 0.999999999, now: () => timers.nowMs }
  const device = await openDevice(server, { stream: true, environment })
  await device.sync.start()
  await settle()
  await device.addToken('own', 'x')
  await settle()
  return { device, timers, between }
}

async function requestsOf(server: ModelServer, work: () => Promise<unknown>): Promise<number> {
  const before = server.requests.length
  await work()
  await settle()
  return server.requests.length - before
}

describe('a stream that names heads which the server does not serve', () => {
  /** For `ms`, each 20 ms another one. */
  async function mislead(server: ModelServer, timers: ManualTimers, ms: number): Promise<void> {
    for (let i = 0; i < ms / 20; i++) {
      server.announce(server.database.head + 1000 + i)
      await timers.advance(20)
    }
  }

  test('the first one -> pulled at once; the others -> less and less often', async () => {
    const server = new ModelServer()
    const { device, timers } = await startedDevice(server)
    const first = await requestsOf(server, async () => server.announce(server.database.head + 999))
    expect(first).toBe(1)
    expect(await requestsOf(server, () => mislead(server, timers, 60_000))).toBeLessThan(12)
    expect(device.sync.status).toMatchObject({ phase: 'idle', lastError: null })
  })

  test('meanwhile -> a commit is pushed at once, and so is a poll and sync()', async () => {
    const server = new ModelServer()
    const { device, timers } = await startedDevice(server)
    await mislead(server, timers, 30_000)
    await device.addToken('own', 'y')
    await settle()
    expect(device.sync.stateOf('notes', 'own')).toBe('synced')
    expect(await requestsOf(server, () => device.sync.sync())).toBe(2)
    await expectConverged(server, device)
  })

  test('then heads that it serves -> pulled after one pause, and from then on at once', async () => {
    const server = new ModelServer()
    const { device, timers } = await startedDevice(server)
    const other = await openDevice(server)
    await mislead(server, timers, 5_000)
    await other.addToken('theirs', 'x')
    await other.sync.sync()
    await timers.advance(10_000)
    expect(await device.tokens('theirs')).toEqual(['x'])
    for (const token of ['y', 'z']) {
      await other.addToken('theirs', token)
      await other.sync.sync()
      await settle()
      expect(await device.tokens('theirs')).toContain(token)
    }
  })

  test('stopped -> no timer is left', async () => {
    const server = new ModelServer()
    const { device, timers } = await startedDevice(server)
    await mislead(server, timers, 1_000)
    await device.sync.stop()
    await settle()
    expect(timers.waiting).toEqual([])
  })
})

describe('pages that say there is more and bring nothing', () => {
  const leadsOnBy =
    (step: number): MakePage =>
    ({ sinceCursor }) => {
      const nextCursor = sinceCursor + step
      return { ops: [], nextCursor, hasMore: true, head: nextCursor + 1_000_000 }
    }

  test('and lead on by one -> given up after some, and asked for less and less often', async () => {
    const server = new ModelServer()
    const { device, timers, between } = await startedDevice(server)
    between.pageFor = leadsOnBy(1)
    await expect(device.sync.sync()).rejects.toMatchObject({ code: 'invalid_response' })
    expect(await requestsOf(server, () => timers.advance(60_000))).toBeLessThan(250)
    expect(device.sync.status).toMatchObject({ phase: 'backingOff' })
    expect(device.sync.status.lastError).toMatchObject({ code: 'invalid_response', retry: 'later' })
    expect(await requestsOf(server, () => timers.advance(600_000))).toBeLessThan(60)
  })

  test('and lead nowhere -> invalid_response, each time', async () => {
    const server = new ModelServer()
    const { device, timers, between } = await startedDevice(server)
    between.pageFor = leadsOnBy(0)
    await expect(device.sync.sync()).rejects.toMatchObject({ code: 'invalid_response' })
    expect(await requestsOf(server, () => timers.advance(60_000))).toBeLessThan(20)
  })

  test('as a server does that hides what it looked at -> all pulled in one cycle', async () => {
    const server = new ModelServer()
    const { device, between } = await startedDevice(server)
    let pages = 0
    between.pageFor = (request) => {
      pages += 1
      if (pages <= 1_000) return leadsOnBy(1_000)(request)
      return { ops: [], nextCursor: request.sinceCursor, hasMore: false }
    }
    await device.sync.sync()
    expect(pages).toBe(1_001)
  })

  test('of a snapshot, round in a circle -> given up', async () => {
    const server = new ModelServer()
    const other = await openDevice(server)
    await other.addToken('theirs', 'x')
    await other.sync.sync()
    const { ops } = server.database.pull({ dbId: 'test', sinceCursor: 0 })
    const through = server.database.head
    server.fault = ({ path, body }) => {
      if (path !== PULL_PATH) return 'pass'
      const after = decodePullRequest(body).snapshot?.after === 'a' ? 'b' : 'a'
      const page = { ops, nextCursor: 0, hasMore: true, snapshot: { through, after } }
      return cborAnswer(encodePullResponse(page))
    }
    const device = await openDevice(server)
    await expect(device.sync.sync()).rejects.toMatchObject({ code: 'invalid_response' })
    expect(await device.tokens('theirs')).toEqual(['x'])
  })
})
