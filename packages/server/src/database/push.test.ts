import { memoryStorage } from '@entidb/core'
import { encodeEntity } from '@entidb/core/cbor'
import { describe, expect, test } from 'vitest'
import {
  dbId,
  deviceA,
  deviceB,
  fates,
  openTestDatabase,
  pull,
  push,
  pushRequest,
  put,
  reader,
  remove,
  revisionOf,
} from './sync-database.test-kit.ts'

describe('accept rule', () => {
  test('push: base equals the revision -> committed with the next cursor as revision', async () => {
    const database = await openTestDatabase()
    const first = await push(database, [put(1, 'x', 0, 'a'), put(2, 'y', 0, 'b')])
    const before = first.headBefore ?? Number.NaN
    expect(fates(first)).toEqual({ 1: before + 1, 2: before + 2 })
    expect(first).toMatchObject({ acknowledgedUpToOpId: 2, conflicts: [], rejected: [] })
    expect(first.head).toBe(before + 2)
    const second = await push(database, [put(3, 'x', before + 1, 'c')])
    expect(fates(second)).toEqual({ 3: before + 3 })
    expect(second.headBefore).toBe(before + 2)
  })

  test('push: base is an older revision -> conflict with the state of the server, nothing written', async () => {
    const database = await openTestDatabase()
    const created = revisionOf(await push(database, [put(1, 'x', 0, 'a')]), 1)
    const changed = revisionOf(await push(database, [put(2, 'x', created, 'b')]), 2)
    const stale = put(1, 'x', created, 'c', { deviceId: deviceB, timestampMs: -5, tx: 7 })
    const response = await push(database, [stale])
    expect(response.conflicts).toEqual([
      {
        collection: 'items',
        entityId: 'x',
        clientOp: stale,
        serverState: {
          entityVersion: changed,
          entityCbor: encodeEntity({ id: 'x', value: 'b' }),
        },
        reason: 'stale',
      },
    ])
    expect(response).toMatchObject({ committed: [], acknowledgedUpToOpId: 1, head: changed })
    expect((await pull(database)).ops).toHaveLength(1 + 1)
  })

  test('push: base of an entity the server never had -> conflict with absent', async () => {
    const database = await openTestDatabase()
    const { conflicts } = await push(database, [put(1, 'x', 5, 'a')])
    expect(conflicts[0]?.serverState).toEqual({ entityVersion: 0, entityCbor: null })
  })

  test('delete and edit of one revision, both orders -> the later one conflicts', async () => {
    const database = await openTestDatabase()
    const created = await push(database, [put(1, 'x', 0, 'a'), put(2, 'y', 0, 'a')])
    const [x, y] = [revisionOf(created, 1), revisionOf(created, 2)]
    const deleted = revisionOf(await push(database, [remove(3, 'x', x)]), 3)
    const edit = await push(database, [put(1, 'x', x, 'b', { deviceId: deviceB })])
    expect(edit.conflicts[0]?.serverState).toEqual({ entityVersion: deleted, entityCbor: null })
    await push(database, [put(4, 'y', y, 'b')])
    expect(fates(await push(database, [remove(2, 'y', y, { deviceId: deviceB })]))).toEqual({
      2: 'stale',
    })
  })

  test('tombstone: an edit on its revision -> accepted; on 0 -> conflict', async () => {
    const database = await openTestDatabase()
    const created = revisionOf(await push(database, [put(1, 'x', 0, 'a')]), 1)
    const deleted = revisionOf(await push(database, [remove(2, 'x', created)]), 2)
    expect(fates(await push(database, [put(3, 'x', 0, 'b')]))).toEqual({ 3: 'stale' })
    expect(fates(await push(database, [put(4, 'x', deleted, 'b')]))).toEqual({ 4: deleted + 1 })
  })

  test.each([
    ['the same bytes on a stale base', () => put(2, 'x', 0, 'a')],
    ['the same bytes on its revision', (revision: number) => put(2, 'x', revision, 'a')],
  ])('no-op: %s -> committed at the current revision, no new cursor', async (_, make) => {
    const database = await openTestDatabase()
    const created = revisionOf(await push(database, [put(1, 'x', 0, 'a')]), 1)
    const response = await push(database, [make(created)])
    expect(fates(response)).toEqual({ 2: created })
    expect(response.head).toBe(created)
    expect((await pull(database)).ops).toHaveLength(1)
  })

  test('the same bytes of another schema version -> an edit like any other', async () => {
    const database = await openTestDatabase()
    const created = revisionOf(await push(database, [put(1, 'x', 0, 'a')]), 1)
    const renewed = (opId: number, base: number) => ({
      ...put(opId, 'x', base, 'a'),
      schemaVersion: 2,
    })
    expect(fates(await push(database, [renewed(2, 0)]))).toEqual({ 2: 'stale' })
    expect(fates(await push(database, [renewed(3, created)]))).toEqual({ 3: created + 1 })
    expect(fates(await push(database, [renewed(4, created)]))).toEqual({ 4: created + 1 })
    expect((await pull(database)).ops).toMatchObject([{ opId: 1 }, { opId: 3, schemaVersion: 2 }])
  })

  test('no-op: a delete of what never was, whatever its base -> committed at 0', async () => {
    const database = await openTestDatabase()
    const response = await push(database, [remove(1, 'x', 0), remove(2, 'y', 99)])
    expect(fates(response)).toEqual({ 1: 0, 2: 0 })
    expect(response.head).toBe(response.headBefore)
  })

  test('no-op: a delete of what is deleted, whatever its base -> its tombstone revision', async () => {
    const database = await openTestDatabase()
    const created = revisionOf(await push(database, [put(1, 'x', 0, 'a')]), 1)
    const deleted = revisionOf(await push(database, [remove(2, 'x', created)]), 2)
    expect(fates(await push(database, [remove(3, 'x', 1)]))).toEqual({ 3: deleted })
  })
})

