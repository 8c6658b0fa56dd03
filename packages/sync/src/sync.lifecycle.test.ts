/** start, stop, wake-ups, tokens, backoff, status. */
import { HANDSHAKE_PATH, PULL_PATH } from '@entidb/protocol'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { SyncConfig } from './config.ts'
import { EntiDBSync } from './entidb-sync.ts'
import { coreEngine } from './state/core-engine.ts'
import { Device } from './test-kit/device.test-kit.ts'
import { ManualTimers, settle } from './test-kit/manual-timers.test-kit.ts'
import { type Fault, ModelServer } from './test-kit/model-server.test-kit.ts'

let open: Device[] = []

afterEach(async () => {
  await Promise.all(open.map((device) => device.close()))
  open = []
})

async function device(server: ModelServer, config: Partial<SyncConfig> = {}): Promise<Device> {
  const opened = await Device.open({ fetch: server.fetch, config })
  open.push(opened)
  return opened
}

/** A device whose time stands still, with full jitter at its ceiling. */
async function timed(server: ModelServer, config: Partial<SyncConfig> = {}) {
  const timers = new ManualTimers()
  const online = new Set<() => void>()
  const environment = {
    timers,
    random: () => 0.999999999,
    now: () => timers.nowMs,
    onOnline: (listener: () => void) => {
      online.add(listener)
      return () => online.delete(listener)
    },
  }
  const opened = await device(server, { environment, ...config })
  return { device: opened, timers, online }
}

describe('start', () => {
  test('commit: -> pushed by itself; other device: woken by the stream', async () => {
    const server = new ModelServer()
    const [a, b] = [await device(server, { stream: true }), await device(server, { stream: true })]
    await a.sync.start()
    await b.sync.start()
    await a.addToken('n1', 'one')
    await vi.waitFor(async () => expect(await b.tokens('n1')).toEqual(['one']))
    await b.addToken('n1', 'two')
    await vi.waitFor(async () => expect(await a.tokens('n1')).toEqual(['one', 'two']))
  })

  test('offline: -> no error, syncs when it can', async () => {
    const server = new ModelServer()
    server.fault = () => 'refuse'
    const { device: a, timers, online } = await timed(server)
    await a.sync.start()
    await settle()
    expect(a.sync.status).toMatchObject({ phase: 'backingOff', online: false })
    await a.addToken('n1', 'one')
    await settle()
    server.fault = () => 'pass'
    for (const listener of online) listener()
    await settle()
    expect(server.database.live().size).toBe(1)
    expect(a.sync.status).toMatchObject({ phase: 'idle', online: true, lastError: null })
    expect(timers.waiting).toEqual([60_000])
  })

  test("a rejected edit is discarded, and what it was made on is lost: -> the server's state comes at once", async () => {
    let refuses = false
    const policy = () => (refuses ? { code: 'no', message: 'no' } : undefined)
    const server = new ModelServer({ policy })
    const { device: a } = await timed(server)
    const b = await device(server)
    await b.addToken('n1', 'kept')
    await b.sync.sync()
    const backup = server.database.backup()
    await b.addToken('n1', 'lost')
    await b.sync.sync()
    await a.sync.start()
    await settle()
    server.database.restore(backup)
    refuses = true
    await a.addToken('n1', 'mine')
    await settle()
    const [rejection] = await a.sync.rejections.list()
    await a.sync.rejections.discard(rejection?.id ?? '')
    await settle()
    expect(await a.tokens('n1')).toEqual(['kept'])
  })

  test('nothing happens: -> the slow poll finds what is new', async () => {
    const server = new ModelServer()
    const { device: a, timers } = await timed(server)
    await a.sync.start()
    await settle()
    const b = await device(server)
    await b.addToken('n1', 'one')
    await b.sync.sync()
    await timers.advance(60_000)
    expect(await a.tokens('n1')).toEqual(['one'])
  })

  test('stop: -> no request any more; sync() refuses; start goes on', async () => {
    const server = new ModelServer()
    const { device: a, timers } = await timed(server)
    await a.sync.start()
    await settle()
    await a.sync.stop()
    const seen = server.requests.length
    await a.addToken('n1', 'one')
    await timers.advance(600_000)
    expect(server.requests).toHaveLength(seen)
    expect(timers.waiting).toEqual([])
    await expect(a.sync.sync()).rejects.toMatchObject({ code: 'sync_stopped' })
    await a.sync.start()
    await settle()
    expect(server.database.live().size).toBe(1)
  })

  test('stop in the middle of a request: -> ends it, and the next start goes on', async () => {
    const server = new ModelServer()
    const a = await device(server)
    await a.addToken('n1', 'one')
    let stopping: Promise<void> | undefined
    server.fault = ({ path }) => {
      if (path === '/v1/push') stopping ??= a.sync.stop()
      return 'pass'
    }
    await expect(a.sync.sync()).rejects.toMatchObject({ code: 'sync_stopped' })
    await stopping
    expect(a.sync.status.phase).toBe('stopped')
    await a.sync.start()
    await vi.waitFor(() => expect(a.sync.status).toMatchObject({ pending: 0, phase: 'idle' }))
    expect(server.database.oplog).toHaveLength(1)
  })
})

