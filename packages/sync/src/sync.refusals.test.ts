/** A server, or something in front of it, that answers one kind of request with the same refusal again and again. */
import {
  decodePushRequest,
  encodeErrorResponse,
  HANDSHAKE_PATH,
  MEDIA_TYPE,
  PULL_PATH,
  PUSH_PATH,
} from '@entidb/protocol'
import { describe, expect, test } from 'vitest'
import type { SyncConfig } from './config.ts'
import type { FetchResponse } from './environment.ts'
import { isWorking } from './machine/cycle-machine.ts'
import { type Device, syncAll } from './test-kit/device.test-kit.ts'
import { ManualTimers, settle } from './test-kit/manual-timers.test-kit.ts'
import { type Fault, ModelServer } from './test-kit/model-server.test-kit.ts'
import { expectConverged, openDevice } from './test-kit/pair.test-kit.ts'

const REFUSALS = [
  [400, 'invalid_request'],
  [401, 'unauthenticated'],
  [403, 'forbidden'],
  [404, 'unknown_database'],
  [409, 'op_id_reused'],
  [409, 'device_conflict'],
  [409, 'epoch_mismatch'],
  [410, 'cursor_expired'],
  [413, 'too_large'],
  [422, 'cursor_ahead'],
  [429, 'rate_limited'],
  [500, 'internal'],
  [503, 'unavailable'],
] as const

/** In 20 seconds with full jitter at half of its ceiling: seven cycles at most, each of a few rounds. */
const REQUESTS_MAX = 160
/** More than that, and the world stops, so that a test of an endless loop ends. */
const ANSWERS_MAX = 500

function refusal([status, code]: (typeof REFUSALS)[number]): Response {
  const body = encodeErrorResponse({ code, message: code, details: { lastOpId: 50 } })
  const headers = { 'content-type': MEDIA_TYPE }
  return new Response(body as Uint8Array<ArrayBuffer>, { status, headers })
}

const CASES = [HANDSHAKE_PATH, PULL_PATH, PUSH_PATH].flatMap((path) =>
  REFUSALS.map((refused) => [path, refused[1], refused] as const),
)

describe('refused again and again', () => {
  test.each(CASES)('%s, %s: -> comes to rest between tries; nothing is lost', async (...args) => {
    const [path, , refused] = args
    const server = new ModelServer()
    const timers = new ManualTimers()
    const environment = { timers, random: () => 0.5, now: () => timers.nowMs }
    const authTokenProvider = (): string => server.token
    const config = { stream: true, environment, authTokenProvider }
    const [a, b] = [
      await openDevice(server, config),
      await openDevice(server, { authTokenProvider }),
    ]
    await a.addToken('n1', 'one')
    await a.sync.sync()
    await a.sync.start()
    await settle()
    let answers = 0
    server.fault = (request) => {
      if (request.path !== path) return 'pass'
      answers += 1
      return answers > ANSWERS_MAX ? new Promise<Fault>(() => {}) : refusal(refused)
    }
    const before = server.requests.length
    for (const id of ['n1', 'n2', 'n3']) await a.addToken(id, 'two')
    const asked = a.sync.sync().catch((error: unknown) => error)
    await settle()
    for (let i = 0; i < 20; i++) await timers.advance(1_000)
    expect(server.requests.length - before).toBeLessThan(REQUESTS_MAX)
    expect(answers).toBeGreaterThan(0)
    expect(isWorking(a.sync.status.phase)).toBe(false)
    const outcome = await asked
    if (outcome instanceof Error) expect(outcome).toMatchObject({ code: expect.any(String) })
    server.fault = () => 'pass'
    server.token = 'another'
    if (a.sync.status.phase === 'blocked') await a.sync.renameDevice('another')
    await timers.advance(60_000)
    // What a refusal set aside goes out with the next edit.
    for (const id of ['n1', 'n2', 'n3']) await a.addToken(id, 'three')
    await timers.advance(120_000)
    await syncAll(a, b)
    for (const id of ['n1', 'n2', 'n3']) expect(await b.tokens(id)).toContain('two')
    await expectConverged(server, a, b)
  })
})

