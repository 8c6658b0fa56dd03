/** A restored server that has deleted since what a device still offers it, and has forgotten that. */
import { PUSH_PATH } from '@entidb/protocol'
import { describe, expect, test } from 'vitest'
import { syncAll } from './test-kit/device.test-kit.ts'
import { ModelServer } from './test-kit/model-server.test-kit.ts'
import { expectConverged, openPair, type Pair } from './test-kit/pair.test-kit.ts'

type Backup = ReturnType<ModelServer['database']['backup']>

/** Both have n1; what `a` made of it since is not in the backup. */
async function withLostEdit() {
  const pair = await openPair()
  const { server, a, b } = pair
  const empty = new ModelServer().database.backup()
  await a.addToken('n1', 'before')
  await syncAll(a, b)
  const backup = server.database.backup()
  await a.addToken('n1', 'lost')
  await syncAll(a)
  return { ...pair, backup, empty }
}

/** It goes back to the backup; there `b` deletes n1, and that is forgotten. */
async function restoreAndForget({ server, b }: Pair, backup: Backup): Promise<void> {
  server.database.restore(backup)
  server.database.beginEpoch()
  await b.sync.sync()
  await b.db.collection('notes').delete('n1')
  await b.sync.sync()
  server.database.purge()
}

describe('an edit that a restored server lost, of what it deleted and forgot since', () => {
  test.each([
    ['the server has a part of the history', false],
    ['the server was emptied', true],
  ])('%s -> a conflict, nothing comes back by itself', async (_, isEmptied) => {
    const pair = await withLostEdit()
    const { server, a, b, backup, empty } = pair
    await restoreAndForget(pair, isEmptied ? empty : backup)
    await a.sync.sync()
    const [conflict] = await a.sync.conflicts.list()
    expect(conflict).toMatchObject({ remote: { entityVersion: 0, entity: null } })
    expect(server.database.live().size).toBe(0)
    await a.sync.conflicts.resolve(conflict?.id ?? '', { type: 'keepLocal' })
    await syncAll(a, b)
    expect(await b.tokens('n1')).toEqual(['before', 'lost'])
    await expectConverged(server, a, b)
  })

  test('given up -> gone', async () => {
    const pair = await withLostEdit()
    const { server, a, b, backup } = pair
    await restoreAndForget(pair, backup)
    await a.sync.sync()
    const [conflict] = await a.sync.conflicts.list()
    await a.sync.conflicts.resolve(conflict?.id ?? '', { type: 'takeRemote' })
    await syncAll(a, b)
    expect(await a.tokens('n1')).toEqual([])
    await expectConverged(server, a, b)
  })

  test('made there, and no delete was forgotten -> offered again, nobody is asked', async () => {
    const pair = await openPair()
    const { server, a, b } = pair
    await b.addToken('n0', 'b')
    await syncAll(b)
    await b.db.collection('notes').delete('n0')
    await syncAll(b)
    server.database.purge()
    await syncAll(a)
    const backup = server.database.backup()
    await a.addToken('n1', 'lost')
    await syncAll(a)
    server.database.restore(backup)
    server.database.beginEpoch()
    await syncAll(a, b)
    expect(await a.sync.conflicts.list()).toEqual([])
    expect(await b.tokens('n1')).toEqual(['lost'])
    await expectConverged(server, a, b)
  })
})

