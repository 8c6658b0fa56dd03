/** Told again and again that there is more, and given nothing: the client asks less and less often. */
import {
  decodePullRequest,
  encodePullResponse,
  PULL_PATH,
  type PullRequest,
  type PullResponse,
  STREAM_PATH,
} from '@entidb/protocol'
import { describe, expect, test } from 'vitest'
import type { SyncConfig } from './config.ts'
import type { FetchLike } from './environment.ts'
import { ManualTimers, settle } from './test-kit/manual-timers.test-kit.ts'
import { cborAnswer, ModelServer, refusal } from './test-kit/model-server.test-kit.ts'
import { expectConverged, openDevice } from './test-kit/pair.test-kit.ts'

/** Answers a pull in the server's place; undefined: the server does. */
type MakePage = (request: PullRequest) => PullResponse | undefined

/** A started device with timers of its own, and somebody between it and the server who makes pages. */
async function startedDevice(server: ModelServer, config: Partial<SyncConfig> = {}) {
  const between: { pageFor: MakePage } = { pageFor: () => undefined }
  server.fault = ({ path, body }) => {
    const page = path === PULL_PATH ? between.pageFor(decodePullRequest(body)) : undefined
    return page === undefined ? 'pass' : cborAnswer(encodePullResponse(page))
  }
  const timers = new ManualTimers()
  const environment = {
    timers,
    random: () => 0.999999999,
    now: () => timers.nowMs,
    ...config.environment,
  }
  const device = await openDevice(server, { ...config, stream: true, environment })
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

describe('streams that end at once, again and again', () => {
  test.each([
    ['without a byte', ''],
    ['after a comment', ':\n\n'],
    ['after a head that the server does not have', 'event: cursor\ndata: 999999999999\n\n'],
    ['by something that is no event stream of ours', `data: ${'x'.repeat(100_000)}\n\n`],
    ['after a comment without end', `:${'x'.repeat(100_000)}\n\n`],
  ])('%s -> opened less and less often', async (_, text) => {
    const server = new ModelServer()
    let opened = 0
    const fetch: FetchLike = async (url, init) => {
      if (new URL(url).pathname !== STREAM_PATH) return server.fetch(url, init)
      opened += 1
      return new Response(text, { headers: { 'content-type': 'text/event-stream' } })
    }
    const { timers } = await startedDevice(server, { fetch })
    expect(await requestsOf(server, () => timers.advance(60_000))).toBeLessThan(20)
    expect(opened).toBeLessThan(10)
  })

  test('refused with a time to wait -> not opened before it is over', async () => {
    const server = new ModelServer()
    let opened = 0
    const fetch: FetchLike = async (url, init) => {
      if (new URL(url).pathname !== STREAM_PATH) return server.fetch(url, init)
      opened += 1
      return new Response(null, { status: 503, headers: { 'retry-after': '120' } })
    }
    const { timers } = await startedDevice(server, { fetch })
    await timers.advance(119_000)
    expect(opened).toBe(1)
    await timers.advance(2_000)
    expect(opened).toBe(2)
  })

  test('each lasted for a while -> opened again after a second', async () => {
    const server = new ModelServer()
    const { device, timers } = await startedDevice(server)
    const other = await openDevice(server)
    for (let i = 0; i < 10; i++) {
      await timers.advance(30_000)
      server.endStreams()
      await settle()
      await timers.advance(1_000)
      await other.addToken('theirs', `${i}`)
      await other.sync.sync()
      await settle()
      expect(await device.tokens('theirs')).toContain(`${i}`)
    }
  })
})

test('streams of which the first byte is kept back for long -> opened again after a second', async () => {
  const server = new ModelServer()
  const streams: ReadableStreamDefaultController<Uint8Array>[] = []
  const fetch: FetchLike = async (url, init) => {
    if (new URL(url).pathname !== STREAM_PATH) return server.fetch(url, init)
    const body = new ReadableStream<Uint8Array>({ start: (stream) => void streams.push(stream) })
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
  }
  const { timers } = await startedDevice(server, { fetch })
  for (let i = 1; i <= 10; i++) {
    expect(streams).toHaveLength(i)
    await timers.advance(15_000)
    streams.at(-1)?.enqueue(new TextEncoder().encode(':\n\n'))
    await settle()
    await timers.advance(30_000)
    streams.at(-1)?.close()
    await settle()
    await timers.advance(1_000)
  }
})

test('offline for long, then online -> the stream is opened at once', async () => {
  const server = new ModelServer()
  let isOffline = false
  let comeOnline = (): void => {}
  const fetch: FetchLike = async (url, init) => {
    if (isOffline) throw new TypeError('fetch failed')
    return server.fetch(url, init)
  }
  const onOnline = (listener: () => void) => {
    comeOnline = listener
    return () => {}
  }
  const { device, timers } = await startedDevice(server, { fetch, environment: { onOnline } })
  isOffline = true
  server.endStreams()
  await timers.advance(3_600_000)
  isOffline = false
  comeOnline()
  await settle()
  const other = await openDevice(server)
  await other.addToken('theirs', 'x')
  await other.sync.sync()
  await settle()
  expect(await device.tokens('theirs')).toEqual(['x'])
})

test('an epoch that is never the right one, with the same history each time -> asked for once a cycle', async () => {
  const server = new ModelServer()
  const { device, timers } = await startedDevice(server)
  server.fault = ({ path }) => (path === PULL_PATH ? refusal('epoch_mismatch') : 'pass')
  await expect(device.sync.sync()).rejects.toMatchObject({ code: 'epoch_mismatch' })
  expect(await requestsOf(server, () => timers.advance(60_000))).toBeLessThan(40)
  server.fault = () => 'pass'
  await device.sync.sync()
  await expectConverged(server, device)
})
