/** An evicted entity and everything it may meet. */
import { encodeEntity } from '@entidb/core/cbor'
import { describe, expect, test } from 'vitest'
import { type Device, syncAll, unionResolver } from '../test-kit/device.test-kit.ts'
import type { Fault } from '../test-kit/model-server.test-kit.ts'
import { openPair, type Pair } from '../test-kit/pair.test-kit.ts'

async function filledPair(config = {}, maxPullOps = 2): Promise<Pair> {
  const pair = await openPair(config, { limits: { maxPullOps, maxOpsPerPush: 5 } })
  for (const id of ['n1', 'n2', 'n3', 'n4']) await pair.a.addToken(id, 'a')
  await syncAll(pair.a, pair.b)
  return pair
}

const pushes = ({ server }: Pair): number =>
  server.requests.filter(({ path }) => path === '/v1/push').length

async function has(device: Device, id: string): Promise<boolean> {
  return (await device.db.collection('notes').get(id)) !== undefined
}

async function expectProven(...devices: readonly Device[]): Promise<void> {
  for (const each of devices) {
    expect(await each.sync.verify()).toMatchObject({ outcome: 'converged' })
  }
}

/** Everything is asked for again. */
async function resync({ sync }: Device, { server }: Pair): Promise<void> {
  server.database.scope += '.'
  let resyncs = 0
  const off = sync.on('resync', () => {
    resyncs += 1
  })
  await sync.sync()
  off()
  expect(resyncs).toBe(2)
}

