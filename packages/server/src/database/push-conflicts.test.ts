import { EntiDB, memoryStorage } from '@entidb/core'
import { encodeEntity } from '@entidb/core/cbor'
import { describe, expect, test } from 'vitest'
import { operationKey, serverCollections } from './collections.ts'
import {
  deviceA,
  deviceB,
  fates,
  openTestDatabase,
  pull,
  push,
  put,
  remove,
} from './sync-database.test-kit.ts'

const limits = { maxConflictBytes: 5_000 }
const LARGE = 'x'.repeat(2_000)
const tooLarge = { code: 'too_large', details: { limit: limits.maxConflictBytes } }

/** `x0` to `x3` of 2,000 bytes each, by another device. */
async function withLargeEntities(storage = memoryStorage()) {
  const database = await openTestDatabase({ limits, storage })
  const ops = [0, 1, 2, 3].map((i) => put(i + 1, `x${i}`, 0, LARGE, { deviceId: deviceB }))
  await push(database, ops)
  return database
}

describe('more in conflicts than an answer may tell', () => {
  test('stale operations on large entities -> too_large, and nothing of the request is written', async () => {
    const database = await withLargeEntities()
    const head = await database.head()
    const ops = [put(1, 'new', 0, 'a'), ...[0, 1, 2].map((i) => put(i + 2, `x${i}`, 0, 'late'))]
    await expect(push(database, ops)).rejects.toMatchObject(tooLarge)
    expect(await database.head()).toBe(head)
    expect((await push(database, [])).acknowledgedUpToOpId).toBe(0)
    expect((await pull(database)).ops.map(({ entityId }) => entityId)).not.toContain('new')
    expect(fates(await push(database, ops.slice(0, 2)))).toEqual({ 1: head + 1, 2: 'stale' })
    expect(fates(await push(database, ops.slice(2)))).toEqual({ 3: 'stale', 4: 'stale' })
  })

  test('one conflict alone, of whatever size -> answered', async () => {
    const database = await openTestDatabase({ limits })
    const value = 'x'.repeat(20_000)
    await push(database, [put(1, 'x', 0, value)])
    const { conflicts } = await push(database, [remove(2, 'x', 0)])
    expect(conflicts[0]?.serverState.entityCbor).toEqual(encodeEntity({ id: 'x', value }))
  })

  test('a batch that was decided, sent again when its conflicts have grown -> in parts it is answered as before', async () => {
    const database = await openTestDatabase({ limits })
    const create = (opId: number, id: string, value: string) =>
      push(database, [put(opId, id, 0, value, { deviceId: deviceB })])
    await create(1, 'x', 'small')
    await create(2, 'y', 'small')
    const batch = [put(1, 'new', 0, 'a'), put(2, 'x', 0, 'b'), put(3, 'y', 0, 'c')]
    const decided = fates(await push(database, batch))
    expect(decided).toEqual({ 1: expect.any(Number), 2: 'stale', 3: 'stale' })
    const { ops } = await pull(database)
    const grown = ops
      .filter(({ deviceId }) => deviceId === deviceB)
      .map((op) =>
        put(op.opId + 2, op.entityId, op.entityVersion, LARGE + LARGE, { deviceId: deviceB }),
      )
    await push(database, grown)
    await expect(push(database, batch)).rejects.toMatchObject(tooLarge)
    const parts = [batch.slice(0, 2), batch.slice(2)]
    const again = { ...fates(await push(database, parts[0] ?? [])) }
    expect({ ...again, ...fates(await push(database, parts[1] ?? [])) }).toEqual(decided)
  })

  test('a group alone -> too_large; none of it is written, and other groups go on', async () => {
    const database = await withLargeEntities()
    const group = [put(1, 'x0', 0, 'late', { tx: 0 })].concat(
      [1, 2].map((i) => remove(i + 1, `x${i}`, 0, { tx: 0 })),
      put(4, 'new', 0, 'a', { tx: 0 }),
    )
    await expect(push(database, group)).rejects.toMatchObject(tooLarge)
    expect(fates(await push(database, [put(5, 'other', 0, 'a')]))).toEqual({
      5: await database.head(),
    })
  })

  test('large entities that are deleted on their revision -> committed: nothing is told of them', async () => {
    const database = await withLargeEntities()
    const { ops } = await pull(database)
    const deletes = ops.map((op, i) => remove(i + 1, op.entityId, op.entityVersion))
    expect((await push(database, deletes)).committed).toHaveLength(4)
  })
})

test('conflicts that are kept: a small state -> whole; a large one -> its revision and length', async () => {
  const storage = memoryStorage()
  const database = await openTestDatabase({ storage })
  const [small, large] = ['s'.repeat(4_000), 'l'.repeat(5_000)]
  const created = await push(database, [put(1, 'small', 0, small), put(2, 'large', 0, large)])
  await push(database, [put(3, 'small', 0, 'late'), put(4, 'large', 0, 'late'), put(5, 'no', 9, 1)])
  await database.close()
  const db = await EntiDB.open({ storage, collections: serverCollections })
  const keys = [3, 4, 5].map((opId) => operationKey(deviceA, opId))
  const rows = await db.collection('conflicts').getMany(keys)
  await db.close()
  const revisions = created.committed?.map(({ entityVersion }) => entityVersion) ?? []
  expect(rows.map((row) => row?.serverEntityVersion)).toEqual([...revisions, 0])
  expect(rows[0]?.serverEntityCbor).toEqual(encodeEntity({ id: 'small', value: small }))
  expect(rows[1]).not.toHaveProperty('serverEntityCbor')
  expect(rows[1]?.serverEntityBytes).toBe(encodeEntity({ id: 'large', value: large }).length)
  expect(rows[2]).toMatchObject({ serverEntityCbor: null })
  expect(rows[2]).not.toHaveProperty('serverEntityBytes')
})
