import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryStorage, type Storage } from '@entidb/core'
import {
  decodeHandshakeResponse,
  decodePullResponse,
  decodePushResponse,
  encodeHandshakeRequest,
  encodePullRequest,
  encodePushRequest,
  type HandshakeResponse,
  type PushResponse,
} from '@entidb/protocol'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { staticTokens } from './auth/static-tokens.ts'
import {
  createSyncHandler,
  type SyncHandler,
  type SyncHandlerOptions,
} from './create-sync-handler.ts'
import { put, revisionOf } from './database/sync-database.test-kit.ts'
import { bytesOf, createTestHandler, makeRequest } from './http/sync-app.test-kit.ts'
import { createManualTimers } from './timers.test-kit.ts'

const auth = staticTokens({ write: { subject: 'ada', databases: '*', access: 'write' } })

/** Storages in memory that outlive their closing. */
function createStorages(): (dbId: string) => Storage {
  const storages = new Map<string, Storage>()
  return (dbId) => {
    const storage = storages.get(dbId) ?? memoryStorage()
    storages.set(dbId, storage)
    return storage
  }
}

const start = (options: Partial<SyncHandlerOptions>): SyncHandler =>
  createTestHandler({ storage: createStorages(), ...options })

async function pushOne(
  handler: SyncHandler,
  dbId: string,
  opId: number,
  base = 0,
): Promise<PushResponse> {
  const ops = [put(opId, 'x', base, opId, { dbId })]
  const body = encodePushRequest({ dbId, deviceId: 'device-a', ops })
  const response = await handler.fetch(makeRequest({ path: '/v1/push', body }))
  expect(response.status).toBe(200)
  return decodePushResponse(await bytesOf(response))
}

async function shake(handler: SyncHandler, dbId: string): Promise<HandshakeResponse> {
  const body = encodeHandshakeRequest({ dbId, deviceId: 'device-a' })
  const response = await handler.fetch(makeRequest({ body }))
  expect(response.status).toBe(200)
  return decodeHandshakeResponse(await bytesOf(response))
}

async function openCount(handler: SyncHandler): Promise<number> {
  const response = await handler.fetch(makeRequest({ path: '/metrics', method: 'GET' }))
  return Number(/^entidb_open_databases (\d+)$/m.exec(await response.text())?.[1])
}

/** Reads the stream up to an event that names `head`. */
async function waitForHead(stream: Response, head: number): Promise<void> {
  const reader = stream.body?.getReader()
  let text = ''
  while (!text.includes(`data: ${head}\n`)) {
    const { value, done } = (await reader?.read()) ?? { value: undefined, done: true }
    if (done) throw new Error(`the stream ended before ${head}: ${text}`)
    text += new TextDecoder().decode(value)
  }
  reader?.releaseLock()
}

/** Whether the stream ends by itself, whatever it says before. */
async function endOf(stream: Response): Promise<boolean> {
  const reader = stream.body?.getReader()
  for (;;) {
    const { value = new Uint8Array(), done } = (await reader?.read()) ?? { done: true }
    if (done) return true
    if (new TextDecoder().decode(value).includes('event: cursor')) return false
  }
}

const openStream = (handler: SyncHandler, dbId: string): Promise<Response> =>
  handler.fetch(makeRequest({ path: `/v1/stream?dbId=${dbId}`, method: 'GET' }))

describe('more databases than may be open', () => {
  test('a thousand touched in turn -> never more open than allowed, each keeps its data and its epoch', async () => {
    const handler = start({ limits: { maxOpenDatabases: 20 } })
    const ids = Array.from({ length: 1_000 }, (_, i) => `tenant-${i}`)
    const revisions = new Map<string, number>()
    for (let from = 0; from < ids.length; from += 50) {
      const some = ids.slice(from, from + 50)
      // More at once than may be open: some wait.
      const answers = await Promise.all(some.map((dbId) => pushOne(handler, dbId, 1)))
      for (const [i, dbId] of some.entries()) {
        revisions.set(dbId, answers[i]?.committed?.[0]?.entityVersion ?? 0)
      }
      expect(await openCount(handler)).toBeLessThanOrEqual(20)
    }
    for (const dbId of ids.filter((_, i) => i % 50 === 0)) {
      const again = await pushOne(handler, dbId, 2, revisions.get(dbId))
      expect(again.committed).toHaveLength(1)
      expect((await shake(handler, dbId)).history).toHaveLength(1)
    }
    await handler.close()
  }, 120_000) // files for a thousand databases are made and flushed

  test('closed for others before the first look -> what newer operations superseded is removed all the same', async () => {
    const handler = start({ limits: { maxOpenDatabases: 1 } })
    let base = 0
    for (let opId = 1; opId <= 10; opId++) {
      base = revisionOf(await pushOne(handler, 'shop', opId, base), opId)
      await pushOne(handler, 'other', opId, base)
    }
    const body = encodePullRequest({ dbId: 'shop', sinceCursor: 0 })
    const response = await handler.fetch(makeRequest({ path: '/v1/pull', body }))
    expect(decodePullResponse(await bytesOf(response)).ops).toHaveLength(1)
    await handler.close()
  })

  test('all in use -> requests wait for a place, in whatever order they come', async () => {
    const handler = start({ limits: { maxOpenDatabases: 2 } })
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, i) => pushOne(handler, `db-${i % 10}`, 1)),
    )
    expect(answers.every(({ committed }) => committed?.length === 1)).toBe(true)
    await handler.close()
  })

  test('closed while requests wait -> they are refused, and closing ends', async () => {
    const handler = start({ limits: { maxOpenDatabases: 1 } })
    const answers = Array.from({ length: 10 }, (_, i) => {
      const body = encodeHandshakeRequest({ dbId: `db-${i}`, deviceId: 'device-a' })
      return handler.fetch(makeRequest({ body }))
    })
    await new Promise((resolve) => setImmediate(resolve))
    await handler.close()
    for (const { status } of await Promise.all(answers)) expect([200, 503]).toContain(status)
  })

  test('one that was handed to the application -> stays open, and takes nobody a place', async () => {
    const handler = start({ limits: { maxOpenDatabases: 1 } })
    await pushOne(handler, 'kept', 1)
    const kept = await handler.database('kept')
    for (const dbId of ['one', 'two', 'three']) await pushOne(handler, dbId, 1)
    expect(await kept.stats()).toMatchObject({ liveEntities: 1 })
    expect(await openCount(handler)).toBe(2)
    await handler.close()
  })
})

