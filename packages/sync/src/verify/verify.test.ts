/** What differs from the server is found by name and healed, however it came to differ. */
import { encodeEntity } from '@entidb/core/cbor'
import { describe, expect, test } from 'vitest'
import type { EntityRef } from '../entity-ref.ts'
import { type Device, syncAll } from '../test-kit/device.test-kit.ts'
import type { Fault } from '../test-kit/model-server.test-kit.ts'
import { expectConverged, openDevice, openPair } from '../test-kit/pair.test-kit.ts'

const bytesOf = (id: string, token: string) => encodeEntity({ id, tokens: [token] })
const note = (entityId: string): EntityRef => ({ collection: 'notes', entityId })

/** What neither the application nor sync would do. */
function store(device: Device, id: string, version: number, bytes: Uint8Array | null) {
  return device.db.transaction((tx) =>
    tx.replica.applyRaw({ ...note(id), version, bytes, schemaVersion: 1 }),
  )
}

async function revisionOf(device: Device, id: string): Promise<number> {
  return (await device.db.transaction((tx) => tx.replica.state('notes', id))).version
}

/** Counts what is read from snapshots. */
function countReads({ engine }: Device): { scans: number; finds: number } {
  const counts = { scans: 0, finds: 0 }
  const snapshot = engine.snapshot.bind(engine)
  engine.snapshot = () => {
    const inner = snapshot()
    return {
      ...inner,
      scan: (options) => {
        counts.scans += 1
        return inner.scan(options)
      },
      find: (ref) => {
        counts.finds += 1
        return inner.find(ref)
      },
    }
  }
  return counts
}

async function filledPair() {
  const pair = await openPair({}, { limits: { maxPullOps: 3 } })
  for (const id of ['n1', 'n2', 'n3', 'n4']) await pair.a.addToken(id, 'a')
  await pair.a.db.collection('accounts').put({ id: 'x', balance: 1 })
  await pair.a.sync.sync()
  await pair.a.addToken('n2', 'again')
  await pair.a.db.collection('notes').delete('n4')
  await pair.a.sync.sync()
  await pair.b.sync.sync()
  return pair
}

