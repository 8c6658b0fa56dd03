import { afterEach, describe, expect, test } from 'vitest'
import type { SyncConfig } from './config.ts'
import type { Resolution } from './conflicts/conflict-types.ts'
import { Device, syncAll, unionResolver } from './test-kit/device.test-kit.ts'
import type { ModelOptions } from './test-kit/model-database.test-kit.ts'
import { type Fault, ModelServer } from './test-kit/model-server.test-kit.ts'

let open: Device[] = []

afterEach(async () => {
  await Promise.all(open.map((device) => device.close()))
  open = []
})

async function device(server: ModelServer, config: Partial<SyncConfig> = {}): Promise<Device> {
  const opened = await Device.open({ fetch: server.fetch, config })
  open.push(opened)
  return opened
}

async function pair(
  config: Partial<SyncConfig> = {},
  options: ModelOptions = {},
): Promise<{ readonly server: ModelServer; readonly a: Device; readonly b: Device }> {
  const server = new ModelServer(options)
  return { server, a: await device(server, config), b: await device(server, config) }
}

const answering = (type: 'takeRemote' | 'keepLocal' | 'defer'): Partial<SyncConfig> => ({
  conflictResolver: { resolve: (): Resolution => ({ type }) },
})

async function expectConverged(server: ModelServer, ...devices: readonly Device[]): Promise<void> {
  const live = server.database.live()
  for (const each of devices) {
    const contents = await each.contents()
    expect([...contents.keys()].sort()).toEqual([...live.keys()].sort())
    for (const [key, bytes] of contents) expect(bytes).toEqual(live.get(key))
    expect(each.sync.status).toMatchObject({ pending: 0, held: 0 })
  }
}

describe('two devices', () => {
  test('edits and deletes travel: -> the same bytes everywhere', async () => {
    const { server, a, b } = await pair()
    await a.addToken('n1', 'one')
    await a.addToken('n2', 'two')
    await syncAll(a, b)
    expect(await b.tokens('n1')).toEqual(['one'])
    await b.db.collection('notes').delete('n2')
    await b.addToken('n1', 'three')
    await syncAll(b, a)
    expect(await a.tokens('n1')).toEqual(['one', 'three'])
    expect(await a.db.collection('notes').get('n2')).toBeUndefined()
    await expectConverged(server, a, b)
  })

  test('result: counts what moved', async () => {
    const { a, b } = await pair()
    await a.addToken('n1', 'one')
    expect(await a.sync.sync()).toMatchObject({ pulled: 0, pushed: 1, conflicts: 0, rejected: 0 })
    expect(await b.sync.sync()).toMatchObject({ pulled: 1, pushed: 0 })
    expect(await b.sync.sync()).toMatchObject({ pulled: 0, pushed: 0 })
  })

  test('many edits of one entity: -> one operation, on the first base', async () => {
    const { server, a } = await pair()
    for (const token of ['one', 'two', 'three']) await a.addToken('n1', token)
    await a.sync.sync()
    expect(server.database.oplog).toHaveLength(1)
    expect(server.database.oplog[0]?.opId).toBeGreaterThanOrEqual(3)
  })

  test('more operations than a push takes: -> several pushes', async () => {
    const { server, a, b } = await pair({}, { limits: { maxOpsPerPush: 3, maxPullOps: 2 } })
    for (let i = 0; i < 10; i++) await a.addToken(`n${i}`, 'x')
    await syncAll(a, b)
    await expectConverged(server, a, b)
  })

  test('delete and recreate: -> no conflict, one chain of revisions', async () => {
    const { server, a, b } = await pair()
    await a.addToken('n1', 'one')
    await syncAll(a, b)
    await a.db.collection('notes').delete('n1')
    await syncAll(a, b)
    await b.addToken('n1', 'again')
    await syncAll(b, a)
    expect(await a.tokens('n1')).toEqual(['again'])
    await expectConverged(server, a, b)
  })

  test('recreated where the delete was purged: -> accepted', async () => {
    const { server, a, b } = await pair()
    await a.addToken('n1', 'one')
    await syncAll(a, b)
    await a.db.collection('notes').delete('n1')
    await syncAll(a, b)
    server.database.purge()
    await b.addToken('n1', 'again')
    await syncAll(b, a)
    await expectConverged(server, a, b)
  })
})

