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
import { isWorking } from './machine/cycle-machine.ts'
import { syncAll } from './test-kit/device.test-kit.ts'
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
    await a.sync.sync()
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
