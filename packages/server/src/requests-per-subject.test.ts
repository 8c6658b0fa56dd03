/** The limit of requests at a time, where connections are slow, silent or cut. */
import { once } from 'node:events'
import { encodeEntity } from '@entidb/core/cbor'
import { encodeHandshakeRequest, encodePullRequest, encodePushRequest } from '@entidb/protocol'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import {
  type Certificate,
  createCertificate,
  openSession,
  openSocket,
  requestHttp2,
  startServer,
} from './create-sync-server.test-kit.ts'
import type { SyncServer } from './create-sync-server.ts'

const handshake = encodeHandshakeRequest({ dbId: 'shop', deviceId: 'device-a' })
const pull = encodePullRequest({ dbId: 'shop', sinceCursor: 0 })
const LARGE = 'x'.repeat(1_000_000)
/** Four megabytes to be pulled. */
const push = encodePushRequest({
  dbId: 'shop',
  deviceId: 'device-a',
  ops: [1, 2, 3, 4].map((opId) => ({
    opId,
    dbId: 'shop',
    deviceId: 'device-a',
    collection: 'items',
    entityId: `e${opId}`,
    opType: 'PUT',
    entityVersion: 0,
    entityCbor: encodeEntity({ id: `e${opId}`, text: LARGE }),
  })),
})

let certificate: Certificate
let server: SyncServer

beforeAll(async () => {
  certificate = await createCertificate()
})

beforeEach(async () => {
  server = await startServer(certificate, { limits: { maxRequestsPerSubject: 1 } })
})

afterEach(() => server.close())

async function status(path = '/v1/handshake', body = handshake): Promise<number> {
  const session = await openSession(server, certificate)
  const answer = await requestHttp2(session, { ':path': path }, body)
  session.destroy()
  return answer.status
}

const headOf = (path: string, length: number): string =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer token\r\nContent-Type: application/cbor\r\nContent-Length: ${length}\r\n\r\n`

test('HTTP/1.1: a body that does not come, an answer that is not taken -> count until the connection is cut', async () => {
  expect(await status('/v1/push', push)).toBe(200)
  for (const [path, sent, length] of [
    ['/v1/push', push.subarray(0, 10), push.length],
    ['/v1/pull', pull, pull.length],
  ] as const) {
    await expect.poll(() => status()).toBe(200)
    const socket = await openSocket(server, certificate)
    socket.pause()
    socket.write(Buffer.concat([Buffer.from(headOf(path, length)), sent]))
    await expect.poll(() => status()).toBe(429)
    socket.destroy()
    await expect.poll(() => status()).toBe(200)
  }
})

test('HTTP/2: a body that does not come, an answer that is not taken -> count until the stream is reset', async () => {
  expect(await status('/v1/push', push)).toBe(200)
  const session = await openSession(server, certificate, { initialWindowSize: 0 })
  for (const [path, sent, isWhole] of [
    ['/v1/push', push.subarray(0, 10), false],
    ['/v1/pull', pull, true],
  ] as const) {
    await expect.poll(() => status()).toBe(200)
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      authorization: 'Bearer token',
      'content-type': 'application/cbor',
    })
    stream.on('error', () => {})
    if (isWhole) stream.end(sent)
    else stream.write(sent)
    await expect.poll(() => status()).toBe(429)
    stream.close(8)
    await once(stream, 'close')
    await expect.poll(() => status()).toBe(200)
  }
  session.destroy()
})

test('connections cut at any moment, both protocols -> no place is lost', async () => {
  for (let i = 0; i < 40; i++) {
    const [socket, session] = [
      await openSocket(server, certificate),
      await openSession(server, certificate),
    ]
    session.on('error', () => {})
    socket.write(Buffer.concat([Buffer.from(headOf('/v1/push', push.length)), push]))
    requestHttp2(session, { ':path': '/v1/pull' }, pull).catch(() => {})
    await new Promise((resolve) => setTimeout(resolve, i % 8))
    socket.destroy()
    session.destroy()
  }
  await expect.poll(() => status()).toBe(200)
})