describe('conflict', () => {
  async function bothEdit(config: Partial<SyncConfig>) {
    const { server, a, b } = await pair(config)
    await a.addToken('n1', 'base')
    await syncAll(a, b)
    await a.addToken('n1', 'a')
    await b.addToken('n1', 'b')
    await a.sync.sync()
    return { server, a, b }
  }

  test('takeRemote: -> the local edit is gone, on purpose', async () => {
    const { server, a, b } = await bothEdit(answering('takeRemote'))
    await syncAll(b, a)
    expect(await b.tokens('n1')).toEqual(['a', 'base'])
    await expectConverged(server, a, b)
  })

  test('keepLocal: -> the local edit on top of the remote one', async () => {
    const { server, a, b } = await bothEdit(answering('keepLocal'))
    await syncAll(b, a)
    expect(await a.tokens('n1')).toEqual(['b', 'base'])
    await expectConverged(server, a, b)
  })

  test('merge: -> both', async () => {
    const { server, a, b } = await bothEdit({ conflictResolver: unionResolver })
    await syncAll(b, a)
    expect(await a.tokens('n1')).toEqual(['a', 'b', 'base'])
    await expectConverged(server, a, b)
  })

  test('no resolver: -> listed with both sides and the base, local value visible', async () => {
    const { b } = await bothEdit({})
    const told: string[] = []
    b.sync.on('conflict', ({ id }) => told.push(id))
    await b.sync.sync()
    const conflicts = await b.sync.conflicts.list()
    expect(conflicts).toMatchObject([
      {
        collection: 'notes',
        entityId: 'n1',
        local: { opType: 'PUT', entity: { tokens: ['b', 'base'] } },
        remote: { entity: { tokens: ['a', 'base'] } },
        base: { entity: { tokens: ['base'] } },
        group: [],
      },
    ])
    expect(told).toEqual([conflicts[0]?.id])
    expect(await b.tokens('n1')).toEqual(['b', 'base'])
    expect(b.sync.stateOf('notes', 'n1')).toBe('held')
    expect(b.sync.status.held).toBe(1)
    await b.sync.sync()
    expect(told).toHaveLength(1)
  })

  test.each(['takeRemote', 'keepLocal'] as const)(
    'settled later by %s: -> converges',
    async (type) => {
      const { server, a, b } = await bothEdit({})
      await b.sync.sync()
      const [conflict] = await b.sync.conflicts.list()
      await b.sync.conflicts.resolve(conflict?.id ?? '', { type })
      expect(await b.sync.conflicts.list()).toEqual([])
      await syncAll(b, a)
      expect(await a.tokens('n1')).toEqual(type === 'takeRemote' ? ['a', 'base'] : ['b', 'base'])
      await expectConverged(server, a, b)
    },
  )

  test('edited while held: -> part of the local side, another id, the old id refused', async () => {
    const { server, a, b } = await bothEdit({})
    await b.sync.sync()
    const [before] = await b.sync.conflicts.list()
    await b.addToken('n1', 'later')
    await b.sync.sync()
    const [after] = await b.sync.conflicts.list()
    expect(after?.local.entity).toMatchObject({ tokens: ['b', 'base', 'later'] })
    await expect(
      b.sync.conflicts.resolve(before?.id ?? '', { type: 'keepLocal' }),
    ).rejects.toMatchObject({ code: 'conflict_changed', details: { id: after?.id } })
    await b.sync.conflicts.resolve(after?.id ?? '', { type: 'keepLocal' })
    await syncAll(b, a)
    expect(await a.tokens('n1')).toEqual(['b', 'base', 'later'])
    await expectConverged(server, a, b)
  })

  test('newer remote state while held: -> the conflict is with that one', async () => {
    const { a, b } = await bothEdit({})
    await b.sync.sync()
    await a.addToken('n1', 'more')
    await a.sync.sync()
    await b.sync.sync()
    const conflicts = await b.sync.conflicts.list()
    expect(conflicts.map(({ remote }) => remote.entity)).toMatchObject([
      { tokens: ['a', 'base', 'more'] },
    ])
  })

  test('both sides made the same edit: -> no one is asked', async () => {
    const { server, a, b } = await bothEdit({})
    await b.db.collection('notes').put({ id: 'n1', tokens: ['a', 'base'] })
    await b.sync.sync()
    expect(await b.sync.conflicts.list()).toEqual([])
    await expectConverged(server, a, b)
  })

  test.each(['takeRemote', 'keepLocal'] as const)(
    'edit against delete, %s: -> converges',
    async (type) => {
      for (const deleter of ['first', 'second'] as const) {
        const { server, a, b } = await pair(answering(type))
        await a.addToken('n1', 'base')
        await syncAll(a, b)
        const [editor, remover] = deleter === 'first' ? [b, a] : [a, b]
        await editor.addToken('n1', 'edit')
        await remover.db.collection('notes').delete('n1')
        await a.sync.sync()
        await syncAll(b, a)
        await expectConverged(server, a, b)
        const keeps = (type === 'keepLocal') === (deleter === 'first')
        expect(server.database.live().size).toBe(keeps ? 1 : 0)
      }
    },
  )

  test('both deleted: -> settled', async () => {
    const { server, a, b } = await pair()
    await a.addToken('n1', 'base')
    await syncAll(a, b)
    await a.db.collection('notes').delete('n1')
    await b.db.collection('notes').delete('n1')
    await syncAll(a, b)
    await expectConverged(server, a, b)
  })

  test('form saved late (basedOn): -> a conflict, as if the remote edit had met it', async () => {
    const { server, a, b } = await pair()
    await a.addToken('n1', 'base')
    await syncAll(a, b)
    const seen = await b.db.collection('notes').get('n1')
    await a.addToken('n1', 'a')
    await syncAll(a, b)
    if (seen === undefined) throw new Error('not there')
    await b.db.collection('notes').put({ id: 'n1', tokens: ['form'] }, { basedOn: seen })
    await b.sync.sync()
    const [conflict] = await b.sync.conflicts.list()
    expect(conflict).toMatchObject({
      local: { entity: { tokens: ['form'] } },
      remote: { entity: { tokens: ['a', 'base'] } },
      base: undefined,
    })
    await b.sync.conflicts.resolve(conflict?.id ?? '', {
      type: 'merge',
      entity: { id: 'n1', tokens: ['a', 'base', 'form'] } as never,
    })
    await syncAll(b, a)
    expect(await a.tokens('n1')).toEqual(['a', 'base', 'form'])
    await expectConverged(server, a, b)
  })

  test('resolver throws, hangs, answers nonsense: -> deferred, told, others go on', async () => {
    for (const resolve of [
      () => {
        throw new Error('boom')
      },
      () => new Promise<Resolution>(() => {}),
      () => ({ type: 'whatever' }) as never,
    ]) {
      const { b } = await bothEdit({ conflictResolver: { resolve }, resolverTimeLimitMs: 20 })
      await b.addToken('n2', 'other')
      await b.sync.sync()
      expect(b.errors).toEqual(['resolver_failed'])
      expect(await b.sync.conflicts.list()).toHaveLength(1)
      expect(b.sync.stateOf('notes', 'n2')).toBe('synced')
    }
  })

  test('resolver that always keeps and always loses the race: -> deferred after 8 rounds', async () => {
    const { server, a, b } = await bothEdit(answering('keepLocal'))
    let edits = 0
    server.fault = async ({ path }): Promise<Fault> => {
      if (path === '/v1/push' && edits < 100) {
        edits += 1
        server.fault = () => 'pass'
        await a.addToken('n1', `race${edits}`)
        await a.sync.sync()
        server.fault = raced
      }
      return 'pass'
    }
    const raced = server.fault
    await b.sync.sync()
    expect(edits).toBeLessThan(20)
    expect(await b.sync.conflicts.list()).toHaveLength(1)
  })
})

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
    const { server, a, b } = await pair(config)
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
    const { server, a, b } = await pair({}, { limits: { maxOpsPerPush: 4 } })
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

  test('a part of a split transaction conflicts: -> the later parts are held with it', async () => {
    const { server, a, b } = await pair({}, { limits: { maxOpsPerPush: 4 } })
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

describe('rejections', () => {
  const refuseBad: ModelOptions = {
    policy: ({ entityId }) =>
      entityId.startsWith('bad') ? { code: 'not_allowed', message: 'no' } : undefined,
  }

  test('refused: -> held and listed with its group; what follows flows', async () => {
    const { server, a, b } = await pair({}, refuseBad)
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

  test('edited: -> the whole group is sent again under new opIds', async () => {
    const { server, a, b } = await pair({}, refuseBad)
    await a.db.transaction(async (tx) => {
      await tx.collection('notes').put({ id: 'bad', tokens: [] })
      await tx.collection('notes').put({ id: 'mate', tokens: [] })
    })
    await a.sync.sync()
    server.database.options = {}
    await a.sync.sync()
    expect(await a.sync.rejections.list()).toHaveLength(1)
    await a.addToken('mate', 'fixed')
    await a.sync.sync()
    expect(await a.sync.rejections.list()).toEqual([])
    await syncAll(a, b)
    await expectConverged(server, a, b)
  })

  test('entity larger than the server takes: -> rejected here, nothing wedges', async () => {
    const { server, a, b } = await pair({}, { limits: { maxEntityBytes: 1_000 } })
    await a.addToken('big', 'x'.repeat(2_000))
    await a.addToken('small', 'x')
    await a.sync.sync()
    await a.sync.sync()
    expect(await a.sync.rejections.list()).toMatchObject([{ code: 'too_large', entityId: 'big' }])
    expect([...server.database.live().keys()]).toEqual(['notes/small'])
    await a.db.collection('notes').put({ id: 'big', tokens: ['short'] })
    await syncAll(a, b)
    await expectConverged(server, a, b)
  })
})