describe('start and stop without waiting', () => {
  test('start, stop, start: -> started; the last call counts', async () => {
    const server = new ModelServer()
    const { device: a } = await timed(server, { stream: true })
    await Promise.all([a.sync.start(), a.sync.stop(), a.sync.start()])
    await settle()
    expect(a.sync.status.phase).toBe('idle')
    await a.addToken('n1', 'one')
    await settle()
    expect(server.database.live().size).toBe(1)
    await Promise.all([a.sync.start(), a.sync.stop()])
    await settle()
    expect(a.sync.status.phase).toBe('stopped')
    const before = server.requests.length
    await a.addToken('n1', 'two')
    await settle()
    expect(server.requests).toHaveLength(before)
  })

  test('stop, start in the middle of a cycle: -> one session after the other, nothing is lost', async () => {
    const server = new ModelServer()
    const { device: a } = await timed(server, { stream: true })
    await a.sync.start()
    await settle()
    for (let i = 0; i < 5; i++) {
      await a.addToken(`n${i}`, 'one')
      void a.sync.stop()
      void a.sync.start()
    }
    const syncing = a.sync.sync()
    await settle()
    await syncing
    expect(a.sync.status).toMatchObject({ phase: 'idle', pending: 0 })
    expect(server.database.live().size).toBe(5)
    await a.addToken('n0', 'two')
    await settle()
    expect(a.sync.status.pending).toBe(0)
  })

  test.each([
    ['in the middle of a request', HANDSHAKE_PATH],
    ['between two requests', PULL_PATH],
  ])('sign-out, start, %s: -> started; the last call counts', async (_, path) => {
    const server = new ModelServer()
    const { device: a, timers } = await timed(server)
    let begun = (): void => {}
    const isBegun = new Promise<void>((resolve) => {
      begun = resolve
    })
    server.fault = (request): Fault => {
      if (request.path === path) begun()
      return 'pass'
    }
    await a.addToken('n1', 'x')
    await a.sync.start()
    await isBegun
    await Promise.all([a.sync.signOut(), a.sync.start()])
    await timers.advance(1)
    expect(server.database.live().size).toBe(1)
    await a.addToken('n2', 'x')
    await timers.advance(1)
    expect(server.database.live().size).toBe(2)
    expect(a.sync.status).toMatchObject({ phase: 'idle', pending: 0 })
  })

  test('a list is live: -> it does not keep the database from another client', async () => {
    const server = new ModelServer()
    const { device: a } = await timed(server)
    await a.sync.start()
    const live = a.sync.conflicts.live()
    await a.addToken('n1', 'one')
    await a.sync.stop()
    await settle()
    live.close()
    const engine = coreEngine(a.db)
    expect(() => engine.claim(() => false)()).not.toThrow()
  })

  test('somebody looks after a stop: -> it stays stopped', async () => {
    const server = new ModelServer()
    const { device: a } = await timed(server)
    await a.sync.start()
    await a.sync.stop()
    expect(await a.sync.conflicts.list()).toEqual([])
    expect(a.sync.status.phase).toBe('stopped')
    await a.addToken('n1', 'one')
    await settle()
    expect(server.database.live().size).toBe(0)
    await a.sync.start()
    await settle()
    expect(server.database.live().size).toBe(1)
  })

  test('somebody looks after a stop, another client begins: -> it may, and who looked decides nothing more', async () => {
    const server = new ModelServer()
    const { db } = await device(server)
    const clientOf = (dbId: string) => {
      const config = { serverUrl: 'https://sync.test', authTokenProvider: () => 'secret' }
      return new EntiDBSync({ db, config: { ...config, dbId, stream: false, fetch: server.fetch } })
    }
    const first = clientOf('test')
    await first.start()
    await first.stop()
    expect(await first.conflicts.list()).toEqual([])
    const second = clientOf('test')
    await second.start()
    await expect(first.conflicts.list()).rejects.toThrow(TypeError)
    await expect(first.start()).rejects.toThrow(TypeError)
    await second.stop()
    expect(await first.conflicts.list()).toEqual([])
  })

  test('no token comes: -> stop() ends all the same', async () => {
    const server = new ModelServer()
    const authTokenProvider = () => new Promise<string>(() => {})
    const { device: a } = await timed(server, { stream: true, authTokenProvider })
    await a.sync.start()
    await settle()
    await a.sync.stop()
    expect(a.sync.status.phase).toBe('stopped')
  })
})

