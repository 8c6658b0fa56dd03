import { describe, expect, test } from 'vitest'
import { SubjectSlots } from './subject-slots.ts'
import { createTestHandler, errorOf, makeRequest, type RequestParts } from './sync-app.test-kit.ts'

test('slots: a subject has as many as it may; one given back twice counts once', () => {
  const slots = new SubjectSlots(2)
  const first = slots.take('ada')
  expect([slots.take('ada'), slots.take('bob')]).not.toContain(undefined)
  expect(slots.take('ada')).toBeUndefined()
  first?.()
  first?.()
  expect(slots.take('ada')).toBeDefined()
  expect(slots.take('ada')).toBeUndefined()
})

describe('requests of one subject at a time', () => {
  const start = () => createTestHandler({ limits: { maxRequestsPerSubject: 1 } })
  const statusOf = async (handler: ReturnType<typeof start>, parts: RequestParts = {}) =>
    (await handler.fetch(makeRequest(parts))).status

  test('one more than it may -> rate_limited with Retry-After; others and streams are served', async () => {
    const handler = start()
    const body = new TransformStream<Uint8Array, Uint8Array>()
    const slow = handler.fetch(makeRequest({ body: body.readable }))
    const refused = await handler.fetch(makeRequest())
    expect(refused.headers.get('retry-after')).toBe('5')
    expect(await errorOf(refused)).toMatchObject({ status: 429, code: 'rate_limited' })
    expect(await statusOf(handler, { token: 'shop' })).toBe(200)
    const stream = await handler.fetch(
      makeRequest({ path: '/v1/stream?dbId=shop', method: 'GET', token: 'write' }),
    )
    expect(stream.status).toBe(200)
    await body.writable.close()
    expect((await slow).status).toBe(400)
    expect(await statusOf(handler)).toBe(200)
    await handler.close()
  })

  test('refused in any way -> its place is free again', async () => {
    const handler = start()
    const refused: readonly [RequestParts, number][] = [
      [{ method: 'PUT' }, 405],
      [{ headers: { 'content-type': 'text/plain' } }, 415],
      [{ headers: { accept: 'text/html' } }, 406],
      [{ headers: { 'content-length': '999999999' } }, 413],
      [{ body: Uint8Array.of(0xff) }, 400],
      [{ token: 'wrong' }, 401],
    ]
    for (const [parts, status] of refused) expect(await statusOf(handler, parts)).toBe(status)
    expect(await statusOf(handler)).toBe(200)
  })

  test('an answer that is not taken yet -> counts', async () => {
    const handler = start()
    let end = (): void => {}
    const ended = new Promise<void>((resolve) => {
      end = resolve
    })
    expect((await handler.fetch(makeRequest(), { ended })).status).toBe(200)
    expect(await statusOf(handler)).toBe(429)
    end()
    await ended
    expect(await statusOf(handler)).toBe(200)
  })
})