describe('an edit under way, on what a restored server lost, deleted and forgot since', () => {
  /** Of `a`: n1 and n2 in one transaction, whose receipt it answers, and n3 alone. The request gets lost. */
  async function withLostRequest(pair: Pair) {
    const { server, a } = pair
    const receipt = await a.db
      .collection('notes')
      .putMany(['n1', 'n2'].map((id) => ({ id, tokens: ['later'] })))
    await a.addToken('n3', 'alone')
    server.fault = ({ path }) => (path === PUSH_PATH ? 'refuse' : 'pass')
    await expect(a.sync.sync()).rejects.toMatchObject({ code: 'server_unreachable' })
    server.fault = () => 'pass'
    return receipt
  }

  test('sent again: -> it and what was written with it wait for the application, the rest is committed', async () => {
    const pair = await withLostEdit()
    const { server, a, b, backup } = pair
    const receipt = await withLostRequest(pair)
    await restoreAndForget(pair, backup)
    await a.sync.sync()
    const [conflict] = await a.sync.conflicts.list()
    expect(conflict).toMatchObject({ entityId: 'n1', remote: { entityVersion: 0, entity: null } })
    expect(conflict?.group).toMatchObject([{ entityId: 'n2' }])
    expect([...server.database.live().keys()]).toEqual(['notes/n3'])
    await a.sync.conflicts.resolve(conflict?.id ?? '', { type: 'keepLocal' })
    await syncAll(a, b)
    expect(await a.sync.settled(receipt)).toMatchObject({ fate: 'conflict', how: 'keepLocal' })
    for (const id of ['n1', 'n2']) expect(await b.tokens(id)).toEqual(['later'])
    await expectConverged(server, a, b)
  })

  test('it had met its ancestor, and is sent on that when the delete is forgotten: -> a conflict', async () => {
    const pair = await withLostEdit()
    const { server, a, b, backup } = pair
    server.database.restore(backup)
    server.database.beginEpoch()
    let pushes = 0
    server.fault = ({ path }) => (path === PUSH_PATH && ++pushes > 1 ? 'refuse' : 'pass')
    await expect(a.sync.sync()).rejects.toMatchObject({ code: 'server_unreachable' })
    server.fault = () => 'pass'
    await b.sync.sync()
    await b.db.collection('notes').delete('n1')
    await b.sync.sync()
    server.database.purge()
    await a.sync.sync()
    expect(await a.sync.conflicts.list()).toMatchObject([{ remote: { entity: null } }])
    expect(server.database.live().size).toBe(0)
  })

  test('it was frozen without its base, and the server is restored again: -> a conflict', async () => {
    const pair = await withLostEdit()
    const { server, a, backup } = pair
    server.database.restore(backup)
    server.database.beginEpoch()
    server.fault = ({ path }) => (path === PUSH_PATH ? 'refuse' : 'pass')
    await expect(a.sync.sync()).rejects.toMatchObject({ code: 'server_unreachable' })
    server.fault = () => 'pass'
    await restoreAndForget(pair, backup)
    await a.sync.sync()
    expect(await a.sync.conflicts.list()).toMatchObject([{ remote: { entity: null } }])
    expect(server.database.live().size).toBe(0)
  })

  test('given up since: -> it is not sent again, and was not committed', async () => {
    const pair = await withLostEdit()
    const { server, a, b, backup } = pair
    await b.addToken('n4', 'b')
    await syncAll(b)
    await a.addToken('n4', 'a')
    await syncAll(a)
    const receipt = await withLostRequest(pair)
    // Together with what is held: so it is part of that conflict, too.
    await a.db
      .collection('notes')
      .putMany(['n1', 'n2', 'n4'].map((id) => ({ id, tokens: ['together'] })))
    const [conflict] = await a.sync.conflicts.list()
    await a.sync.conflicts.resolve(conflict?.id ?? '', { type: 'takeRemote' })
    await restoreAndForget(pair, backup)
    await syncAll(a, b)
    expect(await a.sync.settled(receipt)).toMatchObject({ fate: 'conflict', how: 'takeRemote' })
    expect([...server.database.live().keys()].sort()).toEqual(['notes/n3', 'notes/n4'])
    // What it fell back to is offered again, too.
    const [again] = await a.sync.conflicts.list()
    expect(again).toMatchObject({ local: { entity: { tokens: ['before', 'lost'] } } })
    await a.sync.conflicts.resolve(again?.id ?? '', { type: 'takeRemote' })
    await syncAll(a, b)
    await expectConverged(server, a, b)
  })
})
