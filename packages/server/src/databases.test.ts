import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryStorage } from '@entidb/core'
import { encodeHandshakeRequest, encodePushRequest } from '@entidb/protocol'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { staticTokens } from './auth/static-tokens.ts'
import { createSyncHandler, type SyncHandler } from './create-sync-handler.ts'
import { put, writer } from './database/sync-database.test-kit.ts'
import { Databases, type DatabasesOptions } from './databases.ts'
import { createFaultyStorage } from './faulty-storage.test-kit.ts'
import { bytesOf, errorOf, makeRequest } from './http/sync-app.test-kit.ts'
import { resolveLimits } from './limits.ts'
import { silentLogger } from './logger.ts'
import { createManualTimers } from './timers.test-kit.ts'
import { systemTimers } from './timers.ts'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'entidb-server-'))
})

afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
})

function start(createDatabases: boolean): SyncHandler {
  return createSyncHandler({
    dataDir: join(directory, 'data'),
    auth: staticTokens({ write: { subject: 'ada', databases: '*', access: 'write' } }),
    createDatabases,
    logger: silentLogger,
  })
}

const handshake = (handler: SyncHandler, dbId: string): Promise<Response> =>
  handler.fetch(makeRequest({ body: encodeHandshakeRequest({ dbId, deviceId: 'device-a' }) }))

function pushOne(handler: SyncHandler, dbId: string): Promise<Response> {
  const ops = [put(1, 'x', 0, dbId, { dbId })]
  const body = encodePushRequest({ dbId, deviceId: 'device-a', ops })
  return handler.fetch(makeRequest({ path: '/v1/push', body }))
}

function createDatabases(options: Partial<DatabasesOptions> = {}): Databases {
  return new Databases({
    storage: () => memoryStorage(),
    createDatabases: false,
    bindDevices: false,
    closesIdle: false,
    limits: resolveLimits(),
    policy: {},
    logger: silentLogger,
    clock: Date.now,
    timers: systemTimers,
    retentionMs: 1_000,
    randomBytes: (count) => new Uint8Array(count),
    ...options,
  })
}

describe('databases of a storage', () => {
  test('names that are no database -> nothing is remembered of them', async () => {
    const databases = createDatabases()
    for (const dbId of ['one', 'two']) {
      const using = databases.use(dbId, async () => {})
      await expect(using).rejects.toMatchObject({ code: 'unknown_database' })
    }
    expect(databases.headsCount).toBe(0)
    await databases.close()
  })

  test('one that is always in use -> makes room for who waits, and waits in line itself', async () => {
    const timers = createManualTimers()
    const limits = resolveLimits({ maxOpenDatabases: 1 })
    const options = { createDatabases: true, closesIdle: true, limits, timers }
    const databases = createDatabases(options)
    const ends: (() => void)[] = []
    const useHot = (): Promise<void> =>
      databases.useFor('hot', writer, () => new Promise((resolve) => ends.push(resolve)))
    const first = useHot()
    await expect.poll(() => ends.length).toBe(1)
    const cold = databases.useFor('cold', writer, async ({ dbId }) => dbId)
    await new Promise((resolve) => setTimeout(resolve))
    await timers.run()
    // Keeps it in use beyond the first, if it need not wait.
    const second = useHot()
    await new Promise((resolve) => setTimeout(resolve))
    ends[0]?.()
    expect(await cold).toBe('cold')
    await expect.poll(() => ends.length).toBe(2)
    expect(databases.openCount).toBe(1)
    ends[1]?.()
    await Promise.all([first, second])
    await databases.close()
  })

  test('one that took long to open, and is always in use then -> makes room for who waits', async () => {
    const timers = createManualTimers()
    const limits = resolveLimits({ maxOpenDatabases: 1 })
    const slow = createFaultyStorage()
    let opened = (): void => {}
    slow.held = new Promise((resolve) => {
      opened = resolve
    })
    const storage = (dbId: string) => (dbId === 'hot' ? slow.storage : memoryStorage())
    const options = { createDatabases: true, closesIdle: true, limits, timers, storage }
    const databases = createDatabases(options)
    const ends: (() => void)[] = []
    const hot = databases.useFor('hot', writer, () => new Promise<void>((end) => ends.push(end)))
    const cold = databases.useFor('cold', writer, async ({ dbId }) => dbId)
    await new Promise((resolve) => setTimeout(resolve))
    await timers.run()
    opened()
    await expect.poll(() => ends.length).toBe(1)
    await timers.run()
    // It would keep the place, if it were not to be given away by now.
    const later = databases.useFor('hot', writer, () => new Promise<void>((end) => ends.push(end)))
    await new Promise((resolve) => setTimeout(resolve))
    ends[0]?.()
    expect(await cold).toBe('cold')
    await expect.poll(() => ends.length).toBe(2)
    ends[1]?.()
    await Promise.all([hot, later])
    await databases.close()
  })
})

