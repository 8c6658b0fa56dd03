import { decodePushRequest, PUSH_PATH } from '@entidb/protocol'
import { describe, expect, test } from 'vitest'
import type { SyncConfig } from './config.ts'
import type { OpenConflict, SyncedEntity } from './conflicts/conflict-types.ts'
import { type Device, syncAll } from './test-kit/device.test-kit.ts'
import type { ModelOptions } from './test-kit/model-database.test-kit.ts'
import type { Fault } from './test-kit/model-server.test-kit.ts'
import { expectConverged, openPair } from './test-kit/pair.test-kit.ts'

describe('groups', () => {
  async function transfer(device: Device, from: string, to: string, amount: number) {
    await device.db.transaction(async (tx) => {
      const accounts = tx.collection('accounts')
      const [a, b] = [await accounts.get(from), await accounts.get(to)]
      await accounts.put({ id: from, balance: (a?.balance ?? 0) - amount })
      await accounts.put({ id: to, balance: (b?.balance ?? 0) + amount })
    })
  }

  async function bank(config: Partial<SyncConfig>) {
    const { server, a, b } = await openPair(config)
    for (const id of ['x', 'y', 'z']) await a.db.collection('accounts').put({ id, balance: 100 })
    await syncAll(a, b)
    await transfer(a, 'x', 'y', 10)
    await transfer(b, 'y', 'z', 5)
    await transfer(b, 'z', 'x', 1)
    await a.sync.sync()
    return { server, a, b }
  }

  const balance = async (device: Device, id: string) =>
    (await device.db.collection('accounts').get(id))?.balance

  test('one entity conflicts: -> the whole group is held, and dropped together', async () => {
    const { server, a, b } = await bank({})
    await b.sync.sync()
    const [conflict] = await b.sync.conflicts.list()
    expect(conflict?.group.map(({ entityId }) => entityId).length).toBe(2)
    expect(server.database.live().size).toBe(3)
    for (const each of await b.sync.conflicts.list()) {
      await b.sync.conflicts.resolve(each.id, { type: 'takeRemote' })
      break
    }
    await syncAll(b, a)
    expect([await balance(b, 'x'), await balance(b, 'y'), await balance(b, 'z')]).toEqual([
      90, 110, 100,
    ])
    await expectConverged(server, a, b)
  })

  test('several conflicts in one group: -> each wants its answer before anything is sent', async () => {
    const { server, a, b } = await bank({})
    await b.sync.sync()
    let rounds = 0
    for (;;) {
      const [conflict] = await b.sync.conflicts.list()
      if (conflict === undefined) break
      rounds += 1
      await b.sync.conflicts.resolve(conflict.id, { type: 'keepLocal' })
    }
    expect(rounds).toBe(2)
    await syncAll(b, a)
    expect([await balance(a, 'x'), await balance(a, 'y'), await balance(a, 'z')]).toEqual([
      101, 95, 104,
    ])
    await expectConverged(server, a, b)
  })

  test('several conflicts in one group, one merged to what the server has: -> no edit of that is left', async () => {
    const { server, a, b } = await bank({})
    await b.sync.sync()
    const [conflict] = await b.sync.conflicts.list()
    const { id, entityId, remote } = conflict as OpenConflict
    await b.sync.conflicts.resolve(id, { type: 'merge', entity: remote.entity as SyncedEntity })
    expect(b.sync.stateOf('accounts', entityId)).toBe('synced')
    await a.db.collection('accounts').put({ id: entityId, balance: 7 })
    await syncAll(a, b)
    const others = await b.sync.conflicts.list()
    expect(others.map((each) => each.entityId)).not.toContain(entityId)
    expect(await balance(b, entityId)).toBe(7)
    for (const each of others) {
      await b.sync.conflicts.resolve(each.id, { type: 'keepLocal' })
    }
    await syncAll(b, a)
    await expectConverged(server, a, b)
  })

  test('resolveGroup: -> decides member by member', async () => {
    const { server, a, b } = await bank({
      conflictResolver: {
        resolve: () => ({ type: 'defer' }),
        resolveGroup: (members) =>
          members.map(({ local }) => ({
            type: local.entityId === 'z' ? ('keepLocal' as const) : ('takeRemote' as const),
          })),
      },
    })
    await syncAll(b, a)
    expect([await balance(a, 'x'), await balance(a, 'y'), await balance(a, 'z')]).toEqual([
      90, 110, 104,
    ])
    await expectConverged(server, a, b)
  })

  test('a later edit of a held entity: -> joins the group; unrelated ones flow', async () => {
    const { server, b } = await bank({})
    await b.sync.sync()
    await transfer(b, 'z', 'w', 50)
    await b.addToken('n1', 'free')
    await b.sync.sync()
    expect(b.sync.stateOf('accounts', 'w')).toBe('held')
    expect(b.sync.stateOf('notes', 'n1')).toBe('synced')
    expect([...server.database.live().keys()]).not.toContain('accounts/w')
  })

  test('transaction beyond the limits: -> sent in parts, told', async () => {
    const { server, a, b } = await openPair({}, { limits: { maxOpsPerPush: 4 } })
    const splits: unknown[] = []
    a.sync.on('split', (split) => splits.push(split))
    await a.db.transaction(async (tx) => {
      for (let i = 0; i < 10; i++) await tx.collection('notes').put({ id: `n${i}`, tokens: [] })
    })
    await a.addToken('after', 'x')
    await syncAll(a, b)
    expect(splits.length).toBeGreaterThan(0)
    await expectConverged(server, a, b)
  })

  test('transaction beyond the limits: -> one entry of the ledger, with all of it', async () => {
    const { server, a } = await openPair({}, { limits: { maxOpsPerPush: 3 } })
    const notes = Array.from({ length: 10 }, (_, i) => ({ id: `n${i}`, tokens: [] }))
    const receipt = await a.db.collection('notes').putMany(notes)
    let last: unknown
    server.fault = async ({ path }): Promise<Fault> => {
      const [entry] = await a.sync.ledger.list({ fate: 'inFlight' })
      if (path === PUSH_PATH && entry !== undefined) last = entry
      return 'pass'
    }
    await a.sync.sync()
    expect(last).toMatchObject({ entityCount: 10 })
    const entries = await a.sync.ledger.list()
    expect(entries).toMatchObject([{ fate: 'committed', entityCount: 10 }])
    const revisions = Object.fromEntries(
      server.database.oplog.map((op) => [`notes/${op.entityId}`, op.entityVersion]),
    )
    const named = entries[0]?.entities.map((each) => [`notes/${each.entityId}`, each.entityVersion])
    expect(Object.fromEntries(named ?? [])).toEqual(revisions)
    expect(await a.sync.settled(receipt)).toEqual({
      fate: 'committed',
      how: null,
      entityVersions: revisions,
    })
  })

  test('transaction of more bytes than are read at once, within the limits: -> sent whole', async () => {
    const { server, a } = await openPair()
    const split: number[] = []
    a.sync.on('split', ({ transactionId }) => split.push(transactionId))
    await a.addToken('before', 'x')
    const tokens = ['x'.repeat(900_000)]
    const notes = Array.from({ length: 6 }, (_, i) => ({ id: `n${i}`, tokens }))
    await a.db.collection('notes').putMany(notes)
    await a.sync.sync()
    expect(split).toEqual([])
    const pushes = server.requests.filter(({ path }) => path === PUSH_PATH)
    const sent = pushes.map(({ body }) => decodePushRequest(body).ops.length)
    expect(sent).toEqual([7])
    await expectConverged(server, a)
  })

  test('a part of a split transaction conflicts: -> the later parts are held with it', async () => {
    const { server, a, b } = await openPair({}, { limits: { maxOpsPerPush: 4 } })
    await a.addToken('n5', 'there')
    await a.sync.sync()
    await b.db.transaction(async (tx) => {
      for (let i = 0; i < 10; i++) await tx.collection('notes').put({ id: `n${i}`, tokens: ['b'] })
    })
    await b.sync.sync()
    const [conflict] = await b.sync.conflicts.list()
    expect(conflict?.entityId).toBe('n5')
    await b.sync.conflicts.resolve(conflict?.id ?? '', { type: 'keepLocal' })
    await syncAll(b, a)
    await expectConverged(server, a, b)
  })
})