describe('duplicates', () => {
  test('the same batch again -> the same answer, nothing written', async () => {
    const database = await openTestDatabase()
    const ops = [put(1, 'x', 0, 'a'), remove(2, 'y', 0), put(3, 'z', 0, 'c')]
    const first = await push(database, ops)
    const again = await push(database, ops)
    expect(again.committed).toEqual(first.committed)
    expect(again.head).toBe(first.head)
    expect((await pull(database)).ops).toHaveLength(2)
  })

  test('a duplicate after others changed the entity -> its own revision, not theirs', async () => {
    const database = await openTestDatabase()
    const created = revisionOf(await push(database, [put(1, 'x', 0, 'a')]), 1)
    await push(database, [put(1, 'x', created, 'b', { deviceId: deviceB })])
    expect(fates(await push(database, [put(1, 'x', 0, 'a')]))).toEqual({ 1: created })
  })

  test('a conflict sent again -> decided anew with the later state', async () => {
    const database = await openTestDatabase()
    const created = revisionOf(await push(database, [put(1, 'x', 0, 'a')]), 1)
    const stale = put(1, 'x', 1, 'b', { deviceId: deviceB })
    expect(fates(await push(database, [stale]))).toEqual({ 1: 'stale' })
    await push(database, [put(2, 'x', created, 'b')])
    expect(fates(await push(database, [stale]))).toEqual({ 1: created + 1 })
  })

  test('the same opId with other content -> op_id_reused with lastOpId, nothing of the request written', async () => {
    const database = await openTestDatabase()
    await push(database, [put(1, 'x', 0, 'a'), put(9, 'y', 0, 'a')])
    const ops = [put(1, 'x', 0, 'other'), put(10, 'z', 0, 'new')]
    await expect(push(database, ops)).rejects.toMatchObject({
      code: 'op_id_reused',
      details: { lastOpId: 9 },
    })
    expect((await pull(database)).ops.map((op) => op.entityId)).toEqual(['x', 'y'])
    expect(fates(await push(database, [put(11, 'z', 0, 'later')]))).toMatchObject({
      11: expect.any(Number),
    })
  })

  test('content that is not hashed differs (time, group, schema version) -> still a duplicate', async () => {
    const database = await openTestDatabase()
    const first = await push(database, [put(1, 'x', 0, 'a')])
    const again = put(1, 'x', 0, 'a', { timestampMs: 5, tx: 3, schemaVersion: 2 })
    expect(fates(await push(database, [again]))).toEqual(fates(first))
  })

  test('a no-op is recorded -> its opId with other content is op_id_reused', async () => {
    const database = await openTestDatabase()
    await push(database, [remove(1, 'x', 0)])
    await expect(push(database, [put(1, 'x', 0, 'a')])).rejects.toMatchObject({
      code: 'op_id_reused',
    })
  })

  test('the same opId of another device -> not a duplicate', async () => {
    const database = await openTestDatabase()
    await push(database, [put(1, 'x', 0, 'a')])
    const other = put(1, 'y', 0, 'b', { deviceId: deviceB })
    expect(fates(await push(database, [other]))).toMatchObject({ 1: expect.any(Number) })
  })

  test('a new operation below the floor -> stale conflict even on the right base; a no-op is committed', async () => {
    const database = await openTestDatabase()
    const first = await push(database, [put(5, 'x', 0, 'a'), put(6, 'y', 0, 'a')])
    const late = await push(database, [put(3, 'z', 0, 'late'), put(4, 'x', 0, 'a')])
    expect(fates(late)).toEqual({ 3: 'stale', 4: revisionOf(first, 5) })
    expect(late.acknowledgedUpToOpId).toBe(4)
  })

  test('the floor never decreases -> an old request does not lower it', async () => {
    const database = await openTestDatabase()
    await push(database, [put(5, 'x', 0, 'a')])
    await push(database, [put(2, 'y', 0, 'a')])
    expect(fates(await push(database, [put(3, 'z', 0, 'a')]))).toEqual({ 3: 'stale' })
    expect(fates(await push(database, [put(6, 'z', 0, 'a')]))).toEqual({
      6: expect.any(Number),
    })
  })
})

