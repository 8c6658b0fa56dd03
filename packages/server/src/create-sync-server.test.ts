import { once } from 'node:events'
import type { ClientHttp2Session } from 'node:http2'
import { memoryStorage } from '@entidb/core'
import { encodeEntity } from '@entidb/core/cbor'
import {
  decodeErrorResponse,
  decodeHandshakeResponse,
  decodePullResponse,
  encodeHandshakeRequest,
  encodePullRequest,
  encodePushRequest,
  type SyncOperation,
} from '@entidb/protocol'
import { Agent, fetch } from 'undici'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { staticTokens } from './auth/static-tokens.ts'
import {
  type Certificate,
  createCertificate,
  minimal,
  openSession,
  openSocket,
  readToEnd,
  readUntil,
  requestHttp2,
  startServer,
} from './create-sync-server.test-kit.ts'
import { createSyncServer, type SyncServer, type SyncServerOptions } from './create-sync-server.ts'
import { type Logger, silentLogger } from './logger.ts'

const handshake = encodeHandshakeRequest({ dbId: 'shop', deviceId: 'device-a' })
const push = (opId: number): Uint8Array =>
  encodePushRequest({
    dbId: 'shop',
    deviceId: 'device-a',
    ops: [
      {
        opId,
        dbId: 'shop',
        deviceId: 'device-a',
        collection: 'items',
        entityId: `e${opId}`,
        opType: 'PUT',
        entityVersion: 0,
        entityCbor: encodeEntity({ id: `e${opId}` }),
      },
    ],
  })

/** Almost a megabyte. */
function largePut(opId: number): SyncOperation {
  const entityId = `e${opId}`
  return {
    opId,
    dbId: 'shop',
    deviceId: 'device-a',
    collection: 'items',
    entityId,
    opType: 'PUT',
    entityVersion: 0,
    entityCbor: encodeEntity({ id: entityId, text: 'x'.repeat(1_000_000) }),
  }
}

let certificate: Certificate
let dispatcher: Agent
let servers: SyncServer[]

beforeAll(async () => {
  certificate = await createCertificate()
})

beforeEach(() => {
  servers = []
  dispatcher = new Agent({ connect: { ca: certificate.cert } })
})

afterEach(async () => {
  await dispatcher.destroy()
  await Promise.all(servers.map((server) => server.close()))
})

async function start(options: Partial<SyncServerOptions> = {}): Promise<SyncServer> {
  const server = await startServer(certificate, options)
  servers.push(server)
  return server
}

function post(server: SyncServer, path: string, body: Uint8Array, ca: Agent = dispatcher) {
  return fetch(new URL(path, server.url), {
    method: 'POST',
    headers: { authorization: 'Bearer token', 'content-type': 'application/cbor' },
    body,
    dispatcher: ca,
  })
}

const elapsedMs = async (work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now()
  await work()
  return performance.now() - start
}

