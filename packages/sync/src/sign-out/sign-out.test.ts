/** Signing out: what it reports, offers and refuses; that it is finished after a crash; that nothing is deleted elsewhere. */
import { decodeEntity, encodeEntity } from '@entidb/core/cbor'
import { describe, expect, test, vi } from 'vitest'
import { type Device, syncAll } from '../test-kit/device.test-kit.ts'
import type { Fault, ModelServer } from '../test-kit/model-server.test-kit.ts'
import { expectConverged, openDevice, openPair } from '../test-kit/pair.test-kit.ts'
import { decodeUnsynced, type UnsyncedRecord } from './export-unsynced.ts'

const note = (id: string, ...tokens: string[]) => encodeEntity({ id, tokens })

async function filledPair() {
  const pair = await openPair()
  for (const id of ['n1', 'n2', 'n3', 'n4']) await pair.a.addToken(id, 'a')
  await pair.a.db.collection('accounts').put({ id: 'x', balance: 1 })
  await syncAll(pair.a, pair.b)
  return pair
}

/** One entity of each kind of unsynced edit: n1 held, n2 rejected, n3 pending, n4 pending delete. */
async function withEdits() {
  const pair = await filledPair()
  const { a, b, server } = pair
  await a.addToken('n1', 'theirs')
  await a.sync.sync()
  await b.addToken('n1', 'mine')
  await b.sync.sync()
  server.database.options = { policy: () => ({ code: 'forbidden', message: 'no' }) }
  await b.addToken('n2', 'refused')
  await b.sync.sync()
  server.database.options = {}
  await b.addToken('n3', 'later')
  await b.db.collection('notes').delete('n4')
  return pair
}

const pushedOps = (server: ModelServer): number => server.database.oplog.length

async function exported(records: AsyncIterable<Uint8Array>): Promise<readonly object[]> {
  const found: object[] = []
  for await (const bytes of records) found.push(decodeUnsynced(bytes))
  return found
}

async function expectNothingLeft(device: Device): Promise<void> {
  expect(await device.contents()).toEqual(new Map())
  const left = await device.db.transaction(async (tx) => {
    const entries = await tx.replica.scan({ entriesMax: 10 })
    const rows: string[] = []
    for (const name of device.engine.systemCollections) {
      // System collections have no type of their own here.
      for (const { id } of await tx.collection(name as 'notes').find({})) rows.push(`${name}/${id}`)
    }
    return { entries, rows }
  })
  expect(left).toEqual({ entries: [], rows: ['_sync_state/freshStart'] })
  const rows = await device.engine.readFeed({ after: 0, opsMax: 1_000, bytesMax: 1_000_000 })
  expect(rows.filter(({ payloadCbor }) => payloadCbor !== null)).toEqual([])
}