describe('evict', () => {
  test('a synced entity -> gone here, there elsewhere, nothing pushed, still proven', async () => {
    const pair = await filledPair()
    const { a, b, server } = pair
    const before = pushes(pair)
    expect(await b.sync.evict('notes', 'n1')).toEqual({ evicted: 1, skipped: [] })
    expect(await has(b, 'n1')).toBe(false)
    expect(b.sync.stateOf('notes', 'n1')).toBe('synced')
    expect(await b.sync.explain('notes', 'n1')).toMatchObject({
      shows: 'evicted',
      revision: expect.any(Number),
      author: { isThisDevice: false },
    })
    await syncAll(b, a)
    expect(pushes(pair)).toBe(before)
    expect(await has(a, 'n1')).toBe(true)
    expect(server.database.live().size).toBe(4)
    expect(await b.sync.verify()).toMatchObject({ outcome: 'converged', entities: 4 })
  })

  test('a collection that nobody has -> unknown_collection, also of fetch; of a newer application -> evicted', async () => {
    const { b, server } = await filledPair()
    const unknown = { code: 'unknown_collection', details: { collection: 'note' } }
    const before = server.requests.length
    await expect(b.sync.evict('note', 'n1')).rejects.toMatchObject(unknown)
    await expect(b.sync.fetch('note', 'n1')).rejects.toMatchObject(unknown)
    expect(server.requests).toHaveLength(before)
    expect(await b.sync.evict('notes', 'none')).toEqual({ evicted: 0, skipped: [] })
    expect(await b.sync.fetch('notes', 'none')).toEqual({ missing: [] })
    await expect(b.sync.evict('notes', 'n1', { unsynced: 'no' } as never)).rejects.toThrow(
      TypeError,
    )
    const bytes = encodeEntity({ id: 'p1' })
    const pet = { collection: 'pets', entityId: 'p1', version: 9, schemaVersion: 1, bytes }
    await b.db.transaction((tx) => tx.applyRaw(pet))
    expect(await b.sync.evict('pets', 'p1')).toMatchObject({ evicted: 1 })
  })

  test('a form opened before, saved after -> a conflict with what the server has, not with nothing', async () => {
    const { a, b } = await filledPair()
    const seen = await b.db.collection('notes').get('n1')
    if (seen === undefined) throw new Error('it was synced')
    await b.sync.evict('notes', 'n1')
    // More transactions than fit one batch: this one has to wait for its turn.
    for (const id of ['n5', 'n6', 'n7', 'n8', 'n9']) await b.addToken(id, 'b')
    await b.db.collection('notes').put({ ...seen, tokens: ['a', 'form'] }, { basedOn: seen })
    await b.sync.sync()
    const [conflict] = await b.sync.conflicts.list()
    expect(conflict).toMatchObject({ remote: { entity: { tokens: ['a'] } } })
    await b.sync.conflicts.resolve(conflict?.id ?? '', { type: 'keepLocal' })
    await syncAll(b, a)
    expect(await a.tokens('n1')).toEqual(['a', 'form'])
    await expectProven(a, b)
  })

  test('a list, with unknown, deleted and repeated ids -> those that are there', async () => {
    const { a, b } = await filledPair()
    await a.db.collection('notes').delete('n4')
    await syncAll(a, b)
    const ids = ['n1', 'n2', 'n1', 'nobody', 'n4']
    expect(await b.sync.evict('notes', ids)).toEqual({ evicted: 2, skipped: [] })
    expect(await b.sync.evict('notes', ids)).toEqual({ evicted: 0, skipped: [] })
    await expectProven(b)
  })

  test('pending, in flight, held, rejected -> entity_unsynced, nothing lost; skip -> the others', async () => {
    const pair = await filledPair()
    const { a, b, server } = pair
    const refused = async (id: string): Promise<void> => {
      const all = ['n3', id]
      const before = await b.tokens(id)
      await expect(b.sync.evict('notes', all)).rejects.toMatchObject({
        code: 'entity_unsynced',
        details: { collection: 'notes', ids: [id] },
      })
      expect(await b.tokens(id)).toEqual(before)
      expect(await has(b, 'n3')).toBe(true)
    }
    await b.addToken('n1', 'mine')
    await refused('n1')
    await b.db.collection('notes').delete('n4')
    await refused('n4')

    let tried = false
    server.fault = async ({ path }): Promise<Fault> => {
      if (path === '/v1/push' && !tried) {
        tried = true
        await refused('n1')
      }
      return 'pass'
    }
    await b.sync.sync()
    expect(tried).toBe(true)
    server.fault = () => 'pass'

    await a.addToken('n2', 'theirs')
    await b.addToken('n2', 'mine')
    await a.sync.sync()
    await b.sync.sync()
    expect(b.sync.stateOf('notes', 'n2')).toBe('held')
    await refused('n2')

    server.database.options = { policy: () => ({ code: 'forbidden', message: 'no' }) }
    await b.addToken('n1', 'refused')
    await b.sync.sync()
    expect(b.sync.stateOf('notes', 'n1')).toBe('rejected')
    await refused('n1')
    expect(await b.sync.evict('notes', ['n1', 'n2', 'n3'], { unsynced: 'skip' })).toEqual({
      evicted: 1,
      skipped: ['n1', 'n2'],
    })
    expect(await has(b, 'n3')).toBe(false)
  })

  test('many ids, one edited -> refused before the first; without it -> all, in short transactions', async () => {
    const { b } = await filledPair()
    const ids = Array.from({ length: 1_000 }, (_, i) => `m${i}`)
    await b.db.transaction(async (tx) => {
      for (const [i, id] of ids.entries()) {
        const bytes = encodeEntity({ id, tokens: [] })
        const ref = { collection: 'notes', entityId: id }
        await tx.replica.applyRaw({ ...ref, version: 2 ** 30 + i, bytes, schemaVersion: 1 })
      }
    })
    await b.addToken('m999', 'mine')
    await expect(b.sync.evict('notes', ids)).rejects.toMatchObject({ code: 'entity_unsynced' })
    expect(await b.db.collection('notes').count({})).toBe(1_004)
    const before = b.engine.transactions
    const result = await b.sync.evict('notes', ids, { unsynced: 'skip' })
    expect(result).toEqual({ evicted: 999, skipped: ['m999'] })
    expect(b.engine.transactions - before).toBe(5)
  })

  test('meets a newer state in a pull -> comes back', async () => {
    const { a, b } = await filledPair()
    await b.sync.evict('notes', ['n1', 'n2'])
    await a.addToken('n1', 'newer')
    await syncAll(a, b)
    expect(await b.tokens('n1')).toEqual(['a', 'newer'])
    expect(await has(b, 'n2')).toBe(false)
    await expectProven(a, b)
    await b.sync.evict('notes', 'n1')
    await expectProven(b)
  })

  test('meets a delete in a pull -> forgotten; meets a re-creation -> comes', async () => {
    const { a, b } = await filledPair()
    await b.sync.evict('notes', 'n1')
    await a.db.collection('notes').delete('n1')
    await syncAll(a, b)
    await expectProven(a, b)
    await a.addToken('n1', 'again')
    await syncAll(a, b)
    expect(await b.tokens('n1')).toEqual(['again'])
    await expectProven(a, b)
  })

  test('meets the same state in a re-sync -> stays away; a newer one -> comes back', async () => {
    const pair = await filledPair()
    const { a, b } = pair
    await b.sync.evict('notes', ['n1', 'n2'])
    await resync(b, pair)
    expect(await has(b, 'n1')).toBe(false)
    await expectProven(b)
    await a.addToken('n2', 'newer')
    await a.sync.sync()
    await resync(b, pair)
    expect(await b.tokens('n2')).toEqual(['a', 'newer'])
    expect(await has(b, 'n1')).toBe(false)
    await expectProven(b)
  })

  test('evicted while a re-sync comes to its end -> stays evicted, whatever was looked at before', async () => {
    for (let at = 0; at < 4; at++) {
      const pair = await filledPair()
      const { b, server } = pair
      let evicting: Promise<unknown> | undefined
      let steps = -1
      // Behind the last page each step of the end is a transaction.
      server.fault = ({ path }) => {
        if (path === '/v1/pull') steps = 0
        return 'pass'
      }
      b.engine.between = async () => {
        if (steps < 0 || ++steps < at + 2 || evicting !== undefined) return
        evicting = b.sync.evict('notes', ['n1', 'n3'])
      }
      await resync(b, pair)
      expect(await evicting).toEqual({ evicted: 2, skipped: [] })
      await expectProven(b)
      expect(await b.sync.fetch('notes', ['n1', 'n3'])).toEqual({ missing: [] })
      expect(await b.tokens('n3')).toEqual(['a'])
    }
  })

  test('the server deleted and purged it -> forgotten by the re-sync', async () => {
    // Below the purge horizon the model serves a pull from 0 in one page only.
    const pair = await filledPair({}, 100)
    const { a, b, server } = pair
    await b.sync.evict('notes', ['n1', 'n2'])
    await a.db.collection('notes').delete('n1')
    await a.sync.sync()
    server.database.purge()
    await b.sync.sync()
    await expectProven(b)
    await resync(b, pair)
    expect(await has(b, 'n2')).toBe(false)
    await expectProven(b)
    await a.addToken('n1', 'again')
    await syncAll(a, b)
    expect(await b.tokens('n1')).toEqual(['again'])
    await expectProven(a, b)
  })

  test('created again here -> meets the state of the server as a conflict; nothing is overwritten', async () => {
    const { a, b, server } = await filledPair()
    await b.sync.evict('notes', ['n1', 'n2'])
    await b.db.collection('notes').put({ id: 'n1', tokens: ['blind'] })
    await b.db.collection('notes').put({ id: 'n2', tokens: ['blind'] })
    await b.sync.sync()
    const conflicts = await b.sync.conflicts.list()
    expect(conflicts).toMatchObject([
      {
        entityId: 'n1',
        local: { entity: { tokens: ['blind'] } },
        remote: { entity: { tokens: ['a'] } },
      },
      { entityId: 'n2' },
    ])
    expect(server.database.live().get('notes/n1')).toEqual(
      encodeEntity({ id: 'n1', tokens: ['a'] }),
    )
    await b.sync.conflicts.resolve(conflicts[0]?.id ?? '', { type: 'takeRemote' })
    await b.sync.conflicts.resolve(conflicts[1]?.id ?? '', { type: 'keepLocal' })
    await syncAll(b, a)
    expect(await b.tokens('n1')).toEqual(['a'])
    expect(await a.tokens('n2')).toEqual(['blind'])
    await expectProven(a, b)
  })

  test('created again here, refused, discarded -> evicted as before', async () => {
    const { a, b, server } = await filledPair()
    await b.sync.evict('notes', 'n1')
    server.database.options = { policy: () => ({ code: 'closed', message: 'no' }) }
    await b.addToken('n1', 'blind')
    await b.sync.sync()
    const [rejection] = await b.sync.rejections.list()
    expect(await b.sync.rejections.discard(rejection?.id ?? '')).toBe(true)
    await syncAll(b, a)
    await expectProven(a, b)
    expect(await b.sync.fetch('notes', 'n1')).toEqual({ missing: [] })
    expect(await b.tokens('n1')).toEqual(['a'])
  })

  test('created again here with what is in conflict, which is given up -> evicted as before', async () => {
    const { a, b } = await filledPair()
    await a.addToken('n2', 'theirs')
    await b.addToken('n2', 'ours')
    await syncAll(a, b)
    await b.sync.evict('notes', 'n1')
    await b.db.transaction(async (tx) => {
      for (const id of ['n1', 'n2']) await tx.collection('notes').put({ id, tokens: ['blind'] })
    })
    await b.sync.sync()
    const [conflict] = await b.sync.conflicts.list()
    await b.sync.conflicts.resolve(conflict?.id ?? '', { type: 'takeRemote' })
    await syncAll(b, a)
    await expectProven(a, b)
    expect(await b.sync.fetch('notes', 'n1')).toEqual({ missing: [] })
    expect(await b.tokens('n1')).toEqual(['a'])
  })

  test('created again here, accepted because it was deleted there -> stored, and evicted no more', async () => {
    const { a, b } = await filledPair()
    await b.sync.evict('notes', 'n1')
    await a.db.collection('notes').delete('n1')
    await syncAll(a, b)
    await b.addToken('n1', 'again')
    await syncAll(b, a)
    expect(await a.tokens('n1')).toEqual(['again'])
    expect(await b.sync.evict('notes', 'n1')).toEqual({ evicted: 1, skipped: [] })
    await expectProven(a, b)
    expect(await b.sync.fetch('notes', 'n1')).toEqual({ missing: [] })
    await expectProven(a, b)
  })

  test('created again here as it was -> the same entity, no conflict', async () => {
    const { a, b } = await filledPair()
    await b.sync.evict('notes', 'n1')
    await b.addToken('n1', 'a')
    await syncAll(b, a)
    expect(await b.sync.conflicts.list()).toEqual([])
    await expectProven(a, b)
  })

  test('created and deleted again here, or just deleted -> the server keeps it', async () => {
    const { a, b } = await filledPair()
    await b.sync.evict('notes', ['n1', 'n2'])
    expect(await b.db.collection('notes').delete('n2')).toMatchObject({ existed: false })
    await b.addToken('n1', 'blind')
    await b.db.collection('notes').delete('n1')
    await syncAll(b, a)
    expect(await a.tokens('n1')).toEqual(['a'])
    expect(await a.tokens('n2')).toEqual(['a'])
    for (const { id } of await b.sync.conflicts.list()) {
      await b.sync.conflicts.resolve(id, { type: 'takeRemote' })
    }
    await syncAll(b, a)
    expect(await b.tokens('n1')).toEqual(['a'])
    await expectProven(a, b)
  })

  test('created again here, a re-sync before it is pushed -> a conflict all the same', async () => {
    const pair = await filledPair()
    const { b } = pair
    await b.sync.evict('notes', 'n1')
    await b.db.collection('notes').put({ id: 'n1', tokens: ['blind'] })
    await resync(b, pair)
    expect(await b.sync.conflicts.list()).toMatchObject([{ entityId: 'n1' }])
  })

  test('created again here, with a newer state on its way -> a conflict with that', async () => {
    const { a, b } = await filledPair({ conflictResolver: unionResolver })
    await b.sync.evict('notes', 'n1')
    await a.addToken('n1', 'newer')
    await a.sync.sync()
    await b.db.collection('notes').put({ id: 'n1', tokens: ['blind'] })
    await syncAll(b, a)
    expect(await a.tokens('n1')).toEqual(['a', 'blind', 'newer'])
    await expectProven(a, b)
  })

  test('a new epoch after it -> stays evicted; one that lost its state -> what the server has comes', async () => {
    const { a, b, server } = await filledPair()
    await b.sync.evict('notes', 'n1')
    server.database.reopen()
    await a.addToken('n4', 'more')
    await syncAll(a, b)
    expect(await has(b, 'n1')).toBe(false)
    await expectProven(a, b)

    const backup = server.database.backup()
    await a.addToken('n2', 'lost')
    await syncAll(a, b)
    await b.sync.evict('notes', 'n2')
    await a.sync.stop()
    server.database.restore(backup)
    await b.addToken('n3', 'more')
    const reasons: string[] = []
    b.sync.on('resync', ({ reason }) => reasons.push(reason))
    await b.sync.sync()
    expect(reasons).toEqual(['evicted', 'evicted'])
    expect(await b.tokens('n2')).toEqual(['a'])
    expect(await has(b, 'n1')).toBe(false)
    await expectProven(b)
    // The device that kept its copy offers it again.
    await a.sync.start()
    await syncAll(a, b)
    expect(await b.tokens('n2')).toEqual(['a', 'lost'])
    await expectProven(a, b)
  })

  test('fetch -> back as it is on the server, once; not what is unknown, deleted or edited', async () => {
    const { a, b, server } = await filledPair()
    await b.sync.evict('notes', ['n1', 'n2', 'n3', 'n4'])
    await a.addToken('n2', 'newer')
    await a.db.collection('notes').delete('n3')
    await a.sync.sync()
    await b.addToken('n4', 'blind')
    expect(await b.sync.fetch('notes', ['n1', 'n2', 'n3', 'n4', 'nobody'])).toEqual({ missing: [] })
    expect(await b.tokens('n1')).toEqual(['a'])
    expect(await b.tokens('n2')).toEqual(['a', 'newer'])
    expect(await has(b, 'n3')).toBe(false)
    expect(await b.tokens('n4')).toEqual(['blind'])
    expect(await b.sync.conflicts.list()).toMatchObject([{ entityId: 'n4' }])
    const pulls = server.requests.length
    expect(await b.sync.fetch('notes', 'n1')).toEqual({ missing: [] })
    expect(server.requests.length - pulls).toBeLessThan(4)
  })

  test('fetch of what the server does not have as it was -> missing; repair brings what there is', async () => {
    const { b, server } = await filledPair()
    await b.sync.evict('notes', ['n1', 'n2'])
    const forged = { entityVersion: 3, entityCbor: encodeEntity({ id: 'n1', tokens: ['f'] }) }
    server.database.tamper('notes', 'n1', forged)
    server.database.tamper('notes', 'n2', { entityVersion: 0, entityCbor: null })
    expect(await b.sync.fetch('notes', ['n1', 'n2'])).toEqual({ missing: ['n1', 'n2'] })
    expect(await b.sync.verify({ repair: true })).toMatchObject({
      outcome: 'repaired',
      repaired: [
        { entityId: 'n2', difference: 'extra' },
        { entityId: 'n1', difference: 'revision' },
      ],
    })
    expect(await b.tokens('n1')).toEqual(['f'])
    await expectProven(b)
  })

  test('crash before or after its transaction -> wholly there or wholly evicted', async () => {
    for (const crashPoint of ['before', 'after'] as const) {
      const { b } = await filledPair()
      b.engine.crashAt = b.engine.transactions
      b.engine.crashPoint = crashPoint
      await expect(b.sync.evict('notes', ['n1', 'n2'])).rejects.toThrow('crashed')
      b.restart()
      await b.sync.sync()
      expect(await b.db.collection('notes').count({})).toBe(crashPoint === 'before' ? 4 : 2)
      await expectProven(b)
    }
  })

  test('stopped -> sync_stopped', async () => {
    const { b } = await filledPair()
    await b.sync.stop()
    await expect(b.sync.evict('notes', 'n1')).rejects.toMatchObject({ code: 'sync_stopped' })
    await expect(b.sync.fetch('notes', 'n1')).rejects.toMatchObject({ code: 'sync_stopped' })
  })

  test('random edits, evictions, fetches, re-syncs -> nothing lost, every copy proven', async () => {
    for (let seed = 1; seed <= 12; seed++) {
      const pair = await filledPair({ conflictResolver: unionResolver })
      const { a, b, server } = pair
      let state = seed
      const below = (count: number): number => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
        return (state >>> 8) % count
      }
      const tokens = new Set<string>()
      for (let step = 0; step < 40; step++) {
        const device = below(2) === 0 ? a : b
        const id = `n${1 + below(4)}`
        const dice = below(12)
        if (dice < 4) {
          tokens.add(`${id}/t${step}`)
          await device.addToken(id, `t${step}`)
        } else if (dice < 7) await device.sync.evict('notes', id, { unsynced: 'skip' })
        else if (dice < 8) await device.sync.fetch('notes', [id, 'n1'])
        else if (dice < 9) server.database.scope += '.'
        else if (dice < 10) server.database.reopen()
        else await device.sync.sync()
        if (dice === 11) {
          const { outcome } = await device.sync.verify()
          expect(['converged', 'notAsked'], `seed ${seed} step ${step}`).toContain(outcome)
        }
      }
      await syncAll(a, b)
      await expectProven(a, b)
      const ids = ['n1', 'n2', 'n3', 'n4']
      expect(await a.sync.fetch('notes', ids)).toEqual({ missing: [] })
      for (const each of tokens) {
        const [id = '', token] = each.split('/')
        expect(await a.tokens(id), `seed ${seed}`).toContain(token)
      }
      expect(await a.contents()).toEqual(new Map([...server.database.live()].sort()))
    }
  })
})