describe('request', () => {
  test('empty push -> acknowledges the highest opId known of the device', async () => {
    const database = await openTestDatabase()
    const empty = pushRequest([])
    await expect(push(database, [], empty)).resolves.toMatchObject({ acknowledgedUpToOpId: 0 })
    await push(database, [put(7, 'x', 0, 'a')])
    const response = await push(database, [], empty)
    expect(response).toMatchObject({ acknowledgedUpToOpId: 7, conflicts: [], committed: [] })
  })

  test.each([
    ['opIds not increasing', [put(2, 'x', 0, 'a'), put(1, 'y', 0, 'b')]],
    ['one entity twice', [put(1, 'x', 0, 'a'), put(2, 'x', 0, 'b')]],
    ['dbId of an operation differs', [put(1, 'x', 0, 'a', { dbId: 'other' })]],
    [
      'deviceId of an operation differs',
      [put(1, 'x', 0, 'a'), put(2, 'y', 0, 'b', { deviceId: deviceB })],
    ],
  ])('request: %s -> invalid_request, nothing written', async (_, ops) => {
    const database = await openTestDatabase()
    const request = { dbId, deviceId: deviceA, ops }
    await expect(push(database, ops, request)).rejects.toMatchObject({ code: 'invalid_request' })
    expect((await pull(database)).ops).toEqual([])
  })

  test('request: more operations than the limit -> too_large with the limit', async () => {
    const database = await openTestDatabase({ limits: { maxOpsPerPush: 2 } })
    const ops = [1, 2, 3].map((opId) => put(opId, `x${opId}`, 0, 'a'))
    await expect(push(database, ops)).rejects.toMatchObject({
      code: 'too_large',
      details: { limit: 2 },
    })
  })

  test('entities from a time with a larger maxEntityBytes -> conflict with the whole of them', async () => {
    const storage = memoryStorage()
    const before = await openTestDatabase({ storage })
    const response = await push(before, [put(1, 'x', 0, 'x'.repeat(100_000))])
    await before.close()
    const database = await openTestDatabase({ storage, limits: { maxEntityBytes: 1_000 } })
    const [conflict] = (await push(database, [put(2, 'x', 0, 'small')])).conflicts
    expect(conflict?.serverState.entityVersion).toBe(revisionOf(response, 1))
    expect(conflict?.serverState.entityCbor?.length).toBeGreaterThan(100_000)
  })

  test('request: read-only identity -> forbidden', async () => {
    const database = await openTestDatabase()
    const request = pushRequest([put(1, 'x', 0, 'a')])
    await expect(database.push(request, reader)).rejects.toMatchObject({ code: 'forbidden' })
  })

  test('request: sinceCursor past the head -> cursor_ahead', async () => {
    const database = await openTestDatabase()
    const sinceCursor = (await database.head()) + 1
    await expect(push(database, [put(1, 'x', 0, 'a')], { sinceCursor })).rejects.toMatchObject({
      code: 'cursor_ahead',
    })
  })
})
