import { encodeEntity } from '@entidb/core/cbor'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { SyncConfig } from './config.ts'
import type { Resolution } from './conflicts/conflict-types.ts'
import type { LedgerEntry } from './ledger/ledger-types.ts'
import { FATES_COLLECTION, type FateRow } from './state/rows.ts'
import { type Device, syncAll, unionResolver } from './test-kit/device.test-kit.ts'
import { ModelServer } from './test-kit/model-server.test-kit.ts'
import { expectConverged, openDevice, openPair } from './test-kit/pair.test-kit.ts'

const answering = (type: 'takeRemote' | 'keepLocal'): Partial<SyncConfig> => ({
  conflictResolver: { resolve: (): Resolution => ({ type }) },
})

async function fatesOf(
  device: Device,
): Promise<readonly (readonly [string, string | null, boolean])[]> {
  const entries = await device.sync.ledger.list()
  return entries.map(({ fate, how, isSettled }) => [fate, how, isSettled] as const)
}

/** B's edit of `n1` met that of A. */
async function bothEdit(config: Partial<SyncConfig>) {
  const { server, a, b } = await openPair(config)
  await a.addToken('n1', 'base')
  await syncAll(a, b)
  await a.addToken('n1', 'a')
  await b.addToken('n1', 'b')
  await a.sync.sync()
  await b.syncThrough()
  return { server, a, b }
}

