import { describe, expect, test } from 'vitest'
import type { Identity } from '../auth/identity.ts'
import type { Policy } from './policy.ts'
import {
  dbId,
  deviceA,
  fates,
  openTestDatabase,
  pull,
  push,
  pushRequest,
  put,
  reader,
  writer,
} from './sync-database.test-kit.ts'

const ada: Identity = { subject: 'ada', databases: '*', access: 'write' }
const eve: Identity = { subject: 'eve', databases: '*', access: 'write' }

const owns = (identity: Identity, entityId: string): boolean =>
  entityId.startsWith(`${identity.subject}-`)

const ownOnly: Policy = {
  collections: {
    items: { read: owns },
    prices: { write: false },
    secrets: { read: false },
  },
}

const handshake = (database: Awaited<ReturnType<typeof openTestDatabase>>, identity: Identity) =>
  database.handshake({ dbId, deviceId: deviceA }, identity)

describe('policy', () => {
  test.each<[string, object]>([
    ['a rule', { collections: { items: { write: async () => false } } }],
    ['validate', { validate: async () => undefined }],
  ])('%s that is asynchronous -> the request fails, nothing is written', async (_, policy) => {
    const database = await openTestDatabase({ policy })
    const pushed = (async () => database.push(pushRequest([put(1, 'x', 0, 'a')]), ada))()
    await expect(pushed).rejects.toThrow(TypeError)
    expect((await database.stats()).liveEntities).toBe(0)
  })

  test('an operation on a hidden entity -> rejected as forbidden, never a conflict, existing or not', async () => {
    const database = await openTestDatabase({ policy: ownOnly })
    await database.push(pushRequest([put(1, 'ada-1', 0, 'mine')]), ada)
    const response = await database.push(
      pushRequest([
        put(1, 'ada-1', 0, 'theirs', { deviceId: 'eve' }),
        put(2, 'ada-2', 0, 'theirs', { deviceId: 'eve' }),
        put(3, 'eve-1', 0, 'own', { deviceId: 'eve' }),
      ]),
      eve,
    )
    expect(fates(response)).toEqual({ 1: 'forbidden', 2: 'forbidden', 3: expect.any(Number) })
    const [existing, missing] = response.rejected ?? []
    expect(existing?.message).toBe(missing?.message)
  })

  test('read without write -> rejected as forbidden with its group', async () => {
    const database = await openTestDatabase({ policy: ownOnly })
    const response = await push(database, [
      put(1, 'ada-1', 0, 'x', { tx: 1 }),
      put(2, 'p', 0, 'x', { tx: 1, collection: 'prices' }),
    ])
    expect(fates(response)).toEqual({ 1: 'group', 2: 'forbidden' })
  })

  test('pull -> hidden operations are left out and the cursor passes over them', async () => {
    const database = await openTestDatabase({ policy: ownOnly })
    await database.push(pushRequest([put(1, 'ada-1', 0, 'a'), put(2, 'ada-2', 0, 'a')]), ada)
    const page = await pull(database, {}, eve)
    expect(page).toMatchObject({ ops: [], nextCursor: await database.head(), hasMore: false })
    expect((await pull(database, {}, ada)).ops).toHaveLength(2)
  })

  test('handshake -> scope differs with what is visible, counts and digest keep hidden things hidden', async () => {
    const database = await openTestDatabase({ policy: ownOnly })
    await database.push(pushRequest([put(1, 'ada-1', 0, 'a')]), ada)
    const [hers, theirs] = [await handshake(database, ada), await handshake(database, eve)]
    expect(hers.scope).not.toBe(theirs.scope)
    expect(hers.scope).toBe((await handshake(database, { ...ada, access: 'read' })).scope)
    expect(theirs.counts).toEqual({})
    expect(theirs.capabilities.digest).toBe(false)
    const verify = { dbId, cursor: await database.head(), digest: new Uint8Array(32) }
    await expect(database.verify(verify, eve)).rejects.toMatchObject({ code: 'forbidden' })
  })

  test('scope given by the policy -> sent as it is', async () => {
    const policy = { ...ownOnly, scope: (identity: Identity) => `of ${identity.subject}` }
    const database = await openTestDatabase({ policy })
    expect((await handshake(database, eve)).scope).toBe('of eve')
  })

  test('handshake of a read-only identity -> no push capability', async () => {
    const database = await openTestDatabase()
    const { capabilities } = await database.handshake({ dbId, deviceId: deviceA }, reader)
    expect(capabilities).toMatchObject({ pull: true, push: false })
  })

  test('otherCollections -> rules of what is not named; a name like constructor is not named', async () => {
    const policy: Policy = { collections: { items: {} }, otherCollections: { write: false } }
    const database = await openTestDatabase({ policy })
    const response = await push(database, [
      put(1, 'x', 0, 'a'),
      put(2, 'x', 0, 'a', { collection: 'constructor' }),
    ])
    expect(fates(response)).toEqual({ 1: expect.any(Number), 2: 'forbidden' })
  })

  test('validate -> sees decoded and current states; its refusal rejects before a conflict', async () => {
    const seen: unknown[] = []
    const policy: Policy = {
      validate: (proposed, current, identity) => {
        seen.push([proposed.entity(), current.entity(), current.entityVersion, identity.subject])
        return proposed.operation.entityId === 'bad'
          ? { code: 'bad_item', message: 'No.' }
          : undefined
      },
    }
    const database = await openTestDatabase({ policy })
    const created = await push(database, [put(1, 'x', 0, 'a')])
    const response = await push(database, [put(2, 'bad', 77, 'b'), put(3, 'x', 0, 'c')])
    expect(fates(response)).toEqual({ 2: 'bad_item', 3: 'stale' })
    expect(seen).toEqual([
      [{ id: 'x', value: 'a' }, null, 0, 'ada'],
      [{ id: 'bad', value: 'b' }, null, 0, 'ada'],
      [{ id: 'x', value: 'c' }, { id: 'x', value: 'a' }, created.head, 'ada'],
    ])
  })

  test('validate throws -> the push fails and nothing is written', async () => {
    const policy: Policy = {
      validate: () => {
        throw new Error('bug')
      },
    }
    const database = await openTestDatabase({ policy })
    await expect(push(database, [put(1, 'x', 0, 'a')])).rejects.toThrow('bug')
    expect((await database.handshake({ dbId, deviceId: deviceA }, writer)).lastOpId).toBe(0)
  })
})
