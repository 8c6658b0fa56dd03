import { decodeEntity } from '@entidb/core/cbor'
import { decodePushRequest, PUSH_PATH } from '@entidb/protocol'
import { describe, expect, test } from 'vitest'
import type { SyncConfig } from './config.ts'
import { type Device, syncAll, tokensOf } from './test-kit/device.test-kit.ts'
import type { Fault, ModelServer } from './test-kit/model-server.test-kit.ts'
import { expectConverged, openPair } from './test-kit/pair.test-kit.ts'

/** One transaction of `device`: [id, token] each. */
async function write(device: Device, writes: readonly (readonly [string, string])[]) {
  return device.db.transaction(async (tx) => {
    for (const [id, token] of writes) {
      await tx.collection('notes').put({ id, tokens: [token] })
    }
  })
}

const tokensSent = (server: ModelServer) =>
  server.database.oplog.map(({ entityCbor }) =>
    tokensOf(entityCbor === null ? undefined : decodeEntity(entityCbor)).join(),
  )

describe('transaction in parts that writes an entity more than once', () => {
  const scratchFirst = [
    ['x', 'scratch'],
    ['y', 'a'],
    ['z', 'a'],
    ['x', 'final'],
  ] as const

  test('nothing else: -> of each entity its last state only, once', async () => {
    const { server, a, b } = await openPair({}, { limits: { maxOpsPerPush: 2 } })
    await write(a, scratchFirst)
    await syncAll(a, b)
    expect(tokensSent(server)).toEqual(['a', 'a', 'final'])
    expect(await a.sync.ledger.list()).toMatchObject([{ fate: 'committed', entityCount: 3 }])
    await expectConverged(server, a, b)
  })

  test('written again in a later transaction: -> its last state in this one, then that of the other', async () => {
    const { server, a, b } = await openPair({}, { limits: { maxOpsPerPush: 2 } })
    await write(a, [...scratchFirst.slice(0, 3), ['w', 'a'], ['x', 'final']])
    await write(a, [
      ['x', 'later'],
      ['y', 'later'],
    ])
    await syncAll(a, b)
    expect(tokensSent(server)).not.toContain('scratch')
    expect(tokensSent(server).slice(0, 3)).toEqual(['a', 'a', 'a'])
    expect(await b.tokens('x')).toEqual(['later'])
    expect(await a.sync.ledger.list()).toMatchObject([{ fate: 'committed' }, { fate: 'committed' }])
    await expectConverged(server, a, b)
  })

  test('the rest is given up in a conflict: -> nothing of what was written over stays', async () => {
    const { server, a, b } = await openPair({}, { limits: { maxOpsPerPush: 2 } })
    await write(a, scratchFirst)
    server.fault = async ({ path }): Promise<Fault> => {
      if (path !== PUSH_PATH) return 'pass'
      server.fault = () => 'pass'
      await b.addToken('z', 'b')
      await b.sync.sync()
      return 'pass'
    }
    await a.sync.sync()
    const [conflict] = await a.sync.conflicts.list()
    await a.sync.conflicts.resolve(conflict?.id ?? '', { type: 'takeRemote' })
    await syncAll(a, b)
    expect(await b.tokens('x')).toEqual([])
    await expectConverged(server, a, b)
  })

  test('the process ends between the parts: -> of each entity its last state only, once', async () => {
    const { server, a, b } = await openPair({}, { limits: { maxOpsPerPush: 2 } })
    await write(a, scratchFirst)
    server.fault = ({ path }) => {
      if (path === PUSH_PATH) server.fault = () => 'refuse'
      return 'pass'
    }
    await expect(a.sync.sync()).rejects.toMatchObject({ retry: 'later' })
    server.fault = () => 'pass'
    a.restart()
    await syncAll(a, b)
    expect(tokensSent(server)).toEqual(['a', 'a', 'final'])
    await expectConverged(server, a, b)
  })

  test('too large a state, written over: -> the last one is sent, nothing is refused', async () => {
    const { server, a, b } = await openPair({}, { limits: { maxEntityBytes: 1_000 } })
    await write(a, [
      ['x', 'much '.repeat(1_000)],
      ['x', 'final'],
    ])
    await syncAll(a, b)
    expect(tokensSent(server)).toEqual(['final'])
    await expectConverged(server, a, b)
  })
})