describe('backoff', () => {
  test('failures in a row: -> doubling delays; no request between them', async () => {
    const server = new ModelServer()
    server.fault = () => new Response(null, { status: 503 })
    const { device: a, timers } = await timed(server)
    await a.sync.start()
    await settle()
    const delays: number[] = []
    for (let i = 0; i < 9; i++) {
      const [delay = 0] = timers.waiting
      delays.push(delay)
      const seen = server.requests.length
      await timers.advance(delay - 1)
      expect(server.requests).toHaveLength(seen)
      await timers.advance(1)
      expect(server.requests).toHaveLength(seen + 1)
    }
    expect(delays).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000])
    expect(a.errors).toEqual(['unavailable'])
  })

  test('online while a request of before hangs: -> its failure is not waited out', async () => {
    const server = new ModelServer()
    const { device: a, timers, online } = await timed(server)
    let lost: (fault: Fault) => void = () => {}
    server.fault = () =>
      new Promise<Fault>((resolve) => {
        lost = resolve
      })
    await a.sync.start()
    await settle()
    for (const tell of online) tell()
    const fail = lost
    server.fault = ({ index }) => (index < 2 ? 'refuse' : 'pass')
    fail('refuse')
    await settle()
    expect(a.sync.status.phase).toBe('backingOff')
    await timers.advance(0)
    expect(a.sync.status).toMatchObject({ phase: 'idle', lastError: null })
  })

  test('Retry-After: -> not sooner', async () => {
    const server = new ModelServer()
    server.fault = () => new Response(null, { status: 429, headers: { 'retry-after': '7' } })
    const { device: a, timers } = await timed(server)
    await a.sync.start()
    await settle()
    expect(timers.waiting).toEqual([7_000])
    expect(a.sync.status.lastError).toMatchObject({ code: 'rate_limited' })
  })

  test('commits and sync() meanwhile: -> commits wait, sync() does not', async () => {
    const server = new ModelServer()
    server.fault = () => 'refuse'
    const { device: a } = await timed(server)
    await a.sync.start()
    await settle()
    const seen = server.requests.length
    await a.addToken('n1', 'one')
    await settle()
    expect(server.requests).toHaveLength(seen)
    server.fault = () => 'pass'
    expect(await a.sync.sync()).toMatchObject({ pushed: 1 })
  })

  test('an answer that never comes: -> given up after the time limit', async () => {
    const server = new ModelServer()
    server.fault = () => new Promise(() => {})
    const { device: a, timers } = await timed(server, { requestTimeoutMs: 5_000 })
    const syncing = a.sync.sync().catch((error) => error)
    await settle()
    await timers.advance(5_000)
    expect(await syncing).toMatchObject({ code: 'server_unreachable' })
  })
})

