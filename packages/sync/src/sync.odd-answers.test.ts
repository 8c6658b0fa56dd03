/** Answers that no server of the protocol gives: none of them is believed for ever, or asked for without end. */
import {
  decodeHandshakeResponse,
  decodePullResponse,
  decodePushRequest,
  decodePushResponse,
  encodeErrorResponse,
  encodeHandshakeResponse,
  encodePullResponse,
  encodePushResponse,
  HANDSHAKE_PATH,
  type HandshakeResponse,
  PULL_PATH,
  PUSH_PATH,
} from '@entidb/protocol'
import { describe, expect, test } from 'vitest'
import type { FetchLike } from './environment.ts'
import { syncAll } from './test-kit/device.test-kit.ts'
import {
  cborAnswer as cbor,
  type Fault,
  ModelServer,
  refusal,
} from './test-kit/model-server.test-kit.ts'
import { expectConverged, openDevice, openPair } from './test-kit/pair.test-kit.ts'

const NO_OP_ID = Number.MAX_SAFE_INTEGER - 1

/** `rewrite` makes another body of an answer; undefined: it goes on as it is. */
type Rewrite = (path: string, body: Uint8Array) => Uint8Array | undefined

/** A device between which and the server somebody rewrites answers, as long as there is a `rewrite`. */
async function rewritten(server: ModelServer) {
  const between: { rewrite: Rewrite | undefined } = { rewrite: undefined }
  const fetch: FetchLike = async (url, init) => {
    const response = await server.fetch(url, init)
    if (between.rewrite === undefined || response.status !== 200) return response
    const body = new Uint8Array(await (response as Response).arrayBuffer()) // the model's
    return cbor(between.rewrite(new URL(url).pathname, body) ?? body)
  }
  return { between, device: await openDevice(server, { fetch }) }
}

function handshakes(change: Partial<HandshakeResponse>): Rewrite {
  return (path, body) =>
    path === HANDSHAKE_PATH
      ? encodeHandshakeResponse({ ...decodeHandshakeResponse(body), ...change })
      : undefined
}

describe('handshake', () => {
  test.each([
    ['operations of this device that leave no number for another', { lastOpId: NO_OP_ID }],
    ['an epoch that is not the last of its history', { epoch: new Uint8Array(16).fill(7) }],
  ])('%s -> invalid_response; another answer, and everything goes on', async (_, change) => {
    const server = new ModelServer()
    const { between, device } = await rewritten(server)
    await device.addToken('n1', 'x')
    between.rewrite = handshakes(change)
    await expect(device.sync.sync()).rejects.toMatchObject({ code: 'invalid_response' })
    between.rewrite = undefined
    await device.sync.sync()
    await expectConverged(server, device)
  })
})

describe('pull', () => {
  test('a page that ends beyond its head -> invalid_response, and the cursor stays', async () => {
    const server = new ModelServer()
    const { between, device } = await rewritten(server)
    await device.sync.sync()
    const { cursor } = device.sync.status
    between.rewrite = (path, body) => {
      if (path !== PULL_PATH) return undefined
      const page = decodePullResponse(body)
      return encodePullResponse({ ...page, nextCursor: page.nextCursor + 1_000 })
    }
    await expect(device.sync.sync()).rejects.toMatchObject({ code: 'invalid_response' })
    expect(device.sync.status.cursor).toBe(cursor)
  })

  test('a page of a snapshot with a revision beyond its head -> invalid_response', async () => {
    const server = new ModelServer()
    const other = await openDevice(server)
    await other.addToken('n1', 'x')
    await syncAll(other)
    const { between, device } = await rewritten(server)
    between.rewrite = (path, body) => {
      if (path !== PULL_PATH) return undefined
      const { ops, ...page } = decodePullResponse(body)
      const through = page.nextCursor
      const beyond = ops.map((op) => ({ ...op, entityVersion: 2 ** 50 }))
      return encodePullResponse({ ...page, ops: beyond, head: through, snapshot: { through } })
    }
    await expect(device.sync.sync()).rejects.toMatchObject({ code: 'invalid_response' })
    between.rewrite = undefined
    await device.sync.sync()
    await device.addToken('n1', 'y')
    await syncAll(device, other)
    await expectConverged(server, device, other)
  })
})

