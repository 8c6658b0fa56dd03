import { memoryStorage } from '@entidb/core'
import { encodeEntity } from '@entidb/core/cbor'
import {
  decodeHandshakeResponse,
  decodePullResponse,
  decodePushResponse,
  encodeHandshakeRequest,
  encodePullRequest,
  encodeVerifyRequest,
} from '@entidb/protocol'
import { describe, expect, test } from 'vitest'
import {
  bytesOf,
  createTestHandler,
  errorOf,
  makeRequest,
  pushBody,
  type RequestParts,
} from './sync-app.test-kit.ts'

describe('a session', () => {
  test('handshake, push, pull, verify -> 200 in CBOR, never cached', async () => {
    const handler = createTestHandler()
    const greeted = await handler.fetch(makeRequest())
    expect([greeted.status, greeted.headers.get('content-type')]).toEqual([200, 'application/cbor'])
    expect(greeted.headers.get('cache-control')).toBe('no-store')
    const { serverCursor } = decodeHandshakeResponse(await bytesOf(greeted))
    const pushed = await handler.fetch(makeRequest({ path: '/v1/push', body: pushBody(2) }))
    const { committed, head } = decodePushResponse(await bytesOf(pushed))
    expect(committed).toEqual([
      { opId: 1, entityVersion: serverCursor + 1 },
      { opId: 2, entityVersion: serverCursor + 2 },
    ])
    const body = encodePullRequest({ dbId: 'shop', sinceCursor: serverCursor })
    const pulled = await handler.fetch(makeRequest({ path: '/v1/pull', body }))
    expect(decodePullResponse(await bytesOf(pulled))).toMatchObject({
      ops: [{ opId: 1 }, { opId: 2 }],
      nextCursor: head,
      hasMore: false,
    })
    const verify = encodeVerifyRequest({
      dbId: 'shop',
      cursor: head ?? 0,
      digest: new Uint8Array(32),
    })
    expect((await handler.fetch(makeRequest({ path: '/v1/verify', body: verify }))).status).toBe(
      200,
    )
    expect(await handler.stats('shop')).toMatchObject({ head, liveEntities: 2, devices: 1 })
    await handler.close()
  })
})

describe('checks in their order', () => {
  const cases: [string, number, string, RequestParts][] = [
    ['unknown path, no token', 404, 'not_found', { path: '/v1/nope', token: null }],
    ['path with a slash too many', 404, 'not_found', { path: '/v1/push/' }],
    ['no token, wrong method', 401, 'unauthenticated', { method: 'GET', token: null }],
    [
      'wrong token, body too large',
      401,
      'unauthenticated',
      { token: 'guess', body: new Uint8Array(99_999) },
    ],
    [
      'wrong scheme',
      401,
      'unauthenticated',
      { token: null, headers: { authorization: 'Basic x' } },
    ],
    [
      'wrong method, wrong type',
      405,
      'method_not_allowed',
      { method: 'PUT', headers: { 'content-type': 'a/b' } },
    ],
    ['JSON', 415, 'unsupported_media_type', { headers: { 'content-type': 'application/json' } }],
    ['no type', 415, 'unsupported_media_type', { headers: { 'content-type': null } }],
    ['only JSON accepted', 406, 'not_acceptable', { headers: { accept: 'application/json' } }],
    ['CBOR refused', 406, 'not_acceptable', { headers: { accept: 'application/cbor;q=0, */*' } }],
    ['brotli', 415, 'unsupported_media_type', { headers: { 'content-encoding': 'br' } }],
    [
      'two encodings',
      415,
      'unsupported_media_type',
      { headers: { 'content-encoding': 'gzip, gzip' } },
    ],
    ['body too large', 413, 'too_large', { body: new Uint8Array(70_000) }],
    ['no body', 400, 'invalid_request', { body: null }],
    ['not CBOR', 400, 'invalid_request', { body: Uint8Array.of(0xff) }],
    ['not gzip', 400, 'invalid_request', { headers: { 'content-encoding': 'gzip' } }],
  ]

  test.each(cases)('%s -> %i %s', async (_, status, code, parts) => {
    const handler = createTestHandler({ limits: { maxBodyBytes: 65_536, maxEntityBytes: 1_000 } })
    const response = await handler.fetch(makeRequest(parts))
    expect(response.headers.get('content-type')).toBe('application/cbor')
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(await errorOf(response)).toMatchObject({ status, code })
  })

  test('401 -> WWW-Authenticate and one body for every reason', async () => {
    const handler = createTestHandler()
    const missing = await handler.fetch(makeRequest({ token: null }))
    const wrong = await handler.fetch(makeRequest({ token: 'guess' }))
    expect(missing.headers.get('www-authenticate')).toMatch(/^Bearer/)
    expect(await bytesOf(missing)).toEqual(await bytesOf(wrong))
  })

  test('405 -> Allow', async () => {
    const handler = createTestHandler()
    const post = await handler.fetch(makeRequest({ method: 'DELETE' }))
    expect(post.headers.get('allow')).toBe('POST')
    const get = await handler.fetch(makeRequest({ path: '/v1/stream?dbId=shop' }))
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'GET'])
  })

  test.each(['application/cbor; charset=x', 'Application/CBOR', ' application/cbor;v="1"'])(
    'Content-Type %s -> served',
    async (type) => {
      const handler = createTestHandler()
      const response = await handler.fetch(makeRequest({ headers: { 'content-type': type } }))
      expect(response.status).toBe(200)
    },
  )

  test.each(['*/*', 'application/*', 'text/html, application/cbor;q=0.1', ''])(
    'Accept %s -> served',
    async (accept) => {
      const handler = createTestHandler()
      expect((await handler.fetch(makeRequest({ headers: { accept } }))).status).toBe(200)
    },
  )

  test('healthz and readyz -> no token needed; readyz is 503 once closing, and requests are refused', async () => {
    const handler = createTestHandler()
    const get = (path: string) => handler.fetch(makeRequest({ path, method: 'GET', token: null }))
    expect((await get('/healthz')).status).toBe(200)
    expect((await get('/readyz')).status).toBe(200)
    handler.beginClosing()
    expect((await get('/healthz')).status).toBe(200)
    expect((await get('/readyz')).status).toBe(503)
    const refused = await handler.fetch(makeRequest())
    expect(refused.headers.get('retry-after')).toBe('5')
    expect(await errorOf(refused)).toMatchObject({ status: 503, code: 'unavailable' })
  })
})

