/** What cycles ask the server for while its stream is open: no more than they have to. */
import { HANDSHAKE_PATH, PULL_PATH, PUSH_PATH } from '@entidb/protocol'
import { afterEach, describe, expect, test } from 'vitest'
import { Device } from './test-kit/device.test-kit.ts'
import { ManualTimers, settle } from './test-kit/manual-timers.test-kit.ts'
import { ModelServer, refusal } from './test-kit/model-server.test-kit.ts'

let open: Device[] = []

afterEach(async () => {
  await Promise.all(open.map((device) => device.close()))
  open = []
})

/** A device that follows the stream, and has been told all that a handshake tells since. */
async function following(server: ModelServer) {
  const timers = new ManualTimers()
  const environment = { timers, random: () => 0.999999999, now: () => timers.nowMs }
  const device = await Device.open({ fetch: server.fetch, config: { stream: true, environment } })
  open.push(device)
  await device.sync.start()
  await settle()
  await device.addToken('n1', `start of ${open.length}`)
  await settle()
  return { device, timers }
}

/** The paths of the requests that `work`, and all that follows from it, makes. */
async function requestsOf(server: ModelServer, work: () => Promise<unknown>): Promise<string[]> {
  const before = server.requests.length
  await work()
  await settle()
  return server.requests.slice(before).map(({ path }) => path)
}

describe('cycles while the stream is open', () => {
  test('a commit -> one push here, one pull there', async () => {
    const server = new ModelServer()
    const { device: a } = await following(server)
    const { device: b } = await following(server)
    for (const token of ['one', 'two', 'three']) {
      const requests = await requestsOf(server, () => a.addToken('n1', token))
      expect(requests).toEqual([PUSH_PATH, PULL_PATH])
      expect(await b.tokens('n1')).toContain(token)
    }
  })

  test('sync() -> asks for everything', async () => {
    const server = new ModelServer()
    const { device } = await following(server)
    expect(await requestsOf(server, () => device.sync.sync())).toEqual([HANDSHAKE_PATH, PULL_PATH])
  })

  test('the slow poll -> asks for everything', async () => {
    const server = new ModelServer()
    const { device: _, timers } = await following(server)
    const requests = await requestsOf(server, () => timers.advance(60_000))
    expect(requests).toEqual([HANDSHAKE_PATH, PULL_PATH])
  })

  test('the stream has ended -> hands are shaken, and pulled, before a push', async () => {
    const server = new ModelServer()
    const { device, timers } = await following(server)
    server.endStreams()
    await settle()
    const full = [HANDSHAKE_PATH, PULL_PATH, PUSH_PATH]
    expect(await requestsOf(server, () => device.addToken('n1', 'one'))).toEqual(full)
    // Again with the next stream: it may be of another server.
    await timers.advance(5_000)
    expect(await requestsOf(server, () => device.addToken('n1', 'two'))).toEqual(full)
    expect(await requestsOf(server, () => device.addToken('n1', 'three'))).toEqual([PUSH_PATH])
  })

  test('again and again -> hands are shaken now and then', async () => {
    const server = new ModelServer()
    const { device } = await following(server)
    const requests: string[] = []
    for (let i = 0; i < 60; i++) {
      requests.push(...(await requestsOf(server, () => device.addToken('n1', `${i}`))))
    }
    expect(requests.filter((path) => path === PUSH_PATH)).toHaveLength(60)
    expect(requests.filter((path) => path === HANDSHAKE_PATH)).toHaveLength(1)
  })

  test('a push that fails -> what the server says about itself is asked anew', async () => {
    const server = new ModelServer()
    const { device } = await following(server)
    server.fault = ({ path }) => (path === PUSH_PATH ? refusal('forbidden') : 'pass')
    await requestsOf(server, () => device.addToken('n1', 'one'))
    server.fault = () => 'pass'
    const requests = await requestsOf(server, () => device.sync.sync())
    expect(requests.slice(0, 2)).toContain(HANDSHAKE_PATH)
  })

  test('another epoch -> found out by the push, and gone along with', async () => {
    const server = new ModelServer()
    const { device } = await following(server)
    server.database.beginEpoch()
    const requests = await requestsOf(server, () => device.addToken('n1', 'one'))
    expect(requests.slice(0, 2)).toEqual([PUSH_PATH, HANDSHAKE_PATH])
    expect(device.sync.status).toMatchObject({ pending: 0, phase: 'idle' })
  })

  test('a head that the server does not have -> one pull', async () => {
    const server = new ModelServer()
    const { device } = await following(server)
    const requests = await requestsOf(server, async () =>
      server.announce(server.database.head + 1000),
    )
    expect(requests).toEqual([PULL_PATH])
    expect(device.sync.status.phase).toBe('idle')
  })
})