describe('ledger', () => {
  test('an edit -> pending, in flight, committed with its revision', async () => {
    const { server, a } = await openPair()
    const seen: string[] = []
    await a.addToken('n1', 'x')
    expect(await fatesOf(a)).toEqual([['pending', null, false]])
    server.fault = async ({ path }) => {
      if (path.endsWith('/push')) seen.push(...(await fatesOf(a)).map(([fate]) => fate))
      return 'pass' as const
    }
    await a.sync.sync()
    expect(seen).toEqual(['inFlight'])
    const [entry] = await a.sync.ledger.list()
    expect(entry).toMatchObject({ fate: 'committed', isSettled: true, hasKept: false })
    expect(entry?.entities).toEqual([
      { collection: 'notes', entityId: 'n1', entityVersion: expect.any(Number) },
    ])
  })

  test('another device wrote the same -> committed; also where it was held in a conflict before', async () => {
    const { a, b } = await openPair()
    const write = async (tokens: readonly string[]) => {
      for (const { db } of [a, b]) await db.collection('notes').put({ id: 'n1', tokens })
    }
    await write(['same'])
    await a.sync.sync()
    const waiting = (await b.sync.ledger.list()).map(({ id }) => id)
    await b.sync.sync()
    expect(await b.sync.ledger.list()).toMatchObject([{ id: waiting[0], fate: 'committed' }])
    await a.addToken('n1', 'a')
    await b.addToken('n1', 'b')
    await a.sync.sync()
    await b.sync.sync()
    await write(['agreed'])
    await a.sync.sync()
    await b.sync.sync()
    expect(await fatesOf(b)).toEqual(Array(3).fill(['committed', null, true]))
    expect(b.sync.status).toMatchObject({ pending: 0, held: 0 })
  })

  test('another device wrote the same, in the first of many pages -> committed', async () => {
    const { a, b } = await openPair({}, { limits: { maxPullOps: 2 } })
    for (const id of ['n1', 'n2', 'n3', 'n4', 'n5', 'n6']) await a.addToken(id, 'same')
    await b.addToken('n1', 'same')
    await syncAll(a, b)
    expect(await fatesOf(b)).toEqual([['committed', null, true]])
  })

  test('after a restart -> still known', async () => {
    const { a } = await openPair()
    await a.addToken('n1', 'x')
    await a.sync.sync()
    const before = await a.sync.ledger.list()
    a.restart()
    expect(await a.sync.ledger.list()).toEqual(before)
    expect(before).toHaveLength(1)
  })

  test('transactions that share an entity -> an entry each', async () => {
    const { a } = await openPair()
    for (const token of ['x', 'y', 'z']) await a.addToken('n1', token)
    await a.sync.sync()
    expect(await fatesOf(a)).toEqual(Array(3).fill(['committed', null, true]))
  })

  test('rejected and discarded -> listed; the value can be brought back', async () => {
    let allowed = false
    const { server, a } = await openPair(
      {},
      {
        policy: ({ entityId }) =>
          allowed || entityId !== 'bad' ? undefined : { code: 'forbidden', message: 'no' },
      },
    )
    await a.addToken('bad', 'precious')
    await a.sync.sync()
    expect(await fatesOf(a)).toEqual([['rejected', 'forbidden', false]])
    const [rejection] = await a.sync.rejections.list()
    await a.sync.rejections.discard(rejection?.id ?? '')
    expect(await a.tokens('bad')).toEqual([])
    const [entry] = await a.sync.ledger.list({ fate: 'rejected' })
    expect(entry).toMatchObject({ how: 'forbidden', isSettled: true, hasKept: true })
    allowed = true
    const receipt = await a.sync.ledger.restore(entry?.id ?? '')
    expect(await a.tokens('bad')).toEqual(['precious'])
    await a.sync.sync()
    expect(await a.sync.settled(receipt)).toMatchObject({ fate: 'committed' })
    await expectConverged(server, a)
  })

  test('conflict open -> so; takeRemote -> the local value is kept and comes back', async () => {
    const { server, a, b } = await bothEdit({})
    expect(await fatesOf(b)).toEqual([['conflict', null, false]])
    const [conflict] = await b.sync.conflicts.list()
    await b.sync.conflicts.resolve(conflict?.id ?? '', { type: 'takeRemote' })
    const [entry] = await b.sync.ledger.list({ fate: ['conflict', 'rejected'] })
    expect(entry).toMatchObject({ how: 'takeRemote', isSettled: true, hasKept: true })
    expect(await b.sync.ledger.kept(entry?.id ?? '')).toMatchObject([
      { side: 'local', how: 'takeRemote', entityId: 'n1', entity: { tokens: ['b', 'base'] } },
    ])
    await b.sync.ledger.restore(entry?.id ?? '')
    await syncAll(b, a)
    expect(await a.tokens('n1')).toEqual(['b', 'base'])
    await expectConverged(server, a, b)
  })

  test('keepLocal -> what was written over is kept and comes back', async () => {
    const { server, a, b } = await bothEdit(answering('keepLocal'))
    await syncAll(b, a)
    const [entry] = await b.sync.ledger.list({ fate: 'conflict' })
    expect(entry).toMatchObject({ how: 'keepLocal', successor: expect.any(String) })
    const id = entry?.id ?? ''
    expect(await b.sync.ledger.kept(id)).toMatchObject([
      { side: 'remote', entity: { tokens: ['a', 'base'] } },
    ])
    await expect(b.sync.ledger.restore(id)).rejects.toMatchObject({ code: 'nothing_kept' })
    await b.sync.ledger.restore(id, { side: 'remote' })
    await syncAll(b, a)
    expect(await a.tokens('n1')).toEqual(['a', 'base'])
    await expectConverged(server, a, b)
  })

  test('merge -> both values are kept', async () => {
    const { b } = await bothEdit({ conflictResolver: unionResolver })
    await b.syncThrough()
    const [entry] = await b.sync.ledger.list({ fate: 'conflict' })
    const kept = await b.sync.ledger.kept(entry?.id ?? '')
    expect(kept.map(({ side, entity }) => [side, entity?.tokens])).toEqual([
      ['local', ['b', 'base']],
      ['remote', ['a', 'base']],
    ])
    const [successor] = await b.sync.ledger.list({ fate: 'committed' })
    expect(entry?.successor).toBe(successor?.id)
  })

  test('a delete that lost -> deletes again', async () => {
    const { server, a, b } = await openPair(answering('takeRemote'))
    await a.addToken('n1', 'base')
    await syncAll(a, b)
    await a.addToken('n1', 'a')
    await b.db.collection('notes').delete('n1')
    await syncAll(a, b)
    expect(await b.tokens('n1')).toEqual(['a', 'base'])
    const [entry] = await b.sync.ledger.list({ fate: 'conflict' })
    await b.sync.ledger.restore(entry?.id ?? '')
    await syncAll(b, a)
    expect(await a.db.collection('notes').get('n1')).toBeUndefined()
    await expectConverged(server, a, b)
  })

  test('a whole group gives way -> all its entities are kept, also those nobody else changed', async () => {
    const { a, b } = await openPair(answering('takeRemote'))
    await a.addToken('n1', 'base')
    await syncAll(a, b)
    await a.addToken('n1', 'a')
    await b.db.transaction(async (tx) => {
      await tx.collection('notes').put({ id: 'n1', tokens: ['b'] })
      await tx.collection('accounts').put({ id: 'x', balance: 5 })
    })
    await syncAll(a, b)
    expect(await b.db.collection('accounts').get('x')).toBeUndefined()
    const [entry] = await b.sync.ledger.list({ fate: 'conflict' })
    expect(entry).toMatchObject({ entityCount: 2 })
    await b.sync.ledger.restore(entry?.id ?? '')
    expect(await b.db.collection('accounts').get('x')).toEqual({ id: 'x', balance: 5 })
    expect(await b.tokens('n1')).toEqual(['b'])
  })

  test('a value larger than a row of the ledger -> comes back whole', async () => {
    const { a, b } = await openPair(answering('takeRemote'))
    await a.addToken('n1', 'base')
    await syncAll(a, b)
    await a.addToken('n1', 'a')
    const long = 'é'.repeat(900_000)
    await b.addToken('n1', long)
    await syncAll(a, b)
    const [entry] = await b.sync.ledger.list({ fate: ['conflict', 'rejected'] })
    if (entry?.fate === 'rejected') {
      const [rejection] = await b.sync.rejections.list()
      await b.sync.rejections.discard(rejection?.id ?? '')
    }
    await b.sync.ledger.restore(entry?.id ?? '')
    expect(await b.tokens('n1')).toContain(long)
  })

  test('wanted: by fate, entity, limit', async () => {
    const { a } = await openPair()
    await a.addToken('n1', 'x')
    await a.addToken('n2', 'x')
    await a.sync.sync()
    await a.addToken('n1', 'y')
    const ids = async (query: Parameters<typeof a.sync.ledger.list>[0]) =>
      (await a.sync.ledger.list(query)).map(({ entities }) => entities[0]?.entityId)
    expect(await ids({ fate: 'pending' })).toEqual(['n1'])
    expect(await ids({ fate: 'committed' })).toEqual(['n2', 'n1'])
    expect(await ids({ entity: { collection: 'notes', entityId: 'n1' } })).toEqual(['n1', 'n1'])
    expect(await ids({ limit: 2 })).toEqual(['n1', 'n2'])
    await expect(a.sync.ledger.list({ limit: 0 })).rejects.toThrow(TypeError)
    expect(() => a.sync.ledger.live({ limit: 0 })).toThrow(TypeError)
    for (const wrong of [{ fate: 'nonsense' }, { fate: ['pending', 'x'] }, { fates: 'pending' }]) {
      await expect(a.sync.ledger.list(wrong as never)).rejects.toThrow(TypeError)
      expect(() => a.sync.ledger.live(wrong as never)).toThrow(TypeError)
    }
  })
})