describe('idle databases', () => {
  test('unused for a while -> closed; opened again without a new epoch', async () => {
    const timers = createManualTimers()
    const handler = start({ timers, limits: { idleDatabaseMs: 1_000 } })
    const first = revisionOf(await pushOne(handler, 'shop', 1), 1)
    await timers.run()
    expect(await openCount(handler)).toBe(0)
    expect(revisionOf(await pushOne(handler, 'shop', 2, first), 2)).toBe(first + 1)
    await handler.close()
  })

  test('a storage of the application -> stays open unless limits say otherwise', async () => {
    const timers = createManualTimers()
    const handler = createTestHandler({ timers })
    await pushOne(handler, 'shop', 1)
    await timers.run()
    expect(await openCount(handler)).toBe(1)
    await handler.close()
  })

  test('a stream of it -> does not keep it open, and is woken by the next push', async () => {
    const handler = start({ limits: { maxOpenDatabases: 1 } })
    const { head = 0 } = await pushOne(handler, 'shop', 1)
    const stream = await openStream(handler, 'shop')
    await waitForHead(stream, head)
    await pushOne(handler, 'other', 1)
    expect(await openCount(handler)).toBe(1)
    await pushOne(handler, 'shop', 2, head)
    await waitForHead(stream, head + 1)
    await handler.close()
  })
})

describe('files of an idle database', () => {
  let directory: string

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'entidb-idle-'))
  })

  afterEach(async () => {
    await rm(directory, { recursive: true, force: true })
  })

  test('put back from an older copy meanwhile -> a new epoch, no revision is used twice', async () => {
    const timers = createManualTimers()
    const dataDir = join(directory, 'data')
    const handler = createSyncHandler({ dataDir, timers, auth, createDatabases: true })
    const first = revisionOf(await pushOne(handler, 'shop', 1), 1)
    await timers.run()
    await expect.poll(() => openCount(handler)).toBe(0)
    await cp(join(dataDir, 'shop'), join(directory, 'copy'), { recursive: true })
    const second = revisionOf(await pushOne(handler, 'shop', 2, first), 2)
    await timers.run()
    await expect.poll(() => openCount(handler)).toBe(0)
    await rm(join(dataDir, 'shop'), { recursive: true })
    await cp(join(directory, 'copy'), join(dataDir, 'shop'), { recursive: true })
    const third = revisionOf(await pushOne(handler, 'shop', 3, first), 3)
    expect(third).toBeGreaterThan(second)
    expect((await shake(handler, 'shop')).history).toHaveLength(2)
    await handler.close()
  })

  test('put back meanwhile, with streams open -> they end, and the next ones name the head that there is', async () => {
    const dataDir = join(directory, 'data')
    const limits = { maxOpenDatabases: 1 }
    const handler = createSyncHandler({ dataDir, limits, auth, createDatabases: true })
    const putBack = async (): Promise<void> => {
      // Takes its place.
      await shake(handler, 'other')
      await rm(join(dataDir, 'shop'), { recursive: true })
      await cp(join(directory, 'copy'), join(dataDir, 'shop'), { recursive: true })
    }
    const first = revisionOf(await pushOne(handler, 'shop', 1), 1)
    await shake(handler, 'other')
    await cp(join(dataDir, 'shop'), join(directory, 'copy'), { recursive: true })
    await pushOne(handler, 'shop', 2, first)
    await putBack()
    const third = revisionOf(await pushOne(handler, 'shop', 3, first), 3)
    const { head = 0 } = await pushOne(handler, 'shop', 4, third)
    const stream = await openStream(handler, 'shop')
    await waitForHead(stream, head)
    await putBack()
    await pushOne(handler, 'shop', 2, first)
    expect(await endOf(stream)).toBe(true)
    const { serverCursor } = await shake(handler, 'shop')
    expect(serverCursor).toBeLessThan(head)
    await waitForHead(await openStream(handler, 'shop'), serverCursor)
    await handler.close()
  })
})