describe('token', () => {
  test('expired: -> renewed once, unnoticed', async () => {
    const server = new ModelServer()
    const reasons: string[] = []
    const a = await device(server, {
      authTokenProvider: ({ reason }) => {
        reasons.push(reason)
        return reason === 'start' ? 'old' : server.token
      },
    })
    await a.addToken('n1', 'one')
    expect(await a.sync.sync()).toMatchObject({ pushed: 1 })
    expect(reasons).toEqual(['start', 'expired'])
  })

  test('refused twice: -> unauthorized, told once, no request until it is another', async () => {
    const server = new ModelServer()
    let token = 'wrong'
    const { device: a, timers } = await timed(server, { authTokenProvider: () => token })
    const told: unknown[] = []
    a.sync.on('unauthorized', ({ code }) => told.push(code))
    await a.sync.start()
    await settle()
    expect(a.sync.status.phase).toBe('waitingForToken')
    await timers.advance(600_000)
    expect(told).toEqual(['unauthorized'])
    expect(server.requests).toHaveLength(0)
    token = server.token
    await timers.advance(60_000)
    expect(a.sync.status).toMatchObject({ phase: 'idle', lastError: null })
  })

  test('refused twice, while the server was in trouble: -> sync() tries the same one again', async () => {
    const server = new ModelServer()
    const real = server.token
    const { device: a, timers } = await timed(server, { authTokenProvider: () => real })
    server.token = 'of other keys'
    await a.sync.start()
    await settle()
    expect(a.sync.status.phase).toBe('waitingForToken')
    await expect(a.sync.sync()).rejects.toMatchObject({ code: 'unauthorized' })
    server.token = real
    await timers.advance(600_000)
    expect(a.sync.status.phase).toBe('waitingForToken')
    await a.sync.sync()
    expect(a.sync.status).toMatchObject({ phase: 'idle', lastError: null })
  })

  test.each([undefined, null, '', 7])(
    'none: %s -> unauthorized, until there is one',
    async (none) => {
      const server = new ModelServer()
      let token: unknown = none
      const authTokenProvider = () => token as string // an application's mistake, or nobody has signed in
      const { device: a, timers } = await timed(server, { authTokenProvider })
      await a.sync.start()
      await settle()
      expect(a.sync.status).toMatchObject({
        phase: 'waitingForToken',
        lastError: { code: 'unauthorized' },
      })
      token = server.token
      await timers.advance(60_000)
      expect(a.sync.status).toMatchObject({ phase: 'idle', lastError: null })
    },
  )
})

describe('status', () => {
  test('pending and state: -> follow commits and answers', async () => {
    const server = new ModelServer()
    const a = await device(server)
    await a.sync.sync()
    await a.addToken('n1', 'one')
    expect(a.sync.stateOf('notes', 'n1')).toBe('pending')
    expect(a.sync.status.pending).toBe(1)
    await a.sync.sync()
    expect(a.sync.stateOf('notes', 'n1')).toBe('synced')
    expect(a.sync.status).toMatchObject({ pending: 0, cursor: server.database.head })
  })

  test('first sync: -> progress up to the number of entities', async () => {
    const server = new ModelServer({ limits: { maxPullOps: 3 } })
    const [a, b] = [await device(server), await device(server)]
    for (let i = 0; i < 10; i++) await a.addToken(`n${i}`, 'x')
    await a.sync.sync()
    const seen: (number | undefined)[] = []
    b.sync.on('status', ({ progress }) => seen.push(progress?.done))
    await b.sync.sync()
    expect(seen.filter((done) => done !== undefined)).toEqual(
      expect.arrayContaining([0, 3, 6, 9, 10]),
    )
    expect(b.sync.status.progress).toBeNull()
  })

  test('constructor: plain http, no dbId, times that are none, a resolver that is none -> refused', async () => {
    const a = await device(new ModelServer())
    const config = { dbId: 'test', authTokenProvider: () => 'x' }
    const make = (change: object) => () =>
      new EntiDBSync({
        db: a.db as never,
        config: { ...config, serverUrl: 'https://x', ...change },
      })
    expect(make({ serverUrl: 'http://example.org' })).toThrowError(
      expect.objectContaining({ code: 'insecure_url' }),
    )
    expect(make({ dbId: '../x' })).toThrow(TypeError)
    expect(make({ deviceId: 'server' })).toThrow(TypeError)
    for (const name of ['pollIntervalMs', 'requestTimeoutMs', 'resolverTimeLimitMs']) {
      for (const value of [0, -1, Number.NaN, '1 s']) {
        expect(make({ [name]: value })).toThrow(TypeError)
      }
      expect(make({ [name]: Number.POSITIVE_INFINITY })).not.toThrow()
    }
    expect(make({ conflictResolver: () => ({ type: 'takeRemote' }) })).toThrow(TypeError)
  })
})