test('settled: a transaction that this database never had -> nothing_kept, at once', async () => {
  const { a } = await openPair()
  const { opIds } = await a.db.collection('notes').put({ id: 'n1', tokens: [] })
  for (const wait of [0, 1]) {
    const never = a.sync.settled({ opIds: [...opIds, 999] })
    await expect(never).rejects.toMatchObject({ code: 'nothing_kept', details: { id: '999' } })
    if (wait === 0) await a.sync.sync()
  }
  expect(await a.sync.settled({ opIds })).toMatchObject({ fate: 'committed' })
  for (const wrong of ['x', 1.5, Number.NaN]) {
    await expect(a.sync.settled({ opIds: [wrong] } as never)).rejects.toThrow(TypeError)
  }
})

describe('bounds of the ledger', () => {
  test('transactions: more than they allow -> the oldest settled ones go', async () => {
    const server = new ModelServer()
    const a = await openDevice(server, { ledger: { maxTransactions: 3 } })
    for (let i = 0; i < 6; i++) {
      await a.addToken(`n${i}`, 'x')
      await a.sync.sync()
    }
    await a.addToken('n9', 'x')
    const entries = await a.sync.ledger.list()
    expect(entries.map(({ entities }) => entities[0]?.entityId)).toEqual(['n9', 'n5', 'n4', 'n3'])
  })

  test('kept bytes: more than they allow -> the oldest decisions go, never the last', async () => {
    const server = new ModelServer()
    const [a, b] = [
      await openDevice(server),
      await openDevice(server, { ...answering('takeRemote'), ledger: { maxKeptBytes: 300 } }),
    ]
    for (const id of ['n1', 'n2', 'n3']) await a.addToken(id, 'base')
    await syncAll(a, b)
    for (const id of ['n1', 'n2', 'n3']) {
      await a.addToken(id, 'a')
      await b.addToken(id, 'b'.repeat(id === 'n3' ? 1000 : 100))
      await syncAll(a, b)
    }
    const entries = await b.sync.ledger.list({ fate: 'conflict' })
    expect(entries.map(({ hasKept }) => hasKept)).toEqual([true, false, false])
  })

  test('age: a limit by the application -> what is older goes', async () => {
    const server = new ModelServer()
    let now = 0
    const ledger = { maxAgeMs: 1000 }
    const a = await openDevice(server, { ledger, environment: { now: () => now } })
    await a.addToken('n1', 'x')
    await a.sync.sync()
    now = 5000
    await a.addToken('n2', 'x')
    await a.sync.sync()
    expect(await fatesOf(a)).toHaveLength(1)
  })

  test('asked about a fate that is forgotten -> nothing_kept, never committed; what is remembered is told', async () => {
    const ledger = { maxTransactions: 1 }
    const policy = ({ entityId }: { readonly entityId: string }) =>
      entityId === 'bad' ? { code: 'no', message: 'no' } : undefined
    const a = await openDevice(new ModelServer({ policy }), { ledger })
    const notes = a.db.collection('notes')
    const receipts = []
    for (const id of ['old', 'bad', 'bad', 'new']) {
      receipts.push(await notes.put({ id, tokens: [] }))
      await a.sync.sync()
      const [rejection] = await a.sync.rejections.list()
      if (rejection !== undefined) await a.sync.rejections.discard(rejection.id)
    }
    a.restart({ ledger })
    const fates = await Promise.allSettled(receipts.map((receipt) => a.sync.settled(receipt)))
    expect(fates).toMatchObject([
      { reason: { code: 'nothing_kept' } },
      { reason: { code: 'nothing_kept' } },
      { value: { fate: 'rejected', how: 'no' } },
      { value: { fate: 'committed' } },
    ])
    expect(await a.sync.settled({ opIds: [] })).toMatchObject({ fate: 'committed' })
  })

  test('nonsense -> refused', async () => {
    const server = new ModelServer()
    await expect(openDevice(server, { ledger: { maxAgeMs: -1 } })).rejects.toThrow(TypeError)
  })
})