describe('push', () => {
  test('op_id_reused after operations that leave no number for another -> invalid_response', async () => {
    const lastOpId = NO_OP_ID
    const server = new ModelServer()
    const device = await openDevice(server)
    await device.addToken('n1', 'x')
    server.fault = ({ path }) =>
      path === PUSH_PATH
        ? cbor(
            encodeErrorResponse({ code: 'op_id_reused', message: 'no', details: { lastOpId } }),
            409,
          )
        : 'pass'
    await expect(device.sync.sync()).rejects.toMatchObject({ code: 'invalid_response' })
    server.fault = () => 'pass'
    await device.sync.sync()
    await expectConverged(server, device)
  })

  test.each(['committed', 'conflicts'] as const)(
    'a revision beyond the head, among %s -> invalid_response',
    async (list) => {
      const server = new ModelServer()
      const { between, device } = await rewritten(server)
      const other = await openDevice(server)
      await other.addToken('n1', 'x')
      await device.addToken(list === 'committed' ? 'n2' : 'n1', 'y')
      const entityVersion = 2 ** 50
      between.rewrite = (path, body) => {
        if (path !== PUSH_PATH) return undefined
        const { committed = [], conflicts, ...response } = decodePushResponse(body)
        return encodePushResponse({
          ...response,
          committed: committed.map((op) => ({ ...op, entityVersion })),
          conflicts: conflicts.map((conflict) => ({
            ...conflict,
            serverState: { ...conflict.serverState, entityVersion },
          })),
        })
      }
      // Pushes what the device has not pulled.
      let hasPushed = false
      server.fault = async ({ path }): Promise<Fault> => {
        if (path !== PUSH_PATH || hasPushed) return 'pass'
        hasPushed = true
        await other.sync.sync()
        return 'pass'
      }
      await expect(device.sync.sync()).rejects.toMatchObject({ code: 'invalid_response' })
      between.rewrite = undefined
      await device.sync.sync()
      expect(device.sync.status.held).toBe(list === 'committed' ? 0 : 1)
    },
  )

  test('accepted without a word about revisions, heads named -> learnt from the pull', async () => {
    const server = new ModelServer()
    const { between, device } = await rewritten(server)
    await device.addToken('n1', 'x')
    between.rewrite = (path, body) => {
      if (path !== PUSH_PATH) return undefined
      const { committed: _, ...bare } = decodePushResponse(body)
      return encodePushResponse(bare)
    }
    await device.sync.sync()
    expect(device.sync.stateOf('notes', 'n1')).toBe('synced')
    await device.addToken('n1', 'y')
    await device.sync.sync()
    await expectConverged(server, device)
  })

  test("a head beyond what was pushed -> nobody else's edits are passed over", async () => {
    const server = new ModelServer()
    const { between, device } = await rewritten(server)
    const other = await openDevice(server)
    await device.sync.sync()
    await device.addToken('n1', 'x')
    between.rewrite = (path, body) => {
      if (path !== PUSH_PATH) return undefined
      const response = decodePushResponse(body)
      return encodePushResponse({ ...response, head: (response.head ?? 0) + 1_000 })
    }
    await device.sync.sync()
    between.rewrite = undefined
    await other.addToken('n2', 'x')
    await syncAll(other, device)
    await expectConverged(server, device, other)
  })

  test('saved unchanged, to a server that names no revisions -> later edits are pushed', async () => {
    const { server, a, b } = await openPair({}, { simple: true })
    for (const tokens of [['x'], ['x'], ['y']]) {
      await a.db.collection('notes').put({ id: 'n1', tokens })
      await syncAll(a)
    }
    await syncAll(b)
    await expectConverged(server, a, b)
    expect(await b.tokens('n1')).toEqual(['y'])
  })

  test('a conflict with the edit itself, at the revision it was made on -> invalid_response, and the edit waits', async () => {
    const server = new ModelServer()
    const device = await openDevice(server)
    await device.addToken('n1', 'x')
    await device.sync.sync()
    await device.addToken('n1', 'y')
    server.fault = ({ path, body }) => {
      const [clientOp] = path === PUSH_PATH ? decodePushRequest(body).ops : []
      if (clientOp === undefined) return 'pass'
      const { collection, entityId, entityVersion, entityCbor, opId } = clientOp
      const serverState = { entityVersion, entityCbor }
      const conflicts = [{ collection, entityId, clientOp, serverState }]
      return cbor(encodePushResponse({ acknowledgedUpToOpId: opId, conflicts, committed: [] }))
    }
    await expect(device.sync.sync()).rejects.toMatchObject({ code: 'invalid_response' })
    expect(device.sync.status.pending).toBe(1)
    server.fault = () => 'pass'
    await device.sync.sync()
    await expectConverged(server, device)
    expect(await device.tokens('n1')).toEqual(['x', 'y'])
  })

  test('a conflict with what the edit was made on, each time -> the cycle ends, the edit waits', async () => {
    const server = new ModelServer()
    const device = await openDevice(server)
    await device.addToken('n1', 'x')
    await device.sync.sync()
    await device.addToken('n1', 'y')
    let pushes = 0
    server.fault = ({ path, body }) => {
      const [clientOp] = path === PUSH_PATH ? decodePushRequest(body).ops : []
      if (clientOp === undefined) return 'pass'
      pushes += 1
      if (pushes > 20) throw new RangeError('without end')
      const { collection, entityId, entityVersion } = clientOp
      const entityCbor = server.database.live().get('notes/n1') ?? null
      const serverState = { entityVersion, entityCbor }
      const conflicts = [{ collection, entityId, clientOp, serverState }]
      const acknowledgedUpToOpId = clientOp.opId
      return cbor(encodePushResponse({ acknowledgedUpToOpId, conflicts, committed: [] }))
    }
    await device.sync.sync()
    expect(await device.tokens('n1')).toEqual(['x', 'y'])
    server.fault = () => 'pass'
    await device.sync.sync()
    await expectConverged(server, device)
  })
})