describe('sign-out', () => {
  test('everything synced -> removed here, untouched on the server; the next user starts afresh', async () => {
    const { a, b, server } = await filledPair()
    await b.sync.start()
    await b.sync.evict('notes', 'n4')
    const { deviceId } = await stateRow(b)
    const before = pushedOps(server)
    const signOut = await b.sync.signOut()
    expect(signOut.unsynced).toEqual({
      pending: 0,
      inFlight: 0,
      held: 0,
      rejected: 0,
      entities: [],
    })
    expect(await signOut.finish()).toEqual({ removed: 4, kept: [] })
    await expectNothingLeft(b)
    expect(b.sync.status).toMatchObject({ phase: 'stopped', pending: 0, held: 0, cursor: 0 })
    expect(pushedOps(server)).toBe(before)

    const { server: others } = await openPair()
    b.restart({ dbId: 'test', fetch: others.fetch })
    await b.sync.start()
    await b.sync.sync()
    const fresh = await stateRow(b)
    expect(fresh.deviceId).not.toBe(deviceId)
    expect(fresh).toMatchObject({ opIdOffset: 0, history: expect.anything() })
    await a.sync.sync()
    await expectConverged(server, a)
  })

  test('the same user again -> everything comes back, edits go on', async () => {
    const { a, b, server } = await filledPair()
    await b.addToken('n1', 'before')
    await b.sync.sync()
    await (await b.sync.signOut()).finish()
    await b.sync.start()
    await b.sync.sync()
    await expectConverged(server, b)
    await b.addToken('n1', 'after')
    await syncAll(b, a)
    expect(await a.tokens('n1')).toEqual(['a', 'after', 'before'])
    await expectConverged(server, a, b)
    expect(await b.sync.verify()).toMatchObject({ outcome: 'converged' })
  })

  test('unsynced edits of every kind -> reported; finish refuses with unsynced_edits; nothing removed', async () => {
    const { b } = await withEdits()
    const signOut = await b.sync.signOut()
    const { entities, ...counts } = signOut.unsynced
    expect(counts).toEqual({ pending: 2, inFlight: 0, held: 1, rejected: 1 })
    const byId = new Map(entities.map((entity) => [entity.entityId, entity]))
    expect(Object.fromEntries(byId)).toMatchObject({
      n1: { collection: 'notes', opType: 'PUT', state: 'held' },
      n2: { state: 'rejected' },
      n3: { state: 'pending' },
      n4: { opType: 'DELETE', state: 'pending' },
    })
    await expect(signOut.finish()).rejects.toMatchObject({
      code: 'unsynced_edits',
      details: { pending: 2, inFlight: 0, held: 1, rejected: 1 },
    })
    expect(await b.tokens('n3')).toEqual(['a', 'later'])
    expect(await b.sync.conflicts.list()).toHaveLength(1)
  })

  test('a batch whose answer was lost -> in flight; push decides it', async () => {
    const { b, server } = await filledPair()
    await b.addToken('n1', 'mine')
    server.fault = ({ path }) => (path === '/v1/push' ? 'lose' : 'pass')
    await expect(b.sync.sync()).rejects.toMatchObject({ retry: 'later' })
    const signOut = await b.sync.signOut()
    expect(signOut.unsynced).toMatchObject({ inFlight: 1, entities: [{ state: 'inFlight' }] })
    await expect(signOut.finish()).rejects.toMatchObject({ code: 'unsynced_edits' })
    server.fault = () => 'pass'
    expect(await signOut.push()).toMatchObject({ inFlight: 0, entities: [] })
    expect(await signOut.finish()).toMatchObject({ kept: [] })
    expect(server.database.live().get('notes/n1')).toEqual(note('n1', 'a', 'mine'))
  })

  test('push -> what can be pushed is, the rest stays reported', async () => {
    const { b, server } = await withEdits()
    const signOut = await b.sync.signOut()
    expect(await signOut.push()).toMatchObject({ pending: 0, held: 1, rejected: 1 })
    expect(server.database.live().has('notes/n4')).toBe(false)
    await expect(signOut.finish()).rejects.toMatchObject({ code: 'unsynced_edits' })
  })

  test('discard -> finish removes them; an edit made after it is refused again', async () => {
    const { a, b, server } = await withEdits()
    const before = pushedOps(server)
    const signOut = await b.sync.signOut()
    expect((await signOut.discard()).entities).toHaveLength(4)
    await b.addToken('n3', 'too late')
    await expect(signOut.finish()).rejects.toMatchObject({ code: 'unsynced_edits' })
    await signOut.discard()
    expect(await signOut.finish()).toMatchObject({ kept: [] })
    await expectNothingLeft(b)
    expect(pushedOps(server)).toBe(before)
    await b.sync.start()
    await b.sync.sync()
    await syncAll(b, a)
    await expectConverged(server, a, b)
    expect(await b.tokens('n4')).toEqual(['a'])
  })

  test.each([
    ['sent, and the answer is lost', 'lose', undefined],
    ['refused', 'pass', { code: 'forbidden', message: 'no' }],
  ] as const)(
    'discard, then an edit that is %s -> refused again, and still there',
    async (...args) => {
      const [, fault, refusal] = args
      const { b, server } = await filledPair()
      await b.addToken('n1', 'given up')
      const signOut = await b.sync.signOut()
      await signOut.discard()
      await b.addToken('n2', 'too late')
      server.database.options = { policy: () => refusal }
      server.fault = ({ path }): Fault => (path === '/v1/push' ? fault : 'pass')
      await b.sync.sync().catch(() => {})
      await expect(signOut.finish()).rejects.toMatchObject({ code: 'unsynced_edits' })
      expect(await b.tokens('n2')).toEqual(['a', 'too late'])
    },
  )

  test('an edit while discard looks -> what its answer does not name is not lost', async () => {
    const { b } = await filledPair()
    await b.addToken('n1', 'given up')
    const signOut = await b.sync.signOut()
    b.engine.between = async () => {
      b.engine.between = async () => {}
      await b.addToken('n2', 'meanwhile')
      await vi.waitFor(() => expect(b.sync.stateOf('notes', 'n2')).toBe('pending'))
    }
    expect((await signOut.discard()).entities).toMatchObject([{ entityId: 'n1' }])
    await expect(signOut.finish()).rejects.toMatchObject({ code: 'unsynced_edits' })
    expect(await b.tokens('n2')).toEqual(['a', 'meanwhile'])
  })

  test('export -> a header and a record for each, with both sides; nothing is marked as saved', async () => {
    const { b, server } = await withEdits()
    const signOut = await b.sync.signOut()
    const [header, ...records] = await exported(signOut.export())
    const { deviceId } = await stateRow(b)
    expect(header).toEqual({ format: 'entidb-unsynced', version: 1, dbId: 'test', deviceId })
    // Records follow the header.
    const byId = new Map((records as UnsyncedRecord[]).map((record) => [record.entityId, record]))
    expect([...byId.keys()].sort()).toEqual(['n1', 'n2', 'n3', 'n4'])
    expect(byId.get('n1')).toMatchObject({
      state: 'held',
      group: null,
      local: { entityCbor: note('n1', 'a', 'mine') },
      base: { entityCbor: note('n1', 'a') },
      remote: { entityCbor: note('n1', 'a', 'theirs'), entityVersion: server.database.head },
    })
    expect(byId.get('n3')).toMatchObject({
      ...{ collection: 'notes', state: 'pending', group: null, remote: null },
      local: { entityCbor: note('n3', 'a', 'later') },
    })
    expect(byId.get('n4')).toMatchObject({
      local: { entityCbor: null },
      base: { entityCbor: note('n4', 'a') },
    })
    await expect(signOut.finish()).rejects.toMatchObject({ code: 'unsynced_edits' })
    expect(() => decodeUnsynced(encodeEntity({ id: 'x' }))).toThrow(
      expect.objectContaining({ code: 'invalid_input' }),
    )
    expect(decodeEntity(encodeEntity(header))).toEqual(header)
  })

  test('begun -> no cycle runs by itself; start -> goes on as before', async () => {
    const { a, b, server } = await filledPair()
    await b.sync.start()
    await b.sync.sync()
    const signOut = await b.sync.signOut()
    const before = server.requests.length
    await b.addToken('n1', 'mine')
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(server.requests.length).toBe(before)
    await b.sync.start()
    await b.sync.sync()
    await a.sync.sync()
    expect(await a.tokens('n1')).toEqual(['a', 'mine'])
    expect(await signOut.finish()).toMatchObject({ kept: [] })
    await expectNothingLeft(b)
    await expect(signOut.finish()).rejects.toMatchObject({ code: 'sync_stopped' })
  })

  test('somebody looks whenever the status changes -> nothing is begun anew, and another user may sign in', async () => {
    const { b, server } = await filledPair()
    b.sync.on('status', () => void b.sync.conflicts.list().catch(() => {}))
    const signOut = await b.sync.signOut()
    await signOut.finish()
    await expect(b.sync.conflicts.list()).rejects.toMatchObject({ code: 'sync_stopped' })
    await expectNothingLeft(b)
    b.restart({ dbId: 'other' })
    await b.sync.start()
    await b.sync.stop()
    expect(server.database.live().size).toBe(5)
  })

  test('server out of reach -> signs out all the same', async () => {
    const { b, server } = await filledPair()
    server.fault = () => 'refuse'
    const signOut = await b.sync.signOut()
    await expect(signOut.push()).rejects.toMatchObject({ code: 'server_unreachable' })
    await signOut.finish()
    await expectNothingLeft(b)
  })

  test('written before sync ever ran -> reported as pending, not lost', async () => {
    const { server } = await openPair()
    const c = await openDevice(server)
    await c.addToken('n1', 'mine')
    const signOut = await c.sync.signOut()
    expect(signOut.unsynced).toMatchObject({ pending: 1, entities: [{ entityId: 'n1' }] })
    await expect(signOut.finish()).rejects.toMatchObject({ code: 'unsynced_edits' })
  })

  test('the application writes while it removes -> kept as new, its deletes go nowhere', async () => {
    const { b, server } = await filledPair()
    const before = pushedOps(server)
    const signOut = await b.sync.signOut()
    let step = 0
    b.engine.between = async () => {
      // The first transaction decides; the next ones remove.
      if (step === 1) {
        await b.addToken('n1', 'edited')
        await b.addToken('new', 'created')
        await b.db.collection('notes').delete('n2')
      }
      step += 1
    }
    expect(await signOut.finish()).toMatchObject({
      kept: [
        { collection: 'notes', entityId: 'n1' },
        { collection: 'notes', entityId: 'new' },
      ],
    })
    b.engine.between = async () => {}
    expect(pushedOps(server)).toBe(before)
    expect([...(await b.contents()).keys()]).toEqual(['notes/n1', 'notes/new'])
    const { server: others } = await openPair()
    b.restart({ fetch: others.fetch })
    await b.sync.sync()
    expect(others.database.oplog.map(({ entityId, opType }) => `${opType} ${entityId}`)).toEqual([
      'PUT n1',
      'PUT new',
    ])
    await expectConverged(others, b)
  })

  test('many entities -> short transactions', async () => {
    const { b } = await filledPair()
    await b.db.transaction(async (tx) => {
      for (let i = 0; i < 1_000; i++) {
        const ref = { collection: 'notes', entityId: `m${i}` }
        await tx.replica.applyRaw({ ...ref, version: 7, bytes: note(`m${i}`), schemaVersion: 1 })
      }
    })
    const signOut = await b.sync.signOut()
    const before = b.engine.transactions
    expect(await signOut.finish()).toMatchObject({ removed: 1_005 })
    expect(b.engine.transactions - before).toBeGreaterThan(6)
    await expectNothingLeft(b)
  })

  test('crash at any transaction -> the next start finishes it; the server never hears of deletes', async () => {
    for (const crashPoint of ['before', 'after'] as const) {
      for (let at = 0; ; at++) {
        const { a, b, server } = await withEdits()
        const before = pushedOps(server)
        const signOut = await b.sync.signOut()
        await signOut.discard()
        const first = b.engine.transactions
        b.engine.crashAt = first + at
        b.engine.crashPoint = crashPoint
        const finished = await signOut.finish().catch(() => undefined)
        const isMarked = at > 0 || crashPoint === 'after'
        b.restart()
        if (finished !== undefined) break
        // Whoever opens it next edits before sync has looked.
        if (isMarked) await b.addToken('fresh', `t${at}`)
        await b.sync.sync()
        await syncAll(b, a)
        expect(server.database.live().has('notes/n4')).toBe(isMarked)
        if (isMarked) {
          expect(await a.tokens('fresh')).toEqual([`t${at}`])
          expect(pushedOps(server)).toBe(before + 1)
          await expectConverged(server, a, b)
        }
      }
    }
  })

  test('unfinished, opened for another database -> finished first', async () => {
    const { b } = await filledPair()
    const signOut = await b.sync.signOut()
    b.engine.crashAt = b.engine.transactions + 1
    await expect(signOut.finish()).rejects.toThrow('crashed')
    const { server: others } = await openPair()
    b.restart({ dbId: 'another', fetch: others.fetch })
    await b.sync.sync()
    expect(await b.contents()).toEqual(new Map())
    expect(pushedOps(others)).toBe(0)
  })

  test('an edit in flight of a cycle when it begins -> the cycle ends, nothing is lost', async () => {
    const { a, b, server } = await filledPair()
    await b.addToken('n1', 'mine')
    let signingOut: ReturnType<typeof b.sync.signOut> | undefined
    server.fault = async ({ path }): Promise<Fault> => {
      if (path === '/v1/push' && signingOut === undefined) signingOut = b.sync.signOut()
      return 'pass'
    }
    await expect(b.sync.sync()).rejects.toMatchObject({ code: 'sync_stopped' })
    const signOut = await signingOut
    expect(signOut?.unsynced).toMatchObject({ inFlight: 1 })
    await signOut?.push()
    await signOut?.finish()
    await a.sync.sync()
    expect(await a.tokens('n1')).toEqual(['a', 'mine'])
  })
})

async function stateRow(device: Device): Promise<{ readonly deviceId: string }> {
  const snapshot = device.engine.snapshot()
  try {
    return (await snapshot.get('_sync_state', 'state')) as { readonly deviceId: string } // sync's
  } finally {
    snapshot.release()
  }
}