describe('an answer to a push that is too long', () => {
  /** Whatever the request; not one that is held in memory. */
  function endless(): Response {
    const chunk = new Uint8Array(8 * 1024 * 1024)
    const body = new ReadableStream({ pull: (controller) => controller.enqueue(chunk) })
    return new Response(body, { headers: { 'content-type': MEDIA_TYPE } })
  }

  test('of several groups: -> fewer at a time, until they are answered', async () => {
    const server = new ModelServer()
    const a = await openDevice(server)
    for (const id of ['n1', 'n2', 'n3', 'n4']) await a.addToken(id, 'one')
    server.fault = ({ path, body }): Fault => {
      if (path !== PUSH_PATH) return 'pass'
      return decodePushRequest(body).ops.length > 1 ? endless() : 'pass'
    }
    await a.sync.sync()
    await expectConverged(server, a)
    expect(server.database.live().size).toBe(4)
  })

  test('of a group alone: -> held, and pulling goes on; edited, it is sent again', async () => {
    const server = new ModelServer()
    const [a, b] = [await openDevice(server), await openDevice(server)]
    await b.addToken('n2', 'theirs')
    await syncAll(b)
    await a.addToken('n1', 'one')
    server.fault = ({ path }): Fault => (path === PUSH_PATH ? endless() : 'pass')
    expect(await a.sync.sync()).toMatchObject({ pushed: 0, rejected: 1 })
    expect(await a.tokens('n2')).toEqual(['theirs'])
    const [rejection] = await a.sync.rejections.list()
    expect(rejection).toMatchObject({ code: 'too_large', outcomeUnknown: true, entityId: 'n1' })
    server.fault = () => 'pass'
    await a.addToken('n1', 'two')
    await syncAll(a, b)
    await expectConverged(server, a, b)
    expect(await b.tokens('n1')).toEqual(['one', 'two'])
  })
})

describe('an edit that was given up while it was under way, and is refused', () => {
  /** `n1` is under way, given up together with a rejected group, and refused with `code`; `edit` runs before the answer. */
  async function givenUp(code: 'too_large' | 'forbidden', edit = async (_a: Device) => {}) {
    const policy = ({ entityId }: { readonly entityId: string }) =>
      entityId === 'bad' ? { code: 'no', message: 'no' } : undefined
    const server = new ModelServer({ policy })
    const a = await openDevice(server)
    await a.addToken('bad', 'refused')
    await a.sync.sync()
    const receipt = await a.db.collection('notes').put({ id: 'n1', tokens: ['under way'] })
    server.fault = async ({ path }): Promise<Fault> => {
      if (path !== PUSH_PATH) return 'pass'
      server.fault = () => 'pass'
      await a.db.collection('notes').putMany([
        { id: 'bad', tokens: ['tie'] },
        { id: 'n1', tokens: ['tie'] },
      ])
      const [rejection] = await a.sync.rejections.list()
      await a.sync.rejections.discard(rejection?.id ?? '')
      await edit(a)
      return refusal(code === 'too_large' ? [413, code] : [403, code])
    }
    await a.sync.sync()
    return { server, a, receipt }
  }

  test('nothing else: -> not called committed', async () => {
    const { server, a, receipt } = await givenUp('too_large')
    expect(await a.sync.settled(receipt)).toMatchObject({ fate: 'rejected', how: 'too_large' })
    const ids = (await a.sync.ledger.list()).map(({ id }) => id)
    expect(ids).toContain(String(receipt.opIds[0]))
    await expectConverged(server, a)
  })

  test('the outcome is unknown: -> given up', async () => {
    const { a, receipt } = await givenUp('forbidden')
    expect(await a.sync.settled(receipt)).toMatchObject({ fate: 'conflict', how: 'takeRemote' })
  })

  test('the entity was edited since: -> that is no edit that was refused; it is sent', async () => {
    const { server, a } = await givenUp('too_large', (device) => device.addToken('n1', 'since'))
    expect(await a.sync.rejections.list()).toEqual([])
    await syncAll(a)
    expect([...server.database.live().keys()]).toEqual(['notes/n1'])
    expect(await a.tokens('n1')).toEqual(['since'])
    await expectConverged(server, a)
  })
})

