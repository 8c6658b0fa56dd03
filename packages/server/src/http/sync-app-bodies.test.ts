import { gunzipSync, gzipSync } from 'node:zlib'
import { encodeEntity } from '@entidb/core/cbor'
import {
  decodeHandshakeResponse,
  decodePullResponse,
  encodePullRequest,
  encodePullResponse,
  PACKED_FORM,
} from '@entidb/protocol'
import { describe, expect, test } from 'vitest'
import { createManualTimers } from '../timers.test-kit.ts'
import {
  bytesOf,
  createTestHandler,
  errorOf,
  handshakeBody,
  makeRequest,
  pushBody,
} from './sync-app.test-kit.ts'

describe('bodies', () => {
  const limits = { maxBodyBytes: 65_536, maxEntityBytes: 1_000 }

  test('gzip -> inflated; a bomb -> too_large', async () => {
    const handler = createTestHandler({ limits })
    const headers = { 'content-encoding': 'gzip' }
    const good = await handler.fetch(makeRequest({ headers, body: gzipSync(handshakeBody) }))
    expect(good.status).toBe(200)
    const bomb = gzipSync(new Uint8Array(50_000_000))
    expect(bomb.length).toBeLessThan(limits.maxBodyBytes)
    const refused = await handler.fetch(makeRequest({ headers, body: bomb }))
    expect(await errorOf(refused)).toMatchObject({
      status: 413,
      code: 'too_large',
      details: { limit: limits.maxBodyBytes },
    })
  })

  test('a stream without a length -> refused once it exceeds the limit, not read into memory', async () => {
    const handler = createTestHandler({ limits })
    const chunk = new Uint8Array(16_384)
    let sent = 0
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += chunk.length
        if (sent > 10_000_000) controller.close()
        else controller.enqueue(chunk)
      },
    })
    const response = await handler.fetch(makeRequest({ body }))
    expect(response.status).toBe(413)
    expect(sent).toBeLessThan(1_000_000)
  })

  test('a body that breaks off, or takes too long -> to be sent again: nothing is wrong with it', async () => {
    const timers = createManualTimers()
    const handler = createTestHandler({ limits, timers })
    const begun = handshakeBody.subarray(0, 10)
    const broken = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(begun),
      pull: (controller) => controller.error(new Error('gone')),
    })
    const refused = await errorOf(await handler.fetch(makeRequest({ body: broken })))
    const slow = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(begun),
    })
    const waiting = handler.fetch(makeRequest({ body: slow }))
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    await timers.run()
    for (const answer of [refused, await errorOf(await waiting)]) {
      expect(answer).toMatchObject({ status: 503, code: 'unavailable' })
    }
  })

  test('chunks of a byte -> none is kept: each would take a hundred times its size', async () => {
    const handler = createTestHandler({ limits })
    const chunk = new Uint8Array(1)
    let sent = 0
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          if (sent === handshakeBody.length) return controller.close()
          // Whoever kept the chunk before has this byte in its place.
          chunk.set(handshakeBody.subarray(sent, ++sent))
          controller.enqueue(chunk)
        },
      },
      { highWaterMark: 0 },
    )
    expect((await handler.fetch(makeRequest({ body }))).status).toBe(200)
  })

  test('Content-Length over the limit -> refused before reading', async () => {
    const handler = createTestHandler({ limits })
    const headers = { 'content-length': String(limits.maxBodyBytes + 1) }
    expect((await handler.fetch(makeRequest({ headers }))).status).toBe(413)
  })

  test('a pull that asks for packed pages -> the same page in fewer bytes; one that does not -> plain', async () => {
    const handler = createTestHandler()
    await handler.fetch(makeRequest({ path: '/v1/push', body: pushBody(50) }))
    const pull = async (more: { readonly packed?: number }): Promise<Uint8Array> => {
      const body = encodePullRequest({ dbId: 'shop', sinceCursor: 0, ...more })
      return bytesOf(await handler.fetch(makeRequest({ path: '/v1/pull', body })))
    }
    const plain = await pull({})
    expect(encodePullResponse(decodePullResponse(plain))).toEqual(plain)
    expect(await pull({ packed: PACKED_FORM - 1 })).toEqual(plain)
    for (const packed of [PACKED_FORM, PACKED_FORM + 1]) {
      const bytes = await pull({ packed })
      expect(decodePullResponse(bytes)).toEqual(decodePullResponse(plain))
      expect(bytes.length).toBeLessThan(plain.length / 3)
    }
  })

  test('an answer over a kilobyte -> gzip for those who ask, as it is for others', async () => {
    const handler = createTestHandler()
    await handler.fetch(makeRequest({ path: '/v1/push', body: pushBody(50, 'long '.repeat(20)) }))
    const pull = (encoding: string | null) =>
      handler.fetch(
        makeRequest({
          path: '/v1/pull',
          headers: { 'accept-encoding': encoding },
          body: encodePullRequest({ dbId: 'shop', sinceCursor: 0 }),
        }),
      )
    const plain = await pull(null)
    const bytes = await bytesOf(plain)
    expect(plain.headers.get('content-encoding')).toBeNull()
    const zipped = await pull('br, gzip')
    expect(zipped.headers.get('content-encoding')).toBe('gzip')
    expect(zipped.headers.get('vary')).toBe('Accept-Encoding')
    expect(new Uint8Array(gunzipSync(await bytesOf(zipped)))).toEqual(bytes)
    for (const encoding of ['gzip;q=0', 'br', '*;q=0']) {
      expect((await pull(encoding)).headers.get('content-encoding')).toBeNull()
    }
    const small = await handler.fetch(makeRequest({ headers: { 'accept-encoding': 'gzip' } }))
    expect(small.headers.get('content-encoding')).toBeNull()
  })

  test('hostile CBOR to every endpoint -> invalid_request at once', async () => {
    const handler = createTestHandler()
    const bodies = [
      new Uint8Array(100_000).fill(0x81),
      Uint8Array.of(0xbb, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
      Uint8Array.of(0xa1, 0x64, 0x64, 0x62, 0x49, 0x64, 0x7b, 0, 0, 0, 0xff, 0, 0, 0, 0),
      Uint8Array.of(0xbf, 0xff),
      encodeEntity({ dbId: 'shop', deviceId: 'a', sinceCursor: -1, ops: 'x' }),
    ]
    for (const path of ['/v1/handshake', '/v1/pull', '/v1/push', '/v1/verify']) {
      for (const body of bodies) {
        if (path === '/v1/handshake' && body === bodies.at(-1)) continue
        const response = await handler.fetch(makeRequest({ path, body }))
        expect(await errorOf(response)).toMatchObject({ status: 400, code: 'invalid_request' })
      }
    }
  })

  test('a pull of more collections than anybody names -> too_large, before it waits for anything', async () => {
    const handler = createTestHandler()
    const collections = Array.from({ length: 10_001 }, (_, i) => `c${i}`)
    const pulled = (names: readonly string[]) => {
      const body = encodePullRequest({ dbId: 'shop', sinceCursor: 0, collections: names })
      return handler.fetch(makeRequest({ path: '/v1/pull', body }))
    }
    expect((await pulled(collections.slice(1))).status).toBe(200)
    expect(await errorOf(await pulled(collections))).toMatchObject({
      status: 413,
      code: 'too_large',
      details: { limit: 10_000 },
    })
  })

  test('epoch_mismatch -> the history travels in the details', async () => {
    const handler = createTestHandler()
    const { history } = decodeHandshakeResponse(await bytesOf(await handler.fetch(makeRequest())))
    const body = encodePullRequest({ dbId: 'shop', sinceCursor: 0, epoch: new Uint8Array(16) })
    const response = await handler.fetch(makeRequest({ path: '/v1/pull', body }))
    expect(await errorOf(response)).toMatchObject({
      status: 409,
      code: 'epoch_mismatch',
      details: { history },
    })
  })
})