/** Of `_sync_fates`, as they are stored. */
async function fateRows(device: Device): Promise<readonly FateRow[]> {
  const rows = await device.engine.transaction(({ system }) => system.all(FATES_COLLECTION))
  // System rows are read back as they were put.
  return rows as readonly FateRow[]
}

function sizesOf(rows: readonly FateRow[]): readonly number[] {
  return rows.map((row) => encodeEntity(row as never).length)
}

describe('rows of the ledger', () => {
  /** B's transaction on `n0`, that A edited, and others. Its receipt. */
  async function manyGiveWay(ids: readonly string[]) {
    const { server, a, b } = await openPair(answering('takeRemote'))
    await a.addToken('n0', 'base')
    await syncAll(a, b)
    await a.addToken('n0', 'a')
    await a.sync.sync()
    const receipt = await b.db
      .collection('notes')
      .putMany(['n0', ...ids].map((id) => ({ id, tokens: ['b'] })))
    return { server, a, b, receipt }
  }

  test('more entities than the ledger names -> all of their versions here, the named ones after a restart', async () => {
    const ids = Array.from({ length: 300 }, (_, i) => `m${i}`)
    const { server, b, receipt } = await manyGiveWay(ids)
    await b.sync.sync()
    const settled = await b.sync.settled(receipt)
    expect(settled).toMatchObject({ fate: 'conflict', how: 'takeRemote' })
    expect(Object.keys(settled.entityVersions)).toHaveLength(301)
    expect(settled.entityVersions['notes/n0']).toBe(server.database.head)
    expect(Object.keys((await fateRows(b))[0]?.entityVersions ?? {})).toHaveLength(100)
    const before = await b.sync.ledger.list()
    expect(before[0]?.entities).toHaveLength(100)
    expect(before[0]?.entities[0]).toEqual({
      collection: 'notes',
      entityId: 'n0',
      entityVersion: server.database.head,
    })
    b.restart()
    expect(await b.sync.ledger.list()).toEqual(before)
    const { entityVersions, ...fate } = await b.sync.settled(receipt)
    expect(fate).toEqual({ fate: 'conflict', how: 'takeRemote' })
    expect(Object.keys(entityVersions)).toHaveLength(100)
    expect(entityVersions['notes/n0']).toBe(server.database.head)
  })

  test('a group of many transactions -> no row grows with their number', async () => {
    const { b } = await manyGiveWay([])
    for (let i = 0; i < 150; i++) {
      await b.db.collection('notes').putMany([
        { id: `n${i}`, tokens: ['b', `${i}`] },
        { id: `n${i + 1}`, tokens: ['b', `${i}`] },
      ])
    }
    await b.sync.sync()
    const rows = await fateRows(b)
    expect(rows).toHaveLength(151)
    expect(Math.max(...sizesOf(rows))).toBeLessThan(400)
    const entries = await b.sync.ledger.list({ limit: 1_000 })
    for (const { entities } of entries) {
      for (const { entityVersion } of entities) expect(entityVersion).toEqual(expect.any(Number))
    }
  })

  test('a row of an older release, with the versions of all its group -> read as it is', async () => {
    const { b, receipt } = await manyGiveWay(['m1'])
    await b.sync.sync()
    const [row] = await fateRows(b)
    const all = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`notes/m${i}`, i + 1]))
    const older = { ...row, id: row?.id ?? '', entityVersions: all }
    await b.engine.transaction(({ system }) => system.put(FATES_COLLECTION, older))
    b.restart()
    expect((await b.sync.settled(receipt)).entityVersions).toEqual(all)
    const [entry] = await b.sync.ledger.list()
    expect(entry?.entities).toContainEqual({
      collection: 'notes',
      entityId: 'm1',
      entityVersion: 2,
    })
  })
})