describe('web pages of other origins', () => {
  const origin = 'https://app.example.org'
  const preflight = (from: string): Request =>
    makeRequest({
      method: 'OPTIONS',
      token: null,
      body: null,
      headers: { origin: from, 'access-control-request-method': 'POST' },
    })

  test('a listed origin -> preflight passes without a token, answers and errors may be read', async () => {
    const handler = createTestHandler({ corsOrigins: [origin] })
    const allowed = await handler.fetch(preflight(origin))
    expect(allowed.status).toBe(204)
    expect(allowed.headers.get('access-control-allow-origin')).toBe(origin)
    expect(allowed.headers.get('access-control-allow-headers')).toContain('Authorization')
    for (const token of ['write', 'guess']) {
      const response = await handler.fetch(makeRequest({ token, headers: { origin } }))
      expect(response.headers.get('access-control-allow-origin')).toBe(origin)
      expect(response.headers.get('access-control-allow-credentials')).toBeNull()
    }
  })

  test('an origin that is not listed, or no list -> no header', async () => {
    const listed = createTestHandler({ corsOrigins: [origin] })
    const other = await listed.fetch(preflight('https://evil.example.org'))
    expect(other.headers.get('access-control-allow-origin')).toBeNull()
    const refused = await createTestHandler().fetch(preflight(origin))
    expect(refused.status).toBe(401)
  })
})

describe('metrics', () => {
  test('after some requests -> counted by path, status and fate, without names', async () => {
    const handler = createTestHandler()
    await handler.fetch(makeRequest({ path: '/v1/push', body: pushBody(2) }))
    await handler.fetch(makeRequest({ path: '/v1/push', token: null }))
    const response = await handler.fetch(
      makeRequest({ path: '/metrics', method: 'GET', token: null }),
    )
    const text = await response.text()
    expect(text).toContain('entidb_requests_total{path="/v1/push",status="200"} 1')
    expect(text).toContain('entidb_requests_total{path="/v1/push",status="401"} 1')
    expect(text).toContain('entidb_pushed_operations_total{fate="committed"} 2')
    expect(text).toContain('entidb_request_duration_seconds_count{path="/v1/push"} 2')
    expect(text).toContain('entidb_open_databases 1')
    expect(text).not.toContain('shop')
  })
})

