/** What an application's token provider may do, and who may say of a token that it is no good. */
import { EntiDBError } from '@entidb/core'
import { STREAM_PATH } from '@entidb/protocol'
import { describe, expect, test } from 'vitest'
import type { SyncConfig } from './config.ts'
import type { FetchLike } from './environment.ts'
import { ManualTimers, settle } from './test-kit/manual-timers.test-kit.ts'
import { ModelServer, refusal } from './test-kit/model-server.test-kit.ts'
import { expectConverged, openDevice } from './test-kit/pair.test-kit.ts'

async function startedDevice(server: ModelServer, config: Partial<SyncConfig>) {
  const timers = new ManualTimers()
  const environment = { timers, random: () => 0.999999999, now: () => timers.nowMs }
  // As a platform's fetch does: it refuses what no header can hold, and trims the rest.
  const fetch: FetchLike = (url, init) => {
    const Authorization = new Headers(init.headers).get('Authorization') ?? ''
    return (config.fetch ?? server.fetch)(url, {
      ...init,
      headers: { ...init.headers, Authorization },
    })
  }
  const device = await openDevice(server, { ...config, fetch, environment })
  await device.addToken('n1', 'x')
  await device.sync.start()
  await settle()
  return { device, timers }
}

describe('a provider', () => {
  test.each([
    ['a line break inside', 'sec\nret'],
    ['what no header can hold', 'secret\u2603'],
    ['nothing but white space', ' \n'],
  ])('that gives %s -> unauthorized; asked again, and goes on with another', async (_, bad) => {
    const server = new ModelServer()
    let token = bad
    const { device, timers } = await startedDevice(server, { authTokenProvider: () => token })
    expect(device.sync.status).toMatchObject({
      phase: 'waitingForToken',
      lastError: { code: 'unauthorized' },
    })
    token = server.token
    await timers.advance(60_000)
    await expectConverged(server, device)
  })

  test('that read the token with the end of its line -> sent without', async () => {
    const server = new ModelServer()
    const { device } = await startedDevice(server, {
      authTokenProvider: () => `${server.token}\n`,
      stream: true,
    })
    await expectConverged(server, device)
  })

  test.each(['sync_stopped', 'forbidden', 'too_large', 'entity_not_found'] as const)(
    'that throws %s of its own -> decides nothing about an edit, and is asked again',
    async (code) => {
      const server = new ModelServer()
      let broken = false
      const authTokenProvider = () => {
        if (broken) throw new EntiDBError(code, 'of another database')
        return server.token
      }
      const { device, timers } = await startedDevice(server, { authTokenProvider })
      broken = true
      server.token = 'another'
      await device.addToken('n1', 'y')
      await settle()
      expect(device.sync.status.lastError).toMatchObject({ code: 'server_unreachable' })
      expect(device.sync.status).toMatchObject({ phase: 'backingOff', held: 0 })
      broken = false
      await timers.advance(60_000)
      await expectConverged(server, device)
    },
  )

  test('that never answers -> told so, and no request is made smaller for it', async () => {
    const server = new ModelServer()
    const authTokenProvider = () => new Promise<string>(() => {})
    const { device, timers } = await startedDevice(server, { authTokenProvider })
    await timers.advance(60_000)
    const { lastError } = device.sync.status
    expect(lastError).toMatchObject({ code: 'server_unreachable', details: {} })
    expect(lastError?.message).toContain('authTokenProvider')
    expect(lastError?.details).not.toHaveProperty('timedOut')
  })
})

describe('401', () => {
  const HTML = { 'content-type': 'text/html' }

  test('of something in between, twice -> unauthorized; the same token is tried again', async () => {
    const server = new ModelServer()
    const { device, timers } = await startedDevice(server, {
      authTokenProvider: () => server.token,
    })
    const reasons: string[] = []
    device.sync.on('unauthorized', ({ code }) => reasons.push(code))
    server.fault = () => new Response('<html>', { status: 401, headers: HTML })
    await device.addToken('n1', 'y')
    await settle()
    expect(device.sync.status).toMatchObject({ phase: 'waitingForToken' })
    const before = server.requests.length
    await timers.advance(600_000)
    expect(server.requests.length - before).toBeLessThanOrEqual(20)
    expect(reasons).toEqual(['unauthorized'])
    server.fault = () => 'pass'
    await timers.advance(60_000)
    await expectConverged(server, device)
  })

  test('to the stream alone -> cycles go on', async () => {
    const server = new ModelServer()
    let streams = 0
    const fetch: FetchLike = async (url, init) => {
      if (new URL(url).pathname !== STREAM_PATH) return server.fetch(url, init)
      streams += 1
      return refusal('unauthenticated')
    }
    const { device, timers } = await startedDevice(server, {
      authTokenProvider: () => server.token,
      stream: true,
      fetch,
    })
    await timers.advance(60_000)
    expect(streams).toBeGreaterThan(2)
    await device.addToken('n1', 'y')
    await settle()
    await expectConverged(server, device)
    expect(device.sync.status).toMatchObject({ phase: 'idle', lastError: null })
  })
})
