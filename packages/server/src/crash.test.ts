import {
  decodePullResponse,
  decodePushResponse,
  encodePullRequest,
  encodePushRequest,
} from '@entidb/protocol'
import { describe, expect, test } from 'vitest'
import type { SyncHandler } from './create-sync-handler.ts'
import { fates, put } from './database/sync-database.test-kit.ts'
import { createFaultyStorage, type FaultyStorage } from './faulty-storage.test-kit.ts'
import { bytesOf, createTestHandler, errorOf, makeRequest } from './http/sync-app.test-kit.ts'

const start = (files: FaultyStorage): SyncHandler =>
  createTestHandler({ storage: () => files.storage })

function send(handler: SyncHandler, opId: number, entityId = `e${opId}`): Promise<Response> {
  const ops = [put(opId, entityId, 0, 'a')]
  const body = encodePushRequest({ dbId: 'shop', deviceId: 'device-a', ops })
  return handler.fetch(makeRequest({ path: '/v1/push', body }))
}

async function push(handler: SyncHandler, opId: number): Promise<Record<number, number | string>> {
  const response = await send(handler, opId)
  expect(response.status).toBe(200)
  return fates(decodePushResponse(await bytesOf(response)))
}

async function pullIds(handler: SyncHandler): Promise<string[]> {
  const body = encodePullRequest({ dbId: 'shop', sinceCursor: 0 })
  const response = await handler.fetch(makeRequest({ path: '/v1/pull', body }))
  expect(response.status).toBe(200)
  return decodePullResponse(await bytesOf(response)).ops.map((op) => op.entityId)
}

describe('crash', () => {
  test('dropped without closing -> what was acknowledged is there, repeats stay duplicates, a new epoch begins', async () => {
    const files = createFaultyStorage()
    const revisions: unknown[] = []
    let epoch: string | undefined
    for (let opId = 1; opId <= 5; opId++) {
      const handler = start(files)
      const answer = await push(handler, opId)
      revisions.push(answer[opId])
      expect(await pullIds(handler)).toEqual(Array.from({ length: opId }, (_, i) => `e${i + 1}`))
      const stats = await handler.stats('shop')
      expect(stats.epoch).not.toBe(epoch)
      epoch = stats.epoch
      expect(await push(handler, opId)).toEqual(answer)
    }
    expect(new Set(revisions).size).toBe(5)
  })

  test('a flush fails -> unavailable, never acknowledged; once flushes work the database is opened anew', async () => {
    const files = createFaultyStorage()
    const handler = start(files)
    await push(handler, 1)
    files.failing = true
    const refused = await send(handler, 2)
    expect(refused.headers.get('retry-after')).not.toBeNull()
    expect(await errorOf(refused)).toMatchObject({ status: 503, code: 'unavailable' })
    expect((await send(handler, 2)).status).toBe(503)
    files.failing = false
    const answer = await push(handler, 2)
    expect(answer[2]).toEqual(expect.any(Number))
    expect(await pullIds(handler)).toEqual(['e1', 'e2'])
    await handler.close()
  })

  test('a flush fails -> event streams of that database end', async () => {
    const files = createFaultyStorage()
    const handler = start(files)
    await push(handler, 1)
    const stream = await handler.fetch(makeRequest({ path: '/v1/stream?dbId=shop', method: 'GET' }))
    const ended = stream.text()
    files.failing = true
    await send(handler, 2)
    expect(await ended).toContain('event: cursor')
    files.failing = false
    await push(handler, 3)
    await handler.close()
  })
})
