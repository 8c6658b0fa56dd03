import { versionOf } from '@entidb/core'
import { PUSH_PATH } from '@entidb/protocol'
import { describe, expect, test, vi } from 'vitest'
import type { SyncConfig } from './config.ts'
import type { ConflictResolver, Resolution } from './conflicts/conflict-types.ts'
import { mergeFields } from './resolvers/three-way.ts'
import { syncAll, unionResolver } from './test-kit/device.test-kit.ts'
import { ManualTimers } from './test-kit/manual-timers.test-kit.ts'
import type { Fault } from './test-kit/model-server.test-kit.ts'
import { expectConverged, openDevice, openPair } from './test-kit/pair.test-kit.ts'

const answering = (type: 'takeRemote' | 'keepLocal' | 'defer'): Partial<SyncConfig> => ({
  conflictResolver: { resolve: (): Resolution => ({ type }) },
})

describe('conflict', () => {
  async function bothEdit(config: Partial<SyncConfig>) {
    const { server, a, b } = await openPair(config)
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

  test('mergeFields: both fields -> on both devices', async () => {
    const resolver = mergeFields({ accounts: 'three-way' })
    const { server, a, b } = await openPair({ conflictResolver: resolver })
    await a.db.collection('accounts').put({ id: 'x', balance: 1, last: 'n' })
    await syncAll(a, b)
    await a.db.collection('accounts').put({ id: 'x', balance: 2, last: 'n' })
    await b.db.collection('accounts').put({ id: 'x', balance: 1, last: 'b' })
    await syncAll(a, b, a)
    const merged = { id: 'x', balance: 2, last: 'b' }
    expect(await a.db.collection('accounts').get('x')).toEqual(merged)
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

  test('another epoch gives its revision again: -> another conflict, the old id refused', async () => {
    const { server, a, b } = await openPair()
    const c = await openDevice(server)
    await a.addToken('n1', 'base')
    await syncAll(a, b, c)
    const backup = server.database.backup()
    server.database.beginEpoch()
    await a.addToken('n1', 'seen')
    await a.sync.sync()
    await b.addToken('n1', 'b')
    await b.sync.sync()
    const live = b.sync.conflicts.live()
    const [seen] = await b.sync.conflicts.list()
    server.database.restore(backup)
    await c.addToken('n1', 'unseen')
    await c.sync.sync()
    await b.sync.sync()
    const [present] = await b.sync.conflicts.list()
    expect(present?.remote.entityVersion).toBe(seen?.remote.entityVersion)
    expect(present?.remote.entity).toMatchObject({ tokens: ['base', 'unseen'] })
    await vi.waitFor(() => expect(live.getSnapshot()).toEqual([present]))
    live.close()
    const resolving = b.sync.conflicts.resolve(seen?.id ?? '', { type: 'takeRemote' })
    await expect(resolving).rejects.toMatchObject({
      code: 'conflict_changed',
      details: { id: present?.id },
    })
    await b.sync.conflicts.resolve(present?.id ?? '', { type: 'keepLocal' })
    await b.sync.sync()
    expect(b.sync.status).toMatchObject({ pending: 0, held: 0 })
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
        const { server, a, b } = await openPair(answering(type))
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
    const { server, a, b } = await openPair()
    await a.addToken('n1', 'base')
    await syncAll(a, b)
    await a.db.collection('notes').delete('n1')
    await b.db.collection('notes').delete('n1')
    await syncAll(a, b)
    await expectConverged(server, a, b)
  })

  test('given up while it is sent, and written anew: accepted all the same -> the new edit was not made on it', async () => {
    const { server, a, b } = await openPair()
    await a.addToken('n1', 'a')
    await b.addToken('n1', 'b')
    await syncAll(a, b)
    expect(b.sync.status.held).toBe(1)
    await b.addToken('n3', 'first')
    server.fault = async ({ path }): Promise<Fault> => {
      if (path !== PUSH_PATH) return 'pass'
      server.fault = () => 'pass'
      // Together with what is held: so it is part of that conflict, too.
      await b.db.transaction(async (tx) => {
        await tx.collection('notes').put({ id: 'n1', tokens: ['both'] })
        await tx.collection('notes').put({ id: 'n3', tokens: ['both'] })
      })
      const [conflict] = await b.sync.conflicts.list()
      expect(conflict?.group).toHaveLength(1)
      await b.sync.conflicts.resolve(conflict?.id ?? '', { type: 'takeRemote' })
      expect(await b.tokens('n3')).toEqual([])
      await b.addToken('n3', 'new')
      return 'pass'
    }
    await syncAll(b, a)
    expect(await a.tokens('n3')).toEqual(['first'])
    const [conflict] = await b.sync.conflicts.list()
    expect(conflict).toMatchObject({
      local: { entity: { tokens: ['new'] } },
      remote: { entity: { tokens: ['first'] } },
    })
    await b.sync.conflicts.resolve(conflict?.id ?? '', { type: 'keepLocal' })
    await syncAll(b, a)
    expect(await a.tokens('n3')).toEqual(['new'])
    await expectConverged(server, a, b)
  })

  test('form opened on what a restored server lost, whose numbers came again: -> a conflict all the same', async () => {
    const takeRemote = { resolve: () => ({ type: 'takeRemote' }) as const }
    const { server, a, b } = await openPair({ conflictResolver: takeRemote })
    await syncAll(a, b)
    const backup = server.database.backup()
    server.database.beginEpoch()
    await a.addToken('n0', 'a')
    await a.addToken('n1', 'lost')
    await syncAll(a, b)
    const form = versionOf(await b.db.collection('notes').get('n1'))
    server.database.restore(backup)
    server.database.beginEpoch()
    const other = await openDevice(server)
    await other.addToken('n1', 'new')
    await syncAll(other, b)
    expect(await b.tokens('n1')).toEqual(['new'])
    const raw = await b.db.collection('notes').getRaw('n1')
    expect(raw?.version).toBeLessThan(form.revision)
    await b.db.collection('notes').put({ id: 'n1', tokens: ['form'] }, { basedOn: form })
    await syncAll(b, other)
    expect(await other.tokens('n1')).toEqual(['new'])
    expect(await b.tokens('n1')).toEqual(['new'])
  })

  test('form saved late (basedOn): -> a conflict, as if the remote edit had met it', async () => {
    const { server, a, b } = await openPair()
    await a.addToken('n1', 'base')
    await syncAll(a, b)
    const seen = await b.db.collection('notes').get('n1')
    await a.addToken('n1', 'a')
    await syncAll(a, b)
    if (seen === undefined) throw new Error('not there')
    await b.db.collection('notes').put({ id: 'n1', tokens: ['form'] }, { basedOn: seen })
    expect(await b.sync.sync()).toMatchObject({ pushed: 0, conflicts: 1 })
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

  test('resolver that always keeps and always loses the race: -> deferred after 8 rounds, asked again about what comes then', async () => {
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

    server.fault = () => 'pass'
    await b.sync.sync()
    expect(await b.sync.conflicts.list()).toHaveLength(1)
    await a.addToken('n1', 'later')
    await syncAll(a, b)
    expect(await b.sync.conflicts.list()).toEqual([])
    await expectConverged(server, a, b)
  })

  test('resolver that left one conflict eight times, then another is tied to it: -> not asked in every cycle', async () => {
    const timers = new ManualTimers()
    let asked = 0
    const resolve = (): Resolution => {
      asked += 1
      return { type: 'defer' }
    }
    const conflictResolver = { resolve }
    const { a, b } = await openPair({ conflictResolver, environment: { timers } })
    await b.db.transaction(async (tx) => {
      for (const id of ['n1', 'n2']) await tx.collection('notes').put({ id, tokens: ['b'] })
    })
    for (let round = 0; round < 8; round++) {
      await a.addToken('n1', `a${round}`)
      await a.sync.sync()
      await b.sync.sync()
    }
    expect(asked).toBe(8)
    await b.db.transaction(async (tx) => {
      for (const id of ['n2', 'n3']) await tx.collection('notes').put({ id, tokens: ['b'] })
    })
    await a.addToken('n3', 'a')
    await a.sync.sync()
    for (let cycle = 0; cycle < 5; cycle++) {
      await b.sync.sync()
      await timers.advance(5_000)
    }
    const settled = asked
    for (let cycle = 0; cycle < 5; cycle++) {
      await b.sync.sync()
      await timers.advance(5_000)
    }
    expect(asked).toBe(settled)
  })

  describe('resolver that lost eight races, the last of them to the last edit there is', () => {
    /** Somebody edits one of `ids` in turn in front of each push of `b`, which edited all of them in one transaction. */
    async function loseRaces(ids: readonly string[], config: Partial<SyncConfig> = {}) {
      const timers = new ManualTimers()
      let asked = 0
      const conflictResolver: ConflictResolver = {
        resolve: (...sides) => {
          asked += 1
          return unionResolver.resolve(...sides)
        },
      }
      const environment = { timers }
      const { server, a, b } = await openPair({ conflictResolver, environment, ...config })
      await b.db.transaction(async (tx) => {
        for (const id of ids) await tx.collection('notes').put({ id, tokens: ['b'] })
      })
      let races = 0
      const race = async ({ path }: { readonly path: string }): Promise<Fault> => {
        if (path !== PUSH_PATH) return 'pass'
        server.fault = () => 'pass'
        await a.addToken(ids[races % ids.length] ?? '', `race${races}`)
        races += 1
        await a.sync.sync()
        server.fault = race
        return 'pass'
      }
      server.fault = race
      await b.sync.sync()
      server.fault = () => 'pass'
      expect((await b.sync.conflicts.list()).length).toBeGreaterThan(0)
      return { server, a, b, timers, asked: () => asked }
    }

    test('-> asked again after a rest, not before', async () => {
      const { server, a, b, timers, asked } = await loseRaces(['n1'])
      expect(asked()).toBe(8)
      await b.sync.sync()
      await timers.advance(4_999)
      await b.sync.sync()
      expect(await b.sync.conflicts.list()).toHaveLength(1)
      await timers.advance(1)
      await syncAll(b, a)
      expect(asked()).toBe(9)
      expect(await a.tokens('n1')).toContain('b')
      await expectConverged(server, a, b)
    })

    test('started: -> wakes by itself', async () => {
      const { server, a, b, timers } = await loseRaces(['n1'], { pollIntervalMs: Infinity })
      await b.sync.start()
      await timers.advance(0)
      expect(await b.sync.conflicts.list()).toHaveLength(1)
      await timers.advance(5_000)
      await vi.waitFor(() => expect(b.sync.status).toMatchObject({ phase: 'idle', held: 0 }))
      await syncAll(a)
      await expectConverged(server, a, b)
    })

    test('in the next process: -> asked at once', async () => {
      const { server, a, b } = await loseRaces(['n1'])
      b.restart()
      await syncAll(b, a)
      await expectConverged(server, a, b)
    })

    test('with a group: -> the rounds of all of it begin again', async () => {
      const { server, a, b } = await loseRaces(['n1', 'n2', 'n3'])
      await a.addToken('n2', 'later')
      await syncAll(a, b)
      expect(await b.sync.conflicts.list()).toEqual([])
      await expectConverged(server, a, b)
    })

    test('that wants to defer by now: -> asked once, then left to people', async () => {
      const { b, timers } = await loseRaces(['n1'])
      let asked = 0
      b.restart({
        conflictResolver: {
          resolve: () => {
            asked += 1
            return { type: 'defer' }
          },
        },
      })
      await b.sync.sync()
      await timers.advance(60_000)
      await b.sync.sync()
      expect(asked).toBe(1)
      expect(await b.sync.conflicts.list()).toHaveLength(1)
    })
  })

  test('list() while an edit of a conflicting entity commits: -> its group has what was written with it', async () => {
    const { b } = await bothEdit({})
    await b.sync.sync()
    const { engine } = b
    let written: Promise<void> | undefined
    engine.between = async () => {
      engine.between = async () => {}
      // In front of the transaction in which the list is read; not heard of before that has begun.
      written = b.db.transaction(async (tx) => {
        await tx.collection('notes').put({ id: 'n1', tokens: ['b', 'base', 'later'] })
        await tx.collection('notes').put({ id: 'n2', tokens: ['with it'] })
      })
    }
    const [conflict] = await b.sync.conflicts.list()
    await written
    expect(conflict?.local.entity).toMatchObject({ tokens: ['b', 'base', 'later'] })
    expect(conflict?.group.map(({ entityId }) => entityId)).toEqual(['n2'])
  })
})
