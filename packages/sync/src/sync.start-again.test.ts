/** What is in the way of start() may pass: a full disk. */
import { EntiDB, EntiDBError, type ErrorCode, memoryStorage } from '@entidb/core'
import { afterEach, describe, expect, test } from 'vitest'
import { EntiDBSync } from './entidb-sync.ts'
import { coreEngine } from './state/core-engine.ts'
import type { Engine } from './state/engine.ts'
import { collections } from './test-kit/device.test-kit.ts'
import { FaultyEngine } from './test-kit/faulty-engine.test-kit.ts'
import { ManualTimers, settle } from './test-kit/manual-timers.test-kit.ts'
import { ModelServer } from './test-kit/model-server.test-kit.ts'

let close: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const each of close) await each()
  close = []
})

/** Its transactions fail with `code` until it is null. */
class FailingEngine extends FaultyEngine {
  readonly #inner: Engine
  code: ErrorCode | null = 'disk_full'

  constructor(inner: Engine) {
    super(inner)
    this.#inner = inner
    this.between = async () => {
      const { code } = this
      if (code === null) return
      throw new EntiDBError(code, 'no', { retry: code === 'disk_full' ? 'later' : 'no' })
    }
  }

  override claim(letGo: () => boolean): () => void {
    return this.#inner.claim(letGo)
  }
}

/** A client on a disk that is full, with full jitter at its ceiling. */
async function onFullDisk() {
  const server = new ModelServer()
  const db = await EntiDB.open({ storage: memoryStorage(), collections, changeFeed: true })
  const engine = new FailingEngine(coreEngine(db))
  const timers = new ManualTimers()
  const config = {
    serverUrl: 'https://sync.test',
    dbId: 'test',
    authTokenProvider: () => 'secret',
    stream: false,
    fetch: server.fetch,
    environment: { timers, random: () => 0.999999999, now: () => timers.nowMs },
  }
  const sync = new EntiDBSync({ db, config }, engine)
  const errors: string[] = []
  sync.on('error', ({ code }) => errors.push(code))
  close.push(async () => {
    await sync.stop()
    await db.close()
  })
  await db.collection('notes').put({ id: 'n1', tokens: ['x'] })
  return { server, db, engine, timers, sync, errors, config }
}

describe('start() on a full disk', () => {
  test('full for a while: -> told once, tried again with backoff, and it starts when there is room', async () => {
    const { server, engine, timers, sync, errors } = await onFullDisk()
    await sync.start()
    const delays: number[] = []
    for (let i = 0; i < 4; i++) {
      expect(sync.status).toMatchObject({ phase: 'backingOff', lastError: { code: 'disk_full' } })
      expect(timers.waiting).toHaveLength(1)
      delays.push(timers.waiting[0] ?? 0)
      await timers.advance(delays.at(-1) ?? 0)
    }
    expect(delays).toEqual([500, 1000, 2000, 4000])
    expect(errors).toEqual(['disk_full'])
    engine.code = null
    await timers.advance(8_000)
    expect(sync.status).toMatchObject({ phase: 'idle', pending: 0, lastError: null })
    expect(server.database.live().size).toBe(1)
    await timers.advance(60_000)
    expect(sync.status.phase).toBe('idle')
  })

  test('sync() meanwhile: -> its own error; with room it syncs, and sync is started then', async () => {
    const { server, db, engine, timers, sync } = await onFullDisk()
    await sync.start()
    await expect(sync.sync()).rejects.toMatchObject({ code: 'disk_full' })
    expect(sync.status.phase).toBe('backingOff')
    engine.code = null
    expect(await sync.sync()).toMatchObject({ pushed: 1 })
    await settle()
    await db.collection('notes').put({ id: 'n2', tokens: ['x'] })
    await settle()
    expect(server.database.live().size).toBe(2)
    expect(timers.waiting).toEqual([60_000])
  })

  test('stop() meanwhile: -> stopped, nothing is tried again; the next start() begins anew', async () => {
    const { server, engine, timers, sync } = await onFullDisk()
    await sync.start()
    await sync.stop()
    expect(timers.waiting).toEqual([])
    expect(sync.status.phase).toBe('stopped')
    engine.code = null
    await timers.advance(600_000)
    expect(server.requests).toEqual([])
    await expect(sync.sync()).rejects.toMatchObject({ code: 'sync_stopped' })
    await sync.start()
    await settle()
    expect(server.database.live().size).toBe(1)
  })

  test('stop() while it is being tried: -> stopped', async () => {
    const { engine, timers, sync } = await onFullDisk()
    await Promise.all([sync.start(), sync.stop()])
    expect(sync.status.phase).toBe('stopped')
    await Promise.all([sync.start(), sync.stop(), sync.start()])
    expect(sync.status.phase).toBe('backingOff')
    engine.code = null
    await timers.advance(500)
    expect(sync.status.phase).toBe('idle')
  })

  test('start() again: -> tried at once', async () => {
    const { server, engine, timers, sync } = await onFullDisk()
    await sync.start()
    await timers.advance(500)
    engine.code = null
    await sync.start()
    await settle()
    expect(server.database.live().size).toBe(1)
    expect(timers.waiting).toEqual([60_000])
  })

  test('another client meanwhile: -> refused, as while it is started', async () => {
    const { db, engine, sync, config, timers } = await onFullDisk()
    await sync.start()
    await expect(sync.sync()).rejects.toMatchObject({ code: 'disk_full' })
    const other = new EntiDBSync({ db, config })
    await expect(other.start()).rejects.toThrow(TypeError)
    engine.code = null
    await timers.advance(500)
    expect(sync.status.phase).toBe('idle')
    await sync.stop()
    await other.start()
    await other.stop()
  })

  test('signOut() meanwhile: -> refused, and it is tried again all the same; with room, nothing starts by itself', async () => {
    const { engine, timers, sync } = await onFullDisk()
    await sync.start()
    await expect(sync.signOut()).rejects.toMatchObject({ code: 'disk_full' })
    expect(timers.waiting).toHaveLength(1)
    expect(sync.status.phase).toBe('backingOff')
    engine.code = null
    const { unsynced } = await sync.signOut()
    expect(unsynced.pending).toBe(1)
    expect(timers.waiting).toEqual([])
  })

  test('something that does not pass: -> start() rejects; found when it is tried again: blocked, and told', async () => {
    const { engine, timers, sync, errors } = await onFullDisk()
    engine.code = 'io_failed'
    await expect(sync.start()).rejects.toMatchObject({ code: 'io_failed' })
    expect(timers.waiting).toEqual([])
    engine.code = 'disk_full'
    await sync.start()
    engine.code = 'io_failed'
    await timers.advance(500)
    expect(sync.status).toMatchObject({ phase: 'blocked', lastError: { code: 'io_failed' } })
    expect(errors).toEqual(['disk_full', 'io_failed'])
    engine.code = null
    await timers.advance(60_000)
    expect(sync.status).toMatchObject({ phase: 'idle', lastError: null })
  })
})

test('sync(), start(), stop(): -> what was asked for before start() ends, too', async () => {
  const { server, engine, sync } = await onFullDisk()
  engine.code = null
  server.fault = () => new Promise(() => {})
  const syncing = sync.sync()
  await settle()
  await sync.start()
  await sync.stop()
  await expect(syncing).rejects.toMatchObject({ code: 'sync_stopped' })
})