describe('live lists', () => {
  let lists: { close(): void }[] = []
  afterEach(() => {
    for (const list of lists) list.close()
    lists = []
  })

  test('ledger -> told of each change, and of nothing else', async () => {
    const { a } = await openPair()
    const live = a.sync.ledger.live()
    lists.push(live)
    const seen: string[] = []
    live.subscribe((entries: readonly LedgerEntry[]) =>
      seen.push(entries.map(({ fate }) => fate).join()),
    )
    await a.addToken('n1', 'x')
    await vi.waitFor(() => expect(seen).toContain('pending'))
    await a.sync.sync()
    await vi.waitFor(() => expect(seen.at(-1)).toBe('committed'))
    const count = seen.length
    const items = live.getSnapshot()
    await a.sync.sync()
    await a.sync.ledger.list()
    expect(seen).toHaveLength(count)
    expect(live.getSnapshot()).toBe(items)
  })

  test('conflicts -> told when the rest of a group changes', async () => {
    const { a, b } = await openPair()
    await a.addToken('n1', 'a')
    await a.sync.sync()
    await b.db.transaction(async (tx) => {
      for (const id of ['n1', 'n2']) await tx.collection('notes').put({ id, tokens: ['b'] })
    })
    await b.sync.sync()
    const live = b.sync.conflicts.live()
    lists.push(live)
    const others = () => live.getSnapshot().map(({ group }) => group)
    const n2 = { collection: 'notes', entityId: 'n2', opType: 'PUT' }
    await vi.waitFor(() => expect(others()).toMatchObject([[{ ...n2, entity: { tokens: ['b'] } }]]))
    await b.addToken('n2', 'later')
    await vi.waitFor(() =>
      expect(others()).toMatchObject([[{ entity: { tokens: ['b', 'later'] } }]]),
    )
  })

  test('conflicts -> come and go; closed -> silent', async () => {
    const { b } = await bothEdit({})
    const live = b.sync.conflicts.live()
    lists.push(live)
    await vi.waitFor(() => expect(live.getSnapshot()).toHaveLength(1))
    const [conflict] = live.getSnapshot()
    let told = 0
    live.subscribe(() => told++)
    await b.sync.conflicts.resolve(conflict?.id ?? '', { type: 'keepLocal' })
    await vi.waitFor(() => expect(live.getSnapshot()).toEqual([]))
    expect(told).toBe(1)
    live.close()
    await b.addToken('n1', 'more')
    await b.syncThrough()
    expect(told).toBe(1)
  })
})