describe('verify', () => {
  test('equal copies -> converged, at the cursor', async () => {
    const { a, b, server } = await filledPair()
    const { head: cursor } = server.database
    expect(await a.sync.verify()).toEqual({ outcome: 'converged', cursor, entities: 4 })
    expect(await b.sync.verify()).toEqual({ outcome: 'converged', cursor, entities: 4 })
    const empty = await openPair()
    expect(await empty.a.sync.verify()).toMatchObject({ outcome: 'converged', entities: 0 })
  })

  type Damage = readonly [
    circumstance: string,
    damage: (device: Device, server: Awaited<ReturnType<typeof filledPair>>['server']) => unknown,
    divergent: readonly object[],
  ]
  const damages: readonly Damage[] = [
    [
      'other bytes under the same revision',
      async (b) => store(b, 'n1', await revisionOf(b, 'n1'), bytesOf('n1', 'forged')),
      [{ ...note('n1'), difference: 'bytes' }],
    ],
    [
      'an entity lost',
      (b) => b.db.transaction((tx) => tx.replica.evict('notes', 'n2')),
      [{ ...note('n2'), difference: 'missing', localVersion: 0 }],
    ],
    [
      'an entity too many',
      (b) => store(b, 'ghost', 7, bytesOf('ghost', 'g')),
      [{ ...note('ghost'), difference: 'extra', localVersion: 7, serverVersion: 0 }],
    ],
    [
      'one in a collection that the server does not have',
      (b) =>
        b.db.transaction((tx) =>
          tx.replica.applyRaw({
            ...{ collection: 'nowhere', entityId: 'g', version: 7, schemaVersion: 1 },
            bytes: bytesOf('g', 'g'),
          }),
        ),
      [{ collection: 'nowhere', entityId: 'g', difference: 'extra' }],
    ],
    [
      'an older revision',
      (b) => store(b, 'n2', 1, bytesOf('n2', 'a')),
      [{ ...note('n2'), difference: 'revision', localVersion: 1 }],
    ],
    [
      'a revision that no server gave',
      (b) => store(b, 'n2', 2 ** 40, bytesOf('n2', 'a')),
      [{ ...note('n2'), difference: 'revision', localVersion: 2 ** 40 }],
    ],
    [
      'an entity that counts as evicted all the same',
      async (b) => {
        const version = await revisionOf(b, 'n2')
        await b.sync.evict('notes', 'n2')
        await store(b, 'n2', version, bytesOf('n2', 'a'))
      },
      [{ ...note('n2'), difference: 'missing', localVersion: 0 }],
    ],
    [
      'a tombstone in place of an entity',
      async (b) => store(b, 'n3', await revisionOf(b, 'n3'), null),
      [{ ...note('n3'), difference: 'missing' }],
    ],
    [
      'a deleted entity that lives',
      async (b) => store(b, 'n4', await revisionOf(b, 'n4'), bytesOf('n4', 'undead')),
      [{ ...note('n4'), difference: 'extra' }],
    ],
    [
      'several at once',
      async (b) => {
        await store(b, 'n1', 3, bytesOf('n1', 'x'))
        await b.db.transaction((tx) => tx.replica.evict('accounts', 'x'))
        await store(b, 'ghost', 7, bytesOf('ghost', 'g'))
      },
      [
        { ...note('ghost'), difference: 'extra' },
        { ...note('n1'), difference: 'revision' },
        { collection: 'accounts', entityId: 'x', difference: 'missing' },
      ],
    ],
    [
      'the server: other bytes under the same revision',
      async (b, server) =>
        server.database.tamper('notes', 'n1', {
          entityVersion: await revisionOf(b, 'n1'),
          entityCbor: bytesOf('n1', 'forged'),
        }),
      [{ ...note('n1'), difference: 'bytes' }],
    ],
    [
      'the server: an entity lost',
      (_, server) => server.database.tamper('notes', 'n1', { entityVersion: 0, entityCbor: null }),
      [{ ...note('n1'), difference: 'extra', serverVersion: 0 }],
    ],
    [
      'the server: a delete that no one was told of',
      async (b, server) =>
        server.database.tamper('notes', 'n1', {
          entityVersion: await revisionOf(b, 'n1'),
          entityCbor: null,
        }),
      [{ ...note('n1'), difference: 'extra' }],
    ],
  ]

  test.each(damages)('%s -> named, left alone, healed on request', async (_, damage, divergent) => {
    const { b, a, server } = await filledPair()
    await damage(b, server)
    const found = await b.sync.verify()
    expect(found).toMatchObject({ outcome: 'diverged', more: false, repaired: [] })
    if (found.outcome !== 'diverged') return
    const byName = (x: object, y: object) => (JSON.stringify(x) < JSON.stringify(y) ? -1 : 1)
    expect([...found.divergent].sort(byName)).toMatchObject([...divergent].sort(byName))
    expect(await b.sync.verify()).toEqual(found)

    const healed = await b.sync.verify({ repair: true })
    expect(healed).toMatchObject({ outcome: 'repaired' })
    if (healed.outcome === 'repaired') expect(healed.repaired).toHaveLength(divergent.length)
    expect(await b.sync.verify()).toMatchObject({ outcome: 'converged' })
    await expectConverged(server, b)
    expect(await b.db.collection('accounts').get('x')).toEqual({ id: 'x', balance: 1 })
    expect(server.requests.filter(({ path }) => path === '/v1/push')).toHaveLength(2)
    await a.sync.verify({ repair: true })
    await expectConverged(server, a, b)
  })

  test('edits made while it pulls -> pushed, then compared; none is lost', async () => {
    const { b, server } = await filledPair()
    await store(b, 'n1', 3, bytesOf('n1', 'forged'))
    let edits = 0
    server.fault = async ({ path }): Promise<Fault> => {
      if (path === '/v1/pull') await b.addToken('n9', `t${edits++}`)
      return 'pass'
    }
    expect(await b.sync.verify({ repair: true })).toMatchObject({ outcome: 'repaired' })
    server.fault = () => 'pass'
    expect(await b.sync.verify()).toMatchObject({ outcome: 'converged' })
    expect(await b.tokens('n9')).toHaveLength(edits)
  })

  test('repair meets an entity that was edited meanwhile -> the edit stays, a conflict is open', async () => {
    const { b, server } = await filledPair()
    await store(b, 'n1', 3, bytesOf('n1', 'forged'))
    const verifies = () => server.requests.filter(({ path }) => path === '/v1/verify').length
    let edited = false
    server.fault = async ({ path }): Promise<Fault> => {
      if (path === '/v1/pull' && verifies() === 1 && !edited) {
        edited = true
        await b.addToken('n1', 'mine')
      }
      return 'pass'
    }
    expect(await b.sync.verify({ repair: true })).toMatchObject({ outcome: 'diverged' })
    expect(edited).toBe(true)
    expect(await b.tokens('n1')).toContain('mine')
    expect(await b.sync.verify()).toEqual(
      expect.objectContaining({ outcome: 'notAsked', reason: 'held' }),
    )
    expect(await b.sync.conflicts.list()).toMatchObject([{ entityId: 'n1' }])
  })

  test('open conflict -> not asked: held', async () => {
    const { a, b } = await filledPair()
    await a.addToken('n1', 'one')
    await b.addToken('n1', 'two')
    await a.sync.sync()
    expect(await b.sync.verify()).toMatchObject({ outcome: 'notAsked', reason: 'held' })
    expect(await a.sync.verify()).toMatchObject({ outcome: 'converged' })
  })

  test('a server without a digest -> not asked: notOffered', async () => {
    const { a } = await openPair({}, { simple: true })
    await a.addToken('n1', 'a')
    expect(await a.sync.verify()).toMatchObject({ outcome: 'notAsked', reason: 'notOffered' })
  })

  test('another device wrote meanwhile -> synced and asked again, within bounds', async () => {
    const { a, b, server } = await filledPair()
    let times = 2
    server.fault = async ({ path }): Promise<Fault> => {
      if (path === '/v1/verify' && times-- > 0) {
        await a.addToken('n1', `t${times}`)
        await a.sync.sync()
      }
      return 'pass'
    }
    const reads = countReads(b)
    expect(await b.sync.verify()).toMatchObject({ outcome: 'converged', entities: 4 })
    // Everything once; then only what was written meanwhile.
    expect(reads).toEqual({ scans: 2, finds: 4 })
    times = 100
    expect(await b.sync.verify()).toMatchObject({ outcome: 'notAsked', reason: 'moving' })
  })

  test('damage, and another device writes before and while it is looked for -> found and healed', async () => {
    const { a, b, server } = await filledPair()
    await store(b, 'n1', 3, bytesOf('n1', 'forged'))
    let times = 3
    server.fault = async ({ path, index }): Promise<Fault> => {
      const asked = server.requests[index - 1]?.path === '/v1/verify'
      if ((path === '/v1/verify' || (path === '/v1/pull' && asked)) && times-- > 0) {
        await a.addToken('n3', `t${times}`)
        await a.sync.sync()
      }
      return 'pass'
    }
    const result = await b.sync.verify({ repair: true })
    expect(result).toMatchObject({ outcome: 'repaired', repaired: [{ entityId: 'n1' }] })
    server.fault = () => 'pass'
    await syncAll(a, b)
    await expectConverged(server, a, b)
  })

  test('another device writes over the damage before it is named -> asked again; the server is not to blame', async () => {
    const { a, b, server } = await filledPair()
    await store(b, 'n1', await revisionOf(b, 'n1'), bytesOf('n1', 'forged'))
    let isAsked = false
    server.fault = async ({ path }): Promise<Fault> => {
      if (path === '/v1/pull' && isAsked) {
        isAsked = false
        await a.addToken('n1', 'newer')
        await a.sync.sync()
      }
      if (path === '/v1/verify' && (await a.tokens('n1')).length === 1) isAsked = true
      return 'pass'
    }
    expect(await b.sync.verify()).toMatchObject({ outcome: 'converged' })
    await expectConverged(server, a, b)
  })

  test('the server begins an epoch while names are looked for -> asked again', async () => {
    const { b, server } = await filledPair()
    await store(b, 'n1', 3, bytesOf('n1', 'forged'))
    let begun = false
    server.fault = ({ path, index }) => {
      const asked = server.requests[index - 1]?.path === '/v1/verify'
      if (path === '/v1/pull' && asked && !begun) {
        begun = true
        server.database.beginEpoch()
      }
      return 'pass'
    }
    expect(await b.sync.verify({ repair: true })).toMatchObject({ outcome: 'repaired' })
    expect(begun).toBe(true)
  })

  test('cycles asked for meanwhile -> run afterwards, one at a time', async () => {
    const { b, server } = await filledPair()
    const verifying = b.sync.verify()
    await b.addToken('n1', 'later')
    const [result] = await Promise.all([verifying, b.sync.sync(), b.sync.verify(), b.sync.sync()])
    expect(['converged', 'notAsked']).toContain(result.outcome)
    await expectConverged(server, b)
  })

  test('signal, before and meanwhile -> its reason; stop -> sync_stopped', async () => {
    const { b, server } = await filledPair()
    const reason = new Error('enough')
    await expect(b.sync.verify({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    server.fault = ({ path }) => {
      if (path === '/v1/verify') controller.abort(reason)
      return 'pass'
    }
    await expect(b.sync.verify({ signal: controller.signal })).rejects.toBe(reason)
    server.fault = async ({ path }): Promise<Fault> => {
      if (path === '/v1/verify') void b.sync.stop()
      return 'pass'
    }
    await expect(b.sync.verify()).rejects.toMatchObject({ code: 'sync_stopped' })
    await expect(b.sync.verify()).rejects.toMatchObject({ code: 'sync_stopped' })
  })

  test('stopped while it reads what is stored -> sync_stopped', async () => {
    const { b } = await filledPair()
    const { engine } = b
    const snapshot = engine.snapshot.bind(engine)
    engine.snapshot = () => {
      void b.sync.stop()
      return snapshot()
    }
    await expect(b.sync.verify()).rejects.toMatchObject({ code: 'sync_stopped' })
  })

  test('crash at any transaction of a repair -> the next one heals the rest', async () => {
    for (let at = 0; at < 12; at++) {
      const { b, server } = await filledPair()
      await store(b, 'n1', 3, bytesOf('n1', 'forged'))
      await store(b, 'ghost', 7, bytesOf('ghost', 'g'))
      b.engine.crashAt = b.engine.transactions + at
      b.engine.crashPoint = at % 2 === 0 ? 'after' : 'before'
      await b.sync.verify({ repair: true }).catch(() => {})
      b.restart()
      const result = await b.sync.verify({ repair: true })
      expect(['repaired', 'converged']).toContain(result.outcome)
      await expectConverged(server, b)
    }
  })

  test('while it reads, a device that joins -> the same digest', async () => {
    const { server, b } = await filledPair()
    const c = await openDevice(server)
    await Promise.all([b.sync.verify(), c.sync.verify()])
    expect(await c.sync.verify()).toMatchObject({ outcome: 'converged', entities: 4 })
  })
})