describe('a slow link', () => {
  const large = 'x'.repeat(100_000)

  async function slowDevice(server: ModelServer, config: Partial<SyncConfig> = {}) {
    const timers = new ManualTimers()
    const environment = { timers, random: () => 0.5, now: () => timers.nowMs }
    return { timers, device: await openDevice(server, { environment, ...config }) }
  }

  test('up: a batch that does not go through in time -> less at a time, until it does', async () => {
    const server = new ModelServer()
    const { timers, device } = await slowDevice(server)
    for (let i = 0; i < 8; i++) await device.addToken(`n${i}`, large)
    server.fault = ({ body }): Fault | Promise<Fault> =>
      body.length > 250_000 ? new Promise(() => {}) : 'pass'
    await device.sync.start()
    for (let i = 0; i < 10; i++) await timers.advance(60_000)
    await expectConverged(server, device)
    expect(await device.sync.rejections.list()).toEqual([])
  })

  test('up: small requests that nobody answers -> stay as they are', async () => {
    const server = new ModelServer()
    const { timers, device } = await slowDevice(server)
    for (let i = 0; i < 8; i++) await device.addToken(`n${i}`, 'one')
    server.fault = ({ path }) => (path === PUSH_PATH ? new Promise(() => {}) : 'pass')
    await device.sync.start()
    for (let i = 0; i < 10; i++) await timers.advance(60_000)
    const sizes: number[] = []
    server.fault = ({ path, body }) => {
      if (path === PUSH_PATH) sizes.push(decodePushRequest(body).ops.length)
      return 'pass'
    }
    await device.sync.sync()
    expect(sizes).toEqual([8])
  })

  test('down: a page that takes longer than a request may -> arrives, as long as bytes do', async () => {
    const server = new ModelServer()
    const other = await openDevice(server)
    for (let i = 0; i < 8; i++) await other.addToken(`n${i}`, large)
    await syncAll(other)
    let wait: () => Promise<void> = async () => {}
    const { timers, device } = await slowDevice(server, {
      requestTimeoutMs: 20_000,
      fetch: async (url, init) => inPieces(await server.fetch(url, init), () => wait()),
    })
    wait = () => new Promise((resolve) => void timers.after(10_000, resolve))
    await device.sync.start()
    for (let i = 0; i < 40; i++) await timers.advance(10_000)
    expect(device.errors).toEqual([])
    await expectConverged(server, device)
  })

  /** The answer in pieces of 100,000 bytes; `wait` is awaited before each. */
  async function inPieces(answer: FetchResponse, wait: () => Promise<void>): Promise<Response> {
    const response = answer as Response // as the model makes them
    const bytes = new Uint8Array(await response.arrayBuffer())
    let at = 0
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await wait()
        controller.enqueue(bytes.subarray(at, at + 100_000))
        at += 100_000
        if (at >= bytes.length) controller.close()
      },
    })
    return new Response(body, { status: response.status, headers: response.headers })
  }
})

test('an entity that fits no request, of a server that says so -> not told committed before it is refused', async () => {
  const server = new ModelServer({ limits: { maxBodyBytes: 2_000, maxEntityBytes: 10_000 } })
  const device = await openDevice(server)
  await device.sync.sync()
  const receipt = await device.db.collection('notes').put({ id: 'n1', tokens: ['x'.repeat(3_000)] })
  const settled = device.sync.settled(receipt)
  await device.addToken('n2', 'y')
  await device.sync.sync()
  expect(await settled).toMatchObject({ fate: 'rejected', how: 'too_large' })
  expect(await device.sync.ledger.list({ fate: 'rejected' })).toHaveLength(1)
  expect(device.sync.stateOf('notes', 'n2')).toBe('synced')
})