test('closed while a request is on its way to a place, and all are taken -> it is refused', async () => {
  const timers = createManualTimers()
  const limits = resolveLimits({ maxOpenDatabases: 1 })
  const options = { createDatabases: true, closesIdle: true, limits, timers }
  const databases = createDatabases(options)
  await databases.useFor('hot', writer, async () => {})
  const cold = databases.useFor('cold', writer, async () => {})
  const refused = expect(cold).rejects.toMatchObject({ code: 'unavailable' })
  await databases.close()
  await refused
})

describe('databases in a folder', () => {
  test('each dbId -> a folder of its own; after a restart all is there', async () => {
    const first = start(true)
    for (const dbId of ['one', 'two']) expect((await pushOne(first, dbId)).status).toBe(200)
    await first.close()
    expect((await readdir(join(directory, 'data'))).sort()).toEqual(['one', 'two'])
    const second = start(false)
    expect(await second.stats('one')).toMatchObject({ liveEntities: 1 })
    expect(await second.stats('two')).toMatchObject({ liveEntities: 1 })
    await second.close()
  })

  test('unknown, and may not be created -> refused without a trace', async () => {
    const handler = start(false)
    expect((await errorOf(await handshake(handler, 'one'))).code).toBe('forbidden')
    await expect(handler.stats('one')).rejects.toMatchObject({ code: 'unknown_database' })
    await expect(readdir(join(directory, 'data'))).rejects.toMatchObject({ code: 'ENOENT' })
    await handler.close()
  })

  test('a folder that holds none, and may not be made one -> refused, and left for who restores it', async () => {
    const folder = join(directory, 'data', 'one')
    await mkdir(folder, { recursive: true })
    const handler = start(false)
    await expect(handler.stats('one')).rejects.toMatchObject({ code: 'unknown_database' })
    expect(await readdir(folder)).toEqual([])
    await writeFile(join(folder, 'data.entidb.new'), 'half of it')
    const answer = await errorOf(await handshake(handler, 'one'))
    expect(answer).toMatchObject({ status: 503, code: 'unavailable' })
    expect(await readdir(folder)).toEqual(['data.entidb.new'])
    await handler.close()
  })

  test('many first requests at once -> opened once, all answered', async () => {
    const handler = start(true)
    const answers = await Promise.all(Array.from({ length: 10 }, () => handshake(handler, 'one')))
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200))
    await handler.close()
  })

  test('files that another process has open -> unavailable, and served once they are free', async () => {
    const other = start(true)
    await handshake(other, 'one')
    const handler = start(true)
    const refused = await handshake(handler, 'one')
    expect(await errorOf(refused)).toMatchObject({ status: 503, code: 'unavailable' })
    await other.close()
    expect((await bytesOf(await handshake(handler, 'one'))).length).toBeGreaterThan(0)
    expect((await handshake(handler, 'one')).status).toBe(200)
    await handler.close()
  })

  test('closed -> further requests are refused', async () => {
    const handler = start(true)
    await handshake(handler, 'one')
    await handler.close()
    expect((await handshake(handler, 'one')).status).toBe(503)
    await expect(handler.stats('one')).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('files that cannot be opened -> unavailable: whoever asks keeps what they have', async () => {
    const handler = start(true)
    await mkdir(join(directory, 'data', 'broken'), { recursive: true })
    await writeFile(join(directory, 'data', 'broken', 'data.entidb'), 'x'.repeat(8_192))
    await writeFile(join(directory, 'data', 'file'), '')
    for (const dbId of ['broken', 'file']) {
      const response = await pushOne(handler, dbId)
      expect(response.status).toBe(503)
      expect(await errorOf(response)).toMatchObject({ code: 'unavailable', retryAfterMs: 5_000 })
    }
    await handler.close()
  })
})