describe('an answer of something in between', () => {
  const HTML = { 'content-type': 'text/html' }

  test.each([
    [400, 'invalid_response', new Response('<html>', { status: 400, headers: HTML })],
    [403, 'invalid_response', new Response('<html>', { status: 403, headers: HTML })],
    [404, 'invalid_response', new Response(null, { status: 404 })],
    [409, 'invalid_response', cbor(Uint8Array.of(0xa0), 409)],
    [410, 'invalid_response', new Response(null, { status: 410 })],
    [500, 'unavailable', new Response('<html>', { status: 500, headers: HTML })],
  ])(
    'to a push, %i -> %s, each time; no edit is held, and all arrives later',
    async (_, code, bare) => {
      const { server, a, b } = await openPair()
      await a.addToken('n1', 'x')
      await b.addToken('n2', 'y')
      server.fault = ({ path }) => (path === PUSH_PATH ? bare.clone() : 'pass')
      for (let i = 0; i < 4; i++) {
        await expect(a.sync.sync()).rejects.toMatchObject({ code, retry: 'later' })
      }
      expect(await a.sync.rejections.list()).toEqual([])
      server.fault = () => 'pass'
      await syncAll(a, b)
      await expectConverged(server, a, b)
      expect(await b.tokens('n1')).toEqual(['x'])
    },
  )
})

test('an error page without end, to a push -> its status counts, it is not read, and no edit is held', async () => {
  const server = new ModelServer()
  const device = await openDevice(server)
  await device.addToken('n1', 'x')
  let pieces = 0
  let cancelled = 0
  server.fault = ({ path }) => {
    if (path !== PUSH_PATH) return 'pass'
    const page = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pieces += 1
        controller.enqueue(new Uint8Array(1024 * 1024))
      },
      cancel: () => {
        cancelled += 1
      },
    })
    return new Response(page, { status: 502, headers: { 'content-type': 'text/html' } })
  }
  await expect(device.sync.sync()).rejects.toMatchObject({ code: 'unavailable' })
  expect([pieces < 5, cancelled]).toEqual([true, 1])
  server.fault = () => 'pass'
  await device.sync.sync()
  await expectConverged(server, device)
})

describe('online', () => {
  test('answers of something in between -> false, until the server answers', async () => {
    const server = new ModelServer()
    const device = await openDevice(server)
    await device.sync.sync()
    expect(device.sync.status.online).toBe(true)
    server.fault = () => new Response('<html>', { headers: { 'content-type': 'text/html' } })
    await expect(device.sync.sync()).rejects.toMatchObject({ code: 'invalid_response' })
    expect(device.sync.status.online).toBe(false)
    server.fault = () => refusal('internal')
    await expect(device.sync.sync()).rejects.toMatchObject({ code: 'internal' })
    expect(device.sync.status.online).toBe(true)
  })
})

test('status: a cycle fails, then one succeeds -> phase and error change together', async () => {
  const server = new ModelServer()
  const device = await openDevice(server)
  const told: [string, string | undefined][] = []
  device.sync.on('status', ({ phase, lastError }) => told.push([phase, lastError?.code]))
  server.fault = () => refusal('unavailable')
  await device.sync.sync().catch(() => {})
  server.fault = () => refusal('unknown_database')
  await device.sync.sync().catch(() => {})
  server.fault = () => 'pass'
  await device.sync.sync()
  const resting = told.filter(([phase]) => ['backingOff', 'blocked', 'idle'].includes(phase))
  expect([...new Set(resting.map(String))]).toEqual([
    'backingOff,unavailable',
    'blocked,unknown_database',
    'idle,',
  ])
})