describe('over TLS', () => {
  test('HTTP/1.1: handshake -> 200', async () => {
    const server = await start()
    expect(server.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
    const response = await post(server, '/v1/handshake', handshake)
    expect(response.status).toBe(200)
    const body = new Uint8Array(await response.arrayBuffer())
    expect(decodeHandshakeResponse(body).capabilities.push).toBe(true)
  })

  test('HTTP/2: many requests on one connection -> 200 each', async () => {
    const server = await start()
    const session = await openSession(server, certificate)
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => requestHttp2(session, {}, handshake)),
    )
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
    session.close()
  })

  test('HTTP/2: a body over the limit -> 413 arrives, and the connection goes on', async () => {
    const server = await start({ limits: { maxBodyBytes: 10_000, maxEntityBytes: 1_000 } })
    const session = await openSession(server, certificate)
    const refused = await requestHttp2(session, {}, new Uint8Array(1_000_000))
    expect(refused.status).toBe(413)
    expect(decodeErrorResponse(refused.body)).toMatchObject({ code: 'too_large' })
    expect((await requestHttp2(session, {}, handshake)).status).toBe(200)
    session.close()
  })

  test('HTTP/2: pages of megabytes at once on one connection -> all arrive whole', async () => {
    const server = await start()
    const session = await openSession(server, certificate)
    const ops = Array.from({ length: 6 }, (_, i) => largePut(i + 1))
    const body = encodePushRequest({ dbId: 'shop', deviceId: 'device-a', ops })
    expect((await requestHttp2(session, { ':path': '/v1/push' }, body)).status).toBe(200)
    const pull = encodePullRequest({ dbId: 'shop', sinceCursor: 0 })
    const pages = await Promise.all(
      Array.from({ length: 8 }, () => requestHttp2(session, { ':path': '/v1/pull' }, pull)),
    )
    for (const page of pages) expect(decodePullResponse(page.body).ops).toHaveLength(4)
    session.close()
  })

  test.each([
    ['with its length', (body: Uint8Array) => body],
    [
      'in chunks',
      async function* (body: Uint8Array) {
        for (let at = 0; at < body.length; at += 65_536) yield body.subarray(at, at + 65_536)
      },
    ],
  ])('HTTP/1.1: a body over the limit %s -> 413 is read by the client', async (_, send) => {
    const server = await start({ limits: { maxBodyBytes: 10_000, maxEntityBytes: 1_000 } })
    const response = await fetch(new URL('/v1/push', server.url), {
      method: 'POST',
      headers: { authorization: 'Bearer token', 'content-type': 'application/cbor' },
      body: send(new Uint8Array(3_000_000)),
      duplex: 'half',
      dispatcher,
    })
    expect(response.status).toBe(413)
    const body = new Uint8Array(await response.arrayBuffer())
    expect(decodeErrorResponse(body)).toMatchObject({ code: 'too_large' })
    expect((await post(server, '/v1/handshake', handshake)).status).toBe(200)
  })

  test('HTTP/1.1: many requests before an answer is read -> one at a time, answered in order', async () => {
    let underWay = 0
    let most = 0
    const tokens = staticTokens({ token: { subject: 'ada', databases: '*', access: 'write' } })
    const server = await start({
      auth: {
        authenticate: async (token) => {
          most = Math.max(most, ++underWay)
          await new Promise((resolve) => setTimeout(resolve, 5))
          underWay--
          return tokens.authenticate(token)
        },
      },
    })
    const socket = await openSocket(server, certificate)
    const head = (path: string) =>
      `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer token\r\nContent-Type: application/cbor\r\nContent-Length: 3\r\n`
    for (const path of ['/v1/pull', '/v1/none', '/v1/push']) socket.write(`${head(path)}\r\nabc`)
    socket.write(`${head('/v1/verify')}Connection: close\r\n\r\nabc`)
    const answers = await readToEnd(socket)
    expect(answers.match(/HTTP\/1.1 \d+/g)).toEqual(
      [400, 404, 400, 400].map((status) => `HTTP/1.1 ${status}`),
    )
    expect(most).toBe(1)
  })

  test('HTTP/1.1: no token and a large body -> 401 is read by the client', async () => {
    const server = await start()
    const response = await fetch(new URL('/v1/push', server.url), {
      method: 'POST',
      headers: { 'content-type': 'application/cbor' },
      body: new Uint8Array(3_000_000),
      dispatcher,
    })
    expect(response.status).toBe(401)
  })

  test.each([
    [
      'both length and chunks',
      'POST /v1/push HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      '400',
    ],
    [
      'two lengths',
      'POST /v1/push HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd',
      '400',
    ],
    [
      'a header too large',
      `GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(9000)}\r\n\r\n`,
      '431',
    ],
  ])('HTTP/1.1: %s -> refused', async (_, text, status) => {
    const socket = await openSocket(await start(), certificate)
    socket.write(text)
    expect(await readToEnd(socket)).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  })

  test('two Authorization headers -> 401', async () => {
    const socket = await openSocket(await start(), certificate)
    socket.write(
      'POST /v1/push HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer token\r\nAuthorization: Bearer token\r\nContent-Length: 0\r\n\r\n',
    )
    expect(await readToEnd(socket)).toMatch(/^HTTP\/1.1 401 /)
  })

  test('plain HTTP to the TLS port, and garbage -> closed, the server goes on', async () => {
    const server = await start()
    await expect(fetch(server.url.replace('https', 'http'), { dispatcher })).rejects.toThrow()
    expect((await post(server, '/v1/handshake', handshake)).status).toBe(200)
  })
})

describe('event stream over TLS', () => {
  test('HTTP/1.1: head on connect and after a push; no hop-by-hop headers of ours', async () => {
    const server = await start()
    await post(server, '/v1/handshake', handshake)
    const response = await fetch(new URL('/v1/stream?dbId=shop', server.url), {
      headers: { authorization: 'Bearer token', accept: 'text/event-stream' },
      dispatcher,
    })
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const reader = response.body?.getReader()
    const { head } = await server.stats('shop')
    expect(await readUntil(reader, `data: ${head}\n\n`)).toContain('retry: 1000')
    await post(server, '/v1/push', push(1))
    expect(await readUntil(reader, `data: ${head + 1}\n\n`)).toContain('event: cursor')
    await reader?.cancel()
  })

  test('HTTP/2: the same, beside requests on the same connection', async () => {
    const server = await start()
    const session = await openSession(server, certificate)
    await requestHttp2(session, {}, handshake)
    const stream = session.request({
      ':path': '/v1/stream?dbId=shop',
      authorization: 'Bearer token',
    })
    const { head } = await server.stats('shop')
    let text = ''
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    await expect.poll(() => text).toContain(`data: ${head}\n\n`)
    await requestHttp2(session, { ':path': '/v1/push' }, push(1))
    await expect.poll(() => text).toContain(`data: ${head + 1}\n\n`)
    stream.close()
    session.close()
  })
})