describe('access', () => {
  const handshake = (dbId: string, deviceId = 'device-a') =>
    encodeHandshakeRequest({ dbId, deviceId })

  test('a database the token does not open -> forbidden', async () => {
    const handler = createTestHandler()
    const response = await handler.fetch(makeRequest({ token: 'shop', body: handshake('other') }))
    expect(await errorOf(response)).toMatchObject({ status: 403, code: 'forbidden' })
  })

  test('an unknown database -> forbidden; unknown_database for a token that names it', async () => {
    const handler = createTestHandler({ createDatabases: false })
    const under = async (token: string) =>
      errorOf(await handler.fetch(makeRequest({ token, body: handshake('shop') })))
    expect(await under('write')).toMatchObject({ status: 403, code: 'forbidden' })
    expect(await under('shop')).toMatchObject({ status: 404, code: 'unknown_database' })
  })

  test('an unknown database and a forbidden one under * -> the same body', async () => {
    const handler = createTestHandler({ createDatabases: false })
    const unknown = await handler.fetch(makeRequest({ body: handshake('nope') }))
    const forbidden = await handler.fetch(makeRequest({ token: 'shop', body: handshake('nope') }))
    expect(await bytesOf(unknown)).toEqual(await bytesOf(forbidden))
  })

  test('a read token -> creates no database, and may not push', async () => {
    const handler = createTestHandler()
    const early = await handler.fetch(makeRequest({ token: 'read' }))
    expect((await errorOf(early)).code).toBe('forbidden')
    await handler.fetch(makeRequest())
    expect((await handler.fetch(makeRequest({ token: 'read' }))).status).toBe(200)
    const push = makeRequest({ token: 'read', path: '/v1/push', body: pushBody(1) })
    expect((await errorOf(await handler.fetch(push))).code).toBe('forbidden')
  })

  test('a read token and a write token at once on a new database -> the writer creates it', async () => {
    const handler = createTestHandler()
    const [read, write] = await Promise.all([
      handler.fetch(makeRequest({ token: 'read' })),
      handler.fetch(makeRequest()),
    ])
    expect([read.status, write.status]).toEqual([403, 200])
  })

  test('a token bound to a device -> no other device', async () => {
    const handler = createTestHandler()
    const other = await handler.fetch(makeRequest({ token: 'bound' }))
    expect((await errorOf(other)).code).toBe('forbidden')
    const own = makeRequest({ token: 'bound', body: handshake('shop', 'till') })
    expect((await handler.fetch(own)).status).toBe(200)
    const body = encodePullRequest({ dbId: 'shop', sinceCursor: 0, deviceId: 'device-a' })
    const pull = await handler.fetch(makeRequest({ token: 'bound', path: '/v1/pull', body }))
    expect((await errorOf(pull)).code).toBe('forbidden')
  })

  test.each(['../x', '.hidden', 'a/b', '%2e%2e', 'a\u0000', 'x'.repeat(129), '', 'ü'])(
    'dbId %j -> invalid_request, no storage is asked for',
    async (dbId) => {
      const asked: string[] = []
      const handler = createTestHandler({
        storage: (id) => {
          asked.push(id)
          return memoryStorage()
        },
      })
      // The encoder refuses such ids: spell the map by hand.
      const body = encodeEntity({ dbId, deviceId: 'device-a' })
      const response = await handler.fetch(makeRequest({ body }))
      expect(await errorOf(response)).toMatchObject({ status: 400, code: 'invalid_request' })
      const path = `/v1/stream?dbId=${encodeURIComponent(dbId)}`
      const stream = await handler.fetch(makeRequest({ path, method: 'GET' }))
      expect(stream.status).toBe(400)
      expect(asked).toEqual([])
    },
  )

  test('a failure nobody expected -> internal without a word of it', async () => {
    const handler = createTestHandler({
      storage: () => {
        throw new Error('secret path /data/x')
      },
    })
    const error = await errorOf(await handler.fetch(makeRequest()))
    expect(error).toMatchObject({ status: 500, code: 'internal' })
    expect(error.message).not.toContain('secret')
  })
})

describe('stream', () => {
  const open = (handler: ReturnType<typeof createTestHandler>, parts: RequestParts = {}) =>
    handler.fetch(makeRequest({ path: '/v1/stream?dbId=shop', method: 'GET', ...parts }))

  test('connect and push -> the head at once and after the commit; closing ends it', async () => {
    const handler = createTestHandler()
    const response = await open(handler)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    expect(response.headers.get('content-encoding')).toBeNull()
    const reader = response.body?.getReader()
    const read = async () => Buffer.from((await reader?.read())?.value ?? []).toString()
    const { head } = await handler.stats('shop')
    expect(await read()).toContain(`event: cursor\nid: ${head}\ndata: ${head}\n\n`)
    await handler.fetch(makeRequest({ path: '/v1/push', body: pushBody(1) }))
    expect(await read()).toBe(`event: cursor\nid: ${head + 1}\ndata: ${head + 1}\n\n`)
    await handler.close()
    expect((await reader?.read())?.done).toBe(true)
  })

  test.each([
    ['no dbId', '/v1/stream'],
    ['two dbIds', '/v1/stream?dbId=shop&dbId=shop'],
  ])('%s -> invalid_request', async (_, path) => {
    const response = await open(createTestHandler(), { path })
    expect(await errorOf(response)).toMatchObject({ status: 400, code: 'invalid_request' })
  })

  test('Accept without event streams -> not_acceptable', async () => {
    const response = await open(createTestHandler(), { headers: { accept: 'application/cbor' } })
    expect((await errorOf(response)).code).toBe('not_acceptable')
  })

  test('too many of one subject -> rate_limited until one is given up', async () => {
    const handler = createTestHandler({ limits: { maxStreamsPerSubject: 2 } })
    const first = await open(handler)
    await open(handler)
    const refused = await open(handler)
    expect(refused.headers.get('retry-after')).not.toBeNull()
    expect(await errorOf(refused)).toMatchObject({ status: 429, code: 'rate_limited' })
    await first.body?.cancel()
    expect((await open(handler)).status).toBe(200)
    await handler.close()
  })

  test('a database the token does not open -> forbidden, and no slot is lost', async () => {
    const handler = createTestHandler({ limits: { maxStreamsPerSubject: 1 } })
    const parts = { token: 'shop', path: '/v1/stream?dbId=other' }
    for (let i = 0; i < 3; i++) {
      expect((await errorOf(await open(handler, parts))).code).toBe('forbidden')
    }
    expect((await open(handler, { token: 'shop' })).status).toBe(200)
    await handler.close()
  })
})