describe('transaction in parts, the rest of which another device wrote alike', () => {
  /** The first part of a transaction of `b` meets a conflict; by the next pull its rest is no edit any more. */
  async function restConverges(config: Partial<SyncConfig> = {}) {
    const { server, a, b } = await openPair(config, { limits: { maxOpsPerPush: 2, maxPullOps: 2 } })
    for (const id of ['p', 'q']) await a.addToken(id, 'base')
    await syncAll(a, b)
    const notes = ['p', 'q', 'r', 's'].map((id) => ({ id, tokens: ['b'] }))
    const receipt = await b.db.collection('notes').putMany(notes)
    server.fault = async ({ path }): Promise<Fault> => {
      if (path !== PUSH_PATH) return 'pass'
      server.fault = () => 'pass'
      await a.addToken('p', 'a')
      await a.db.collection('notes').putMany(notes.slice(2))
      // More than a page.
      for (const id of ['m1', 'm2', 'm3', 'm4']) await a.addToken(id, 'a')
      await a.sync.sync()
      return 'pass'
    }
    await b.sync.sync()
    return { server, a, b, receipt }
  }

  test.each(['takeRemote', 'keepLocal'] as const)(
    '%s by a resolver: -> that is its fate, and what lost is kept',
    async (type) => {
      const { server, a, b, receipt } = await restConverges({
        conflictResolver: { resolve: () => ({ type }) },
      })
      await syncAll(a, b)
      expect((await b.sync.ledger.list()).at(-1)).toMatchObject({
        id: String(Math.max(...receipt.opIds)),
        fate: 'conflict',
        how: type,
        decidedBy: 'resolver',
        isSettled: true,
        hasKept: true,
      })
      expect(await b.sync.settled(receipt)).toMatchObject({ fate: 'conflict', how: type })
      await expectConverged(server, a, b)
    },
  )

  test('takeRemote by hand: -> listed before, and that is its fate', async () => {
    const { server, a, b, receipt } = await restConverges()
    expect(await b.sync.ledger.list()).toMatchObject([{ fate: 'conflict', isSettled: false }])
    const [conflict] = await b.sync.conflicts.list()
    await b.sync.conflicts.resolve(conflict?.id ?? '', { type: 'takeRemote' })
    expect(await b.sync.ledger.list()).toMatchObject([{ fate: 'conflict', how: 'takeRemote' }])
    expect(await b.sync.settled(receipt)).toMatchObject({ fate: 'conflict', how: 'takeRemote' })
    await b.sync.ledger.restore(String(Math.max(...receipt.opIds)))
    await syncAll(b, a)
    expect(await a.tokens('p')).toEqual(['b'])
    await expectConverged(server, a, b)
  })
})

describe('transaction of more operations than are read at once', () => {
  /** 2,500 writes of three notes. */
  const manyWrites = (token: string) =>
    Array.from({ length: 2_500 }, (_, i) => [`n${i % 3}`, `${token}${i}`] as const)

  test('on few entities: -> sent whole, as one entry of the ledger', async () => {
    const { server, a, b } = await openPair({}, { limits: { maxOpsPerPush: 4 } })
    const split: number[] = []
    a.sync.on('split', ({ transactionId }) => split.push(transactionId))
    await write(a, [['early', 'a'], ...manyWrites('t')])
    await syncAll(a, b)
    const pushes = server.requests.filter(({ path }) => path === PUSH_PATH)
    const sent = pushes.map(({ body }) => decodePushRequest(body).ops)
    expect(sent.map((ops) => ops.length).filter((count) => count > 0)).toEqual([4])
    expect(new Set(sent.flat().map(({ tx }) => tx)).size).toBe(1)
    expect(tokensSent(server)).toEqual(['a', 't2497', 't2498', 't2499'])
    expect(split).toEqual([])
    expect(await a.sync.ledger.list()).toMatchObject([{ fate: 'committed', entityCount: 4 }])
    await expectConverged(server, a, b)
  })

  test('beyond the limits: -> in parts, of each entity its last state only', async () => {
    const { server, a, b } = await openPair({}, { limits: { maxOpsPerPush: 3 } })
    await write(a, [['early', 'a'], ...manyWrites('t'), ['early', 'b'], ...manyWrites('u')])
    await write(a, [['n0', 'later']])
    await syncAll(a, b)
    expect(tokensSent(server).slice(0, 3)).toEqual(['b', 'u2497', 'u2498'])
    expect(await a.sync.ledger.list()).toMatchObject([
      { fate: 'committed', entityCount: 1 },
      { fate: 'committed', entityCount: 4 },
    ])
    await expectConverged(server, a, b)
  })

  test('the end of it touches what is held: -> all of it is held', async () => {
    const { server, a, b } = await openPair()
    await a.addToken('held', 'a')
    await b.addToken('held', 'b')
    await syncAll(a, b)
    await write(b, [['early', 'a'], ...manyWrites('t'), ['held', 'c']])
    await b.sync.sync()
    expect(tokensSent(server)).toEqual(['a'])
    const [conflict] = await b.sync.conflicts.list()
    expect(conflict?.group.length).toBe(4)
    await b.sync.conflicts.resolve(conflict?.id ?? '', { type: 'keepLocal' })
    await syncAll(b, a)
    expect(await a.tokens('early')).toEqual(['a'])
    await expectConverged(server, a, b)
  })
})

test('an entity that alone is more than a request may be: -> refused, and that is its fate', async () => {
  const limits = { maxEntityBytes: 10_000, maxBodyBytes: 10_000 }
  const { server, a } = await openPair({}, { limits })
  const receipt = await a.db.collection('notes').put({ id: 'n', tokens: ['x'.repeat(9_900)] })
  await a.addToken('after', 'x')
  await a.sync.sync()
  const [rejection] = await a.sync.rejections.list()
  expect(rejection).toMatchObject({ entityId: 'n', code: 'too_large' })
  expect(server.database.live().size).toBe(1)
  await a.sync.rejections.discard(rejection?.id ?? '')
  expect(await a.sync.settled(receipt)).toMatchObject({ fate: 'rejected', how: 'too_large' })
})