describe('transaction in parts, of which one meets a conflict', () => {
  const ids = Array.from({ length: 10 }, (_, i) => `n${i}`)

  /** The second part of a transaction of B on all `ids` comes too late. Its receipt. */
  async function partConflicts(config: Partial<SyncConfig>) {
    const { server, a, b } = await openPair(config, { limits: { maxOpsPerPush: 3 } })
    await a.addToken('n4', 'base')
    await syncAll(a, b)
    const receipt = await b.db.collection('notes').putMany(ids.map((id) => ({ id, tokens: ['b'] })))
    let pushes = 0
    server.fault = async ({ path }): Promise<Fault> => {
      if (path === PUSH_PATH) pushes += 1
      if (pushes !== 2) return 'pass'
      server.fault = () => 'pass'
      await a.addToken('n4', 'a')
      await a.sync.sync()
      return 'pass'
    }
    return { server, a, b, receipt }
  }

  test.each(['takeRemote', 'keepLocal'] as const)(
    '%s by a resolver: -> that is what became of it, also once the rest of it was looked at',
    async (type) => {
      const conflictResolver = { resolve: () => ({ type }) }
      const { server, a, b, receipt } = await partConflicts({ conflictResolver })
      const told = b.sync.settled(receipt)
      await b.sync.sync()
      await syncAll(b, a)
      expect(await told).toMatchObject({ fate: 'conflict', how: type })
      expect(await b.sync.settled(receipt)).toMatchObject({ fate: 'conflict', how: type })
      const entries = await b.sync.ledger.list({ fate: 'conflict' })
      expect(entries).toMatchObject([
        { how: type, isSettled: true, hasKept: true, entityCount: ids.length },
      ])
      await expectConverged(server, a, b)
    },
  )

  test('decided by the application: -> that is what became of it, and it can be brought back', async () => {
    const { server, a, b, receipt } = await partConflicts({})
    await b.sync.sync()
    const held = await b.sync.ledger.list({ fate: 'conflict' })
    expect(held).toMatchObject([{ isSettled: false, entityCount: ids.length }])
    const [conflict] = await b.sync.conflicts.list()
    await b.sync.conflicts.resolve(conflict?.id ?? '', { type: 'takeRemote' })
    await syncAll(b, a)
    expect(await b.tokens('n9')).toEqual([])
    expect(await b.sync.settled(receipt)).toMatchObject({ fate: 'conflict', how: 'takeRemote' })
    await b.sync.ledger.restore(held[0]?.id ?? '')
    expect(await b.tokens('n9')).toEqual(['b'])
    await syncAll(b, a)
    await expectConverged(server, a, b)
  })

  test('read from the feed in several stretches: -> one entry of the ledger', async () => {
    const { server, a, b } = await openPair({}, { limits: { maxOpsPerPush: 3 } })
    await a.addToken('n4', 'base')
    await syncAll(a, b)
    await a.addToken('n4', 'a')
    await b.addToken('n4', 'b')
    await syncAll(a, b)
    const many = Array.from({ length: 5_000 }, (_, i) => ({ id: `n${i}`, tokens: ['b'] }))
    const receipt = await b.db.collection('notes').putMany(many)
    await b.sync.sync()
    const entries = async () =>
      (await b.sync.ledger.list()).map(({ fate, isSettled, entityCount }) => [
        fate,
        isSettled,
        entityCount,
      ])
    expect(await entries()).toEqual([
      ['conflict', false, 5_000],
      ['conflict', false, 1],
    ])
    const [conflict] = await b.sync.conflicts.list()
    await b.sync.conflicts.resolve(conflict?.id ?? '', { type: 'takeRemote' })
    await b.sync.sync()
    expect(await entries()).toEqual([
      ['conflict', true, 5_000],
      ['conflict', true, 1],
    ])
    expect(await b.sync.settled(receipt)).toMatchObject({ fate: 'conflict', how: 'takeRemote' })
    await expectConverged(server, a, b)
  })
})

