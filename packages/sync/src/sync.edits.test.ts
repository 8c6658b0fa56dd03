import { PUSH_PATH } from '@entidb/protocol'
import { describe, expect, test } from 'vitest'
import { EntiDBSync } from './entidb-sync.ts'
import { syncAll } from './test-kit/device.test-kit.ts'
import { type Fault, ModelServer } from './test-kit/model-server.test-kit.ts'
import { expectConverged, openDevice, openPair } from './test-kit/pair.test-kit.ts'

describe('two devices', () => {
  test('edits and deletes travel: -> the same bytes everywhere', async () => {
    const { server, a, b } = await openPair()
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
    const { a, b } = await openPair()
    await a.addToken('n1', 'one')
    expect(await a.sync.sync()).toMatchObject({ pulled: 0, pushed: 1, conflicts: 0, rejected: 0 })
    expect(await b.sync.sync()).toMatchObject({ pulled: 1, pushed: 0 })
    expect(await b.sync.sync()).toMatchObject({ pulled: 0, pushed: 0 })
  })

  test('many edits of one entity: -> one operation, on the first base', async () => {
    const { server, a } = await openPair()
    for (const token of ['one', 'two', 'three']) await a.addToken('n1', token)
    await a.sync.sync()
    expect(server.database.oplog).toHaveLength(1)
    expect(server.database.oplog[0]?.opId).toBeGreaterThanOrEqual(3)
  })

  test('more operations than a push takes: -> several pushes', async () => {
    const { server, a, b } = await openPair({}, { limits: { maxOpsPerPush: 3, maxPullOps: 2 } })
    for (let i = 0; i < 10; i++) await a.addToken(`n${i}`, 'x')
    await syncAll(a, b)
    await expectConverged(server, a, b)
  })

  test('delete and recreate: -> no conflict, one chain of revisions', async () => {
    const { server, a, b } = await openPair()
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
    const { server, a, b } = await openPair()
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

describe('server without extensions', () => {
  test('edits, conflicts, later edits: -> revisions are learnt from echoes', async () => {
    const { server, a, b } = await openPair({}, { simple: true })
    await a.addToken('n1', 'one')
    await a.sync.sync()
    await a.addToken('n1', 'two')
    await syncAll(a, b)
    expect(await b.tokens('n1')).toEqual(['one', 'two'])
    await a.addToken('n1', 'a')
    await b.addToken('n1', 'b')
    await b.addToken('n2', 'b')
    await syncAll(a, b)
    const [conflict] = await b.sync.conflicts.list()
    await b.sync.conflicts.resolve(conflict?.id ?? '', { type: 'keepLocal' })
    await syncAll(b, a)
    expect(await a.tokens('n1')).toEqual(['b', 'one', 'two'])
    await expectConverged(server, a, b)
  })

  test('edited again while more than a batch is pushed: -> its echo is pulled, then it goes on', async () => {
    const { server, a, b } = await openPair({}, { simple: true })
    const notes = Array.from({ length: 1_002 }, (_, i) => ({ id: `m${i}`, tokens: [] }))
    for (const some of [notes.slice(0, 1_000), notes.slice(1_000)]) {
      await a.db.collection('notes').putMany(some)
    }
    server.fault = async ({ path }): Promise<Fault> => {
      if (path !== PUSH_PATH) return 'pass'
      server.fault = () => 'pass'
      await a.addToken('m1', 'two')
      await a.addToken('m2', 'two')
      return 'pass'
    }
    await a.sync.sync()
    expect(a.sync.status.pending).toBe(0)
    expect(a.engine.transactions).toBeLessThan(50)
    await syncAll(a, b)
    await expectConverged(server, a, b)
  })

  test('echo compacted away: -> the later state counts as made on it', async () => {
    const { server, a, b } = await openPair({}, { simple: true })
    await a.addToken('n1', 'one')
    await a.sync.sync()
    await b.sync.sync()
    await b.addToken('n1', 'two')
    await b.sync.sync()
    server.database.compact()
    await syncAll(a, b)
    expect(await a.tokens('n1')).toEqual(['one', 'two'])
    await expectConverged(server, a, b)
  })
})

describe('two clients on one database', () => {
  test('the second: -> refused until the first has stopped', async () => {
    const server = new ModelServer()
    const device = await openDevice(server)
    const config = {
      serverUrl: 'https://sync.test',
      dbId: 'test',
      authTokenProvider: () => 'secret',
      fetch: server.fetch,
      stream: false,
    }
    const [first, second] = [0, 1].map(() => new EntiDBSync({ db: device.db, config }))
    await first?.start()
    await expect(second?.start()).rejects.toThrow(TypeError)
    await first?.stop()
    await second?.start()
    await second?.stop()
  })
})
