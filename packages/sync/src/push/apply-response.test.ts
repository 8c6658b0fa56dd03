import { encodeEntity } from '@entidb/core/cbor'
import type { PushResponse } from '@entidb/protocol'
import { describe, expect, test } from 'vitest'
import { changeEpoch } from '../handshake/epoch-change.ts'
import { freeze, openStore } from '../test-kit/store.test-kit.ts'
import { applyPushResponse } from './apply-response.ts'

const context = { nowMs: 0, onViolation: () => {} }

async function frozenEdit() {
  const { db, store } = await openStore()
  await db.collection('notes').put({ id: 'n1', tokens: [] })
  return { db, store, request: await freeze(store) }
}

function committed(opIds: readonly number[], change: Partial<PushResponse> = {}): PushResponse {
  return {
    acknowledgedUpToOpId: opIds.at(-1) ?? 0,
    conflicts: [],
    committed: opIds.map((opId, index) => ({ opId, entityVersion: 101 + index })),
    ...change,
  }
}

describe('push response', () => {
  test('answers the frozen batch: -> settled, the batch is gone', async () => {
    const { db, store, request } = await frozenEdit()
    const response = committed(request.ops.map(({ opId }) => opId))
    await store.transaction((tx) => applyPushResponse(tx, request, response, context))
    expect(store.frozen).toBeNull()
    expect(await db.collection('notes').getRaw('n1')).toMatchObject({ version: 101 })
  })

  test('comes a second time, or for another batch: -> thrown away', async () => {
    const { db, store, request } = await frozenEdit()
    const response = committed(request.ops.map(({ opId }) => opId))
    const apply = (batch: number) =>
      store.transaction((tx) => applyPushResponse(tx, { ...request, batch }, response, context))
    expect(await apply(request.batch + 1)).toBeUndefined()
    expect(store.frozen).not.toBeNull()
    expect(await apply(request.batch)).toBeDefined()
    expect(await apply(request.batch)).toBeUndefined()
    await db.collection('notes').put({ id: 'n2', tokens: [] })
    await freeze(store)
    expect(await apply(request.batch)).toBeUndefined()
    expect(store.frozen?.ops).toHaveLength(1)
  })

  test.each([
    ['silent on an operation', committed([])],
    ['about an operation that was not sent', committed([1, 99])],
    ['without a revision for a put', committed([], { committed: [{ opId: 1, entityVersion: 0 }] })],
  ])('%s: -> invalid_response, nothing applied', async (_, response) => {
    const { store, request } = await frozenEdit()
    await expect(
      store.transaction((tx) => applyPushResponse(tx, request, response, context)),
    ).rejects.toMatchObject({ code: 'invalid_response' })
    expect(store.frozen?.ops).toHaveLength(1)
  })

  test('nothing came in between: -> the cursor moves to the head, else it stays', async () => {
    for (const [headBefore, cursor] of [
      [0, 101],
      [50, 0],
    ] as const) {
      const { store, request } = await frozenEdit()
      const response = committed([request.ops[0]?.opId ?? 0], { headBefore, head: 101 })
      await store.transaction((tx) => applyPushResponse(tx, request, response, context))
      expect(store.state.cursor).toBe(cursor)
    }
  })

  test('a conflict that settles itself, then a server without that state: -> it is offered again', async () => {
    const { db, store, request } = await frozenEdit()
    await db.collection('notes').put({ id: 'n1', tokens: ['both'] })
    const serverState = {
      entityVersion: 101,
      entityCbor: encodeEntity({ id: 'n1', tokens: ['both'] }),
    }
    const [{ opId = 0 } = {}] = request.ops
    const clientOp = {
      ...{ opId, dbId: 'test', deviceId: 'd', collection: 'notes', entityId: 'n1' },
      ...{ opType: 'DELETE' as const, entityVersion: 0, entityCbor: null },
    }
    const conflict = { collection: 'notes', entityId: 'n1', clientOp, serverState }
    const response = committed([], { conflicts: [conflict] })
    await store.transaction((tx) => applyPushResponse(tx, request, response, context))
    expect(await db.collection('notes').getRaw('n1')).toMatchObject({ version: 101 })
    const parting = { point: 50, epoch: new Uint8Array(16), history: [], purgedThrough: 0 }
    expect(await store.transaction((tx) => changeEpoch(tx, parting))).toBe(1)
  })

  test('names another entity in a conflict: -> invalid_response', async () => {
    const { store, request } = await frozenEdit()
    const [op] = request.ops
    const clientOp = {
      opId: op?.opId ?? 0,
      dbId: 'test',
      deviceId: 'x',
      collection: 'notes',
      entityId: 'other',
      opType: 'DELETE' as const,
      entityVersion: 0,
      entityCbor: null,
    }
    const serverState = { entityVersion: 0, entityCbor: null }
    const conflict = { collection: 'notes', entityId: 'other', clientOp, serverState }
    const response = { acknowledgedUpToOpId: 1, conflicts: [conflict], committed: [] }
    await expect(
      store.transaction((tx) => applyPushResponse(tx, request, response, context)),
    ).rejects.toMatchObject({ code: 'invalid_response' })
  })
})
