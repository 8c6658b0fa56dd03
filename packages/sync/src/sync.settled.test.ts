/** What became of a transaction: `sync.settled`. */
import { describe, expect, test } from 'vitest'
import { unionResolver } from './test-kit/device.test-kit.ts'
import { settle } from './test-kit/manual-timers.test-kit.ts'
import { ModelServer } from './test-kit/model-server.test-kit.ts'
import { openDevice } from './test-kit/pair.test-kit.ts'

describe('fates', () => {
  test('accepted: -> committed, with its revision; also when asked late', async () => {
    const server = new ModelServer()
    const a = await openDevice(server)
    const receipt = await a.db.collection('notes').put({ id: 'n1', tokens: [] })
    const waiting = a.sync.settled(receipt)
    await a.sync.sync()
    const revision = server.database.head
    expect(await waiting).toEqual({
      fate: 'committed',
      how: null,
      entityVersions: { 'notes/n1': revision },
    })
    expect(await a.sync.settled(receipt)).toMatchObject({ fate: 'committed' })
  })

  test('overtaken and merged: -> conflict, how, and the revision of the merge', async () => {
    const server = new ModelServer()
    const [a, b] = [
      await openDevice(server),
      await openDevice(server, { conflictResolver: unionResolver }),
    ]
    await a.addToken('n1', 'a')
    await a.sync.sync()
    const receipt = await b.db.collection('notes').put({ id: 'n1', tokens: ['b'] })
    const waiting = b.sync.settled(receipt)
    await b.sync.sync()
    expect(await waiting).toEqual({
      fate: 'conflict',
      how: 'merge',
      entityVersions: { 'notes/n1': server.database.head },
    })
  })

  test('held, then dropped by the application: -> conflict, takeRemote', async () => {
    const server = new ModelServer()
    const [a, b] = [await openDevice(server), await openDevice(server)]
    await a.addToken('n1', 'a')
    await a.sync.sync()
    const receipt = await b.db.collection('notes').put({ id: 'n1', tokens: ['b'] })
    await b.sync.sync()
    let settled: unknown
    void b.sync.settled(receipt).then((fate) => {
      settled = fate
    })
    await settle()
    expect(settled).toBeUndefined()
    const [conflict] = await b.sync.conflicts.list()
    await b.sync.conflicts.resolve(conflict?.id ?? '', { type: 'takeRemote' })
    await settle()
    expect(settled).toMatchObject({ fate: 'conflict', how: 'takeRemote' })
  })

  test('refused: -> rejected, with the code', async () => {
    const server = new ModelServer({ policy: () => ({ code: 'not_allowed', message: 'no' }) })
    const a = await openDevice(server)
    const receipt = await a.db.collection('notes').put({ id: 'n1', tokens: [] })
    await a.sync.sync()
    expect(await a.sync.settled(receipt)).toMatchObject({ fate: 'rejected', how: 'not_allowed' })
  })

  test('stopped or aborted while waiting: -> ends', async () => {
    const a = await openDevice(new ModelServer())
    const receipt = await a.db.collection('notes').put({ id: 'n1', tokens: [] })
    const abort = new AbortController()
    const aborted = a.sync.settled(receipt, { signal: abort.signal })
    const stopped = a.sync.settled(receipt)
    const [first, second] = [aborted.catch((error) => error), stopped.catch((error) => error)]
    await settle()
    abort.abort(new Error('enough'))
    expect(await first).toMatchObject({ message: 'enough' })
    await a.sync.stop()
    expect(await second).toMatchObject({ code: 'sync_stopped' })
  })
})