describe('clients that go away', () => {
  const openStreams = async (server: SyncServer): Promise<string> => {
    const response = await fetch(new URL('/metrics', server.url), { dispatcher })
    return /entidb_open_streams (\d+)/.exec(await response.text())?.[1] ?? ''
  }

  test('event streams whose connection is cut, both protocols -> their slots come back', async () => {
    const server = await start()
    await post(server, '/v1/handshake', handshake)
    const session = await openSession(server, certificate)
    const stream = session.request({
      ':path': '/v1/stream?dbId=shop',
      authorization: 'Bearer token',
    })
    await once(stream, 'data')
    const socket = await openSocket(server, certificate)
    socket.write(
      'GET /v1/stream?dbId=shop HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer token\r\n\r\n',
    )
    await once(socket, 'data')
    expect(await openStreams(server)).toBe('2')
    socket.destroy()
    session.destroy()
    await expect.poll(() => openStreams(server)).toBe('0')
  })

  test('event streams asked for behind another one on a connection that is cut -> their slots come back', async () => {
    const server = await start()
    await post(server, '/v1/handshake', handshake)
    const socket = await openSocket(server, certificate)
    const request =
      'GET /v1/stream?dbId=shop HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer token\r\n\r\n'
    socket.write(request.repeat(3))
    await once(socket, 'data')
    expect(await openStreams(server)).toBe('1')
    socket.destroy()
    await expect.poll(() => openStreams(server)).toBe('0')
  })

  test('answers that nobody takes, both protocols -> the connection is cut when no byte moved for long', async () => {
    const server = await start({ limits: { idleConnectionMs: 300 } })
    const ops = Array.from({ length: 4 }, (_, i) => largePut(i + 1))
    const body = encodePushRequest({ dbId: 'shop', deviceId: 'device-a', ops })
    expect((await post(server, '/v1/push', body)).status).toBe(200)
    const pull = encodePullRequest({ dbId: 'shop', sinceCursor: 0 })
    const stall = async () => {
      const session = await openSession(server, certificate, { initialWindowSize: 0 })
      requestHttp2(session, { ':path': '/v1/pull' }, pull).catch(() => {})
      await once(session, 'close')
    }
    const socket = await openSocket(server, certificate)
    socket.pause()
    const head = `POST /v1/pull HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer token\r\nContent-Type: application/cbor\r\nContent-Length: ${pull.length}\r\n\r\n`
    for (let i = 0; i < 10; i++) socket.write(Buffer.concat([Buffer.from(head), pull]))
    await stall()
    // What is as slow, and began later: the socket is cut before it.
    await stall()
    const came = await readToEnd(socket.resume())
    expect(came.length).toBeLessThan(10 * 4_000_000)
  })

  test('a connection cut in the middle of a body -> nothing is written, nothing is printed', async () => {
    const printed = [vi.spyOn(console, 'error'), vi.spyOn(console, 'info')]
    const server = await start()
    await post(server, '/v1/handshake', handshake)
    const socket = await openSocket(server, certificate)
    socket.on('error', () => {})
    socket.write(
      'POST /v1/push HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer token\r\nContent-Type: application/cbor\r\nContent-Length: 1000\r\n\r\nabc',
    )
    await new Promise((resolve) => setTimeout(resolve, 50))
    socket.destroy()
    expect((await post(server, '/v1/push', push(1))).status).toBe(200)
    expect(await server.stats('shop')).toMatchObject({ liveEntities: 1 })
    for (const spy of printed) {
      expect(spy).not.toHaveBeenCalled()
      spy.mockRestore()
    }
  })
})