describe('rejections', () => {
  const refuseBad: ModelOptions = {
    policy: ({ entityId }) =>
      entityId.startsWith('bad') ? { code: 'not_allowed', message: 'no' } : undefined,
  }

  test('a part of a split transaction is refused: -> the later parts are held with it, and nothing is sent again', async () => {
    const { server, a, b } = await openPair({}, { ...refuseBad, limits: { maxOpsPerPush: 2 } })
    const pushes = () => server.requests.filter(({ path }) => path === PUSH_PATH).length
    // Else it would go on for ever.
    server.fault = () => (pushes() > 5 ? 'refuse' : 'pass')
    await a.db.transaction(async (tx) => {
      for (const id of ['bad', 'n1', 'n2', 'n3', 'n4']) {
        await tx.collection('notes').put({ id, tokens: [] })
      }
    })
    await a.sync.sync()
    await a.sync.sync()
    expect(pushes()).toBe(1)
    const [rejection] = await a.sync.rejections.list()
    expect(rejection).toMatchObject({ entityId: 'bad', code: 'not_allowed' })
    expect(rejection?.group.length).toBe(5)
    await a.db.collection('notes').put({ id: 'bad', tokens: ['again'] })
    await a.sync.sync()
    expect(pushes()).toBe(2)
    await a.sync.rejections.discard((await a.sync.rejections.list())[0]?.id ?? '')
    await syncAll(a, b)
    await expectConverged(server, a, b)
  })

  test('refused: -> held and listed with its group; what follows flows', async () => {
    const { server, a, b } = await openPair({}, refuseBad)
    const told: unknown[] = []
    a.sync.on('rejected', (rejection) => told.push(rejection))
    await a.db.transaction(async (tx) => {
      await tx.collection('notes').put({ id: 'bad', tokens: [] })
      await tx.collection('notes').put({ id: 'mate', tokens: [] })
    })
    await a.addToken('good', 'x')
    await a.sync.sync()
    const rejections = await a.sync.rejections.list()
    expect(rejections).toMatchObject([
      {
        entityId: 'bad',
        code: 'not_allowed',
        outcomeUnknown: false,
        group: [
          { entityId: 'bad', code: 'not_allowed' },
          { entityId: 'mate', code: 'group' },
        ],
      },
    ])
    expect(told).toEqual(rejections)
    expect(a.sync.stateOf('notes', 'bad')).toBe('rejected')
    expect(await a.tokens('bad')).toEqual([])
    expect([...server.database.live().keys()]).toEqual(['notes/good'])
    await a.sync.rejections.discard(rejections[0]?.id ?? '')
    expect(await a.db.collection('notes').get('bad')).toBeUndefined()
    await syncAll(a, b)
    await expectConverged(server, a, b)
  })

  test('a part of a transaction: -> held with the rest of it, not sent again by itself', async () => {
    const policy = ({ entityId }: { readonly entityId: string }) =>
      entityId === 'bad' ? { code: 'not_allowed', message: 'no' } : undefined
    const { server, a } = await openPair({}, { policy, limits: { maxOpsPerPush: 2 } })
    const ids = ['fine', 'bad', 'n1', 'n2', 'n3']
    const receipt = await a.db.collection('notes').putMany(ids.map((id) => ({ id, tokens: [] })))
    const told: string[] = []
    a.sync.on('rejected', ({ entityId }) => told.push(entityId))
    await a.sync.sync()
    const pushes = () => server.requests.filter(({ path }) => path === PUSH_PATH).length
    expect(pushes()).toBe(1)
    expect(a.sync.status).toMatchObject({ pending: 0, held: 5 })
    const rejected = { fate: 'rejected', how: 'not_allowed' }
    expect(await a.sync.settled(receipt)).toMatchObject(rejected)
    const list = await a.sync.ledger.list()
    expect(list).toMatchObject([{ ...rejected, isSettled: false, entityCount: 5 }])
    expect(new Set(told)).toEqual(new Set(['bad']))
    await a.sync.sync()
    expect(pushes()).toBe(1)
    // An edit of it is what sends it again.
    await a.addToken('n3', 'edited')
    await a.sync.sync()
    expect(pushes()).toBe(2)
    expect(a.sync.status).toMatchObject({ pending: 0, held: 5 })
    const [rejection] = await a.sync.rejections.list()
    expect(await a.sync.rejections.discard(rejection?.id ?? '')).toBe(true)
    await a.sync.sync()
    expect(await a.sync.settled(receipt)).toMatchObject({ fate: 'rejected' })
    await expectConverged(server, a)
  })

  test('edited: -> the whole group is sent again under new opIds', async () => {
    const { server, a, b } = await openPair({}, refuseBad)
    const { receipt } = await a.db.transaction(async (tx) => {
      await tx.collection('notes').put({ id: 'bad', tokens: [] })
      await tx.collection('notes').put({ id: 'mate', tokens: [] })
      return tx
    })
    const told = a.sync.settled(receipt)
    await a.sync.sync()
    server.database.options = {}
    await a.sync.sync()
    expect(await a.sync.rejections.list()).toHaveLength(1)
    await a.addToken('mate', 'fixed')
    await a.sync.sync()
    expect(await a.sync.rejections.list()).toEqual([])
    // What the first was told, everyone is told, and the ledger says.
    const { fate, how } = await told
    expect(fate).toBe('rejected')
    expect(await a.sync.settled(receipt)).toMatchObject({ fate, how })
    await syncAll(a, b)
    await expectConverged(server, a, b)
  })

  test('entity larger than the server takes: -> rejected here, nothing wedges', async () => {
    const { server, a, b } = await openPair({}, { limits: { maxEntityBytes: 1_000 } })
    await a.addToken('big', 'x'.repeat(2_000))
    await a.addToken('small', 'x')
    expect(await a.sync.sync()).toMatchObject({ pushed: 1, rejected: 1 })
    expect(await a.sync.sync()).toMatchObject({ pushed: 0, rejected: 0 })
    expect(await a.sync.rejections.list()).toMatchObject([{ code: 'too_large', entityId: 'big' }])
    expect([...server.database.live().keys()]).toEqual(['notes/small'])
    await a.db.collection('notes').put({ id: 'big', tokens: ['short'] })
    await syncAll(a, b)
    await expectConverged(server, a, b)
  })

  test('an edit under way is discarded with a rejected group, and conflicts: -> not called committed, the remote transaction comes whole', async () => {
    const poison = { code: 'poison', message: 'no' }
    const { server, a, b } = await openPair(
      {},
      {
        policy: ({ entityId, deviceId }) =>
          entityId === 'n2' && deviceId === refused() ? poison : undefined,
      },
    )
    const refused = (): string => a.engine.identity.deviceId
    await a.addToken('n2', 'poison')
    await a.sync.sync()
    const receipt = await a.db.collection('notes').put({ id: 'n3', tokens: ['a'] })
    let isFirst = true
    const seen: string[] = []
    server.fault = async ({ path }): Promise<Fault> => {
      seen.push([...(await a.tokens('n3')), ...(await a.tokens('n4'))].join())
      if (path !== PUSH_PATH || !isFirst) return 'pass' as const
      isFirst = false
      await b.db.transaction(async (tx) => {
        await tx.collection('notes').put({ id: 'n3', tokens: ['b'] })
        await tx.collection('notes').put({ id: 'n4', tokens: ['b'] })
      })
      await b.sync.sync()
      await a.db.transaction(async (tx) => {
        await tx.collection('notes').put({ id: 'n2', tokens: ['again'] })
        await tx.collection('notes').put({ id: 'n3', tokens: ['a', 'more'] })
      })
      for (const { id } of await a.sync.rejections.list()) await a.sync.rejections.discard(id)
      return 'pass' as const
    }
    await a.sync.sync()
    expect(await a.tokens('n3')).toEqual(['b'])
    expect(seen).not.toContain('b') // one of the two that b wrote together
    expect(await a.sync.settled(receipt)).toMatchObject({ fate: 'conflict', how: 'takeRemote' })
    await expectConverged(server, a, b)
  })

  test('two conflicts end by themselves in one cycle: -> their edits are pushed again as two groups', async () => {
    const { server, a, b } = await openPair()
    for (const id of ['n1', 'n2']) await a.addToken(id, 'base')
    await syncAll(a, b)
    for (const id of ['n1', 'n2']) await b.addToken(id, 'b')
    for (const id of ['n1', 'n2']) await a.db.collection('notes').put({ id, tokens: ['a'] })
    await a.sync.sync()
    await b.sync.sync()
    expect(await b.sync.conflicts.list()).toHaveLength(2)
    for (const id of ['n1', 'n2']) await a.db.collection('notes').put({ id, tokens: ['base'] })
    await a.sync.sync()
    await b.sync.sync()
    const push = server.requests.findLast(({ path }) => path === PUSH_PATH)
    const { ops } = decodePushRequest(push?.body ?? new Uint8Array(0))
    expect(ops.map(({ entityId }) => entityId).sort()).toEqual(['n1', 'n2'])
    expect(new Set(ops.map(({ tx }) => tx)).size).toBe(2)
    await syncAll(a, b)
    await expectConverged(server, a, b)
  })
})