describe('close', () => {
  test('idle keep-alive connections and open streams, both protocols -> closed within a second', async () => {
    const server = await start()
    await post(server, '/v1/handshake', handshake)
    const idle = await openSocket(server, certificate)
    idle.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(idle, 'data')
    const idleEnded = once(idle, 'close')
    const session: ClientHttp2Session = await openSession(server, certificate)
    await requestHttp2(session, {}, handshake)
    const sessionEnded = once(session, 'close')
    const stream = session.request({
      ':path': '/v1/stream?dbId=shop',
      authorization: 'Bearer token',
    })
    await once(stream, 'data')
    stream.resume()
    const response = await fetch(new URL('/v1/stream?dbId=shop', server.url), {
      headers: { authorization: 'Bearer token' },
      dispatcher,
    })
    const ended = response.text()
    expect(await elapsedMs(() => server.close())).toBeLessThan(1000)
    await Promise.all([idleEnded, sessionEnded, ended])
  })

  test('a connection that never sends a request -> closed within a second', async () => {
    const server = await start()
    const silent = await openSocket(server, certificate)
    const ended = once(silent, 'close')
    expect(await elapsedMs(() => server.close())).toBeLessThan(1000)
    await ended
  })

  test('a push in progress -> answered before the end', async () => {
    const server = await start()
    await post(server, '/v1/handshake', handshake)
    const socket = await openSocket(server, certificate)
    const body = push(1)
    socket.write(
      `POST /v1/push HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer token\r\nContent-Type: application/cbor\r\nContent-Length: ${body.length}\r\n\r\n`,
    )
    socket.write(body)
    const answer = readToEnd(socket)
    await expect.poll(async () => (await server.stats('shop')).liveEntities).toBe(1)
    await server.close()
    expect(await answer).toMatch(/^HTTP\/1.1 200 /)
  })

  test('a request whose body never comes -> cut when the drain is over', async () => {
    const server = await start({ drainMs: 200 })
    const socket = await openSocket(server, certificate)
    socket.write(
      'POST /v1/push HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer token\r\nContent-Type: application/cbor\r\nContent-Length: 100\r\n\r\nabc',
    )
    socket.on('error', () => {})
    await new Promise((resolve) => setTimeout(resolve, 50))
    const took = await elapsedMs(() => server.close())
    expect(took).toBeGreaterThan(100)
    expect(took).toBeLessThan(2000)
  })

  test('twice -> the same end; the port is free again', async () => {
    const server = await start()
    const { port } = new URL(server.url)
    await Promise.all([server.close(), server.close()])
    const again = await createSyncServer({ ...minimal(), tls: certificate })
    await again.listen({ port: Number(port) })
    await again.close()
  })

  test('restart on the same storage -> data is there, and the first push begins a new epoch', async () => {
    const shared = memoryStorage()
    const first = await start({ storage: () => shared })
    await post(first, '/v1/push', push(1))
    const before = await first.stats('shop')
    await first.close()
    const second = await start({ storage: () => shared, createDatabases: false })
    expect(await second.stats('shop')).toMatchObject({ epoch: before.epoch, liveEntities: 1 })
    await post(second, '/v1/push', push(2))
    const after = await second.stats('shop')
    expect(after.epoch).not.toBe(before.epoch)
    expect(after.liveEntities).toBe(2)
  })
})

describe('configuration', () => {
  test('insecureLoopback -> plain HTTP on loopback only', async () => {
    const server = await createSyncServer({ ...minimal(), insecureLoopback: true })
    servers.push(server)
    await expect(server.listen({ host: '0.0.0.0' })).rejects.toThrow(TypeError)
    await server.listen()
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    const { status } = await fetch(new URL('/healthz', server.url), { dispatcher })
    expect(status).toBe(200)
  })

  test('plain HTTP: idle keep-alive connection -> close is prompt', async () => {
    const server = await createSyncServer({ ...minimal(), behindProxy: true })
    await server.listen()
    await (await fetch(new URL('/healthz', server.url), { dispatcher })).text()
    expect(await elapsedMs(() => server.close())).toBeLessThan(1000)
  })

  test('a Node line past its end -> a warning at start', async () => {
    const warnings: string[] = []
    const logger: Logger = { ...silentLogger, warn: (_, message) => warnings.push(message) }
    const options = {
      ...minimal(),
      behindProxy: true,
      logger,
      clock: () => Date.parse('2100-01-01'),
    }
    await (await createSyncServer(options)).close()
    expect(warnings).toEqual([expect.stringContaining('end of life')])
  })

  test('a port that is taken -> listen rejects, and that is all', async () => {
    const server = await start()
    const errors: string[] = []
    const logger: Logger = { ...silentLogger, error: (_, message) => errors.push(message) }
    const second = await createSyncServer({ ...minimal(), tls: certificate, logger })
    const port = Number(new URL(server.url).port)
    await expect(second.listen({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    expect(errors).toEqual([])
    await second.close()
  })
})
