/** Exported edits on their way back: as if they had waited. */
import { encodeEntity } from '@entidb/core/cbor'
import { describe, expect, test, vi } from 'vitest'
import { type Device, syncAll, unionResolver } from '../test-kit/device.test-kit.ts'
import { expectConverged, openDevice, openPair } from '../test-kit/pair.test-kit.ts'
import { decodeUnsynced } from './export-unsynced.ts'

async function signedOut(device: Device): Promise<readonly Uint8Array[]> {
  const signOut = await device.sync.signOut()
  const records: Uint8Array[] = []
  for await (const record of signOut.export()) records.push(record)
  await signOut.discard()
  await signOut.finish()
  await device.sync.start()
  await device.sync.sync()
  return records
}

async function filledPair(config = {}) {
  const pair = await openPair(config)
  for (const id of ['n1', 'n2', 'n3', 'n4']) await pair.a.addToken(id, 'a')
  await syncAll(pair.a, pair.b)
  return pair
}

const groupsIn = (records: readonly Uint8Array[]) =>
  records.flatMap((bytes) => {
    const record = decodeUnsynced(bytes)
    return 'group' in record ? [[record.entityId, record.group]] : []
  })

describe('import of unsynced edits', () => {
  test('puts, creations, deletes -> pushed as if they had waited', async () => {
    const { a, b, server } = await filledPair()
    await b.addToken('n1', 'mine')
    await b.addToken('new', 'mine')
    await b.db.collection('notes').delete('n2')
    const records = await signedOut(b)
    expect(await b.tokens('n1')).toEqual(['a'])
    expect(await b.sync.importUnsynced(records)).toEqual({ imported: 3, known: 0, skipped: [] })
    // Before they are pushed, and after.
    expect(await b.sync.importUnsynced(records)).toEqual({ imported: 0, known: 3, skipped: [] })
    await syncAll(b, a)
    expect(await a.tokens('n1')).toEqual(['a', 'mine'])
    expect(await a.tokens('new')).toEqual(['mine'])
    expect(await a.db.collection('notes').get('n2')).toBeUndefined()
    await expectConverged(server, a, b)
    expect(await b.sync.importUnsynced(records)).toEqual({ imported: 0, known: 3, skipped: [] })
  })

  test('the server has newer states -> conflicts with the base of the export', async () => {
    const { a, b, server } = await filledPair()
    await b.addToken('n1', 'mine')
    await b.db.collection('notes').delete('n2')
    const records = await signedOut(b)
    await a.addToken('n1', 'theirs')
    await a.addToken('n2', 'theirs')
    await syncAll(a, b)
    expect(await b.sync.importUnsynced(records)).toMatchObject({ imported: 2 })
    await b.sync.sync()
    const conflicts = await b.sync.conflicts.list()
    expect(conflicts).toMatchObject([
      {
        entityId: 'n1',
        base: { entity: { tokens: ['a'] } },
        local: { entity: { tokens: ['a', 'mine'] } },
        remote: { entity: { tokens: ['a', 'theirs'] } },
      },
      { entityId: 'n2', local: { entity: null } },
    ])
    for (const { id } of conflicts) await b.sync.conflicts.resolve(id, { type: 'keepLocal' })
    await syncAll(b, a)
    expect(await a.tokens('n1')).toEqual(['a', 'mine'])
    await expectConverged(server, a, b)
  })

  test('the server has newer states, and refuses the edits -> discarded, they leave what was known before', async () => {
    const { a, b, server } = await filledPair()
    await b.addToken('n1', 'mine')
    await b.addToken('n2', 'mine')
    await b.db.collection('notes').delete('n3')
    await b.addToken('n4', 'given up')
    const records = await signedOut(b)
    await a.addToken('n1', 'theirs')
    await a.db.collection('notes').delete('n2')
    await a.addToken('n3', 'theirs')
    await b.addToken('n4', 'mine')
    await syncAll(a, b)
    await b.sync.evict('notes', 'n4')
    await b.sync.importUnsynced(records)
    expect(b.sync.stateOf('notes', 'n1')).toBe('held')
    server.database.options = { policy: () => ({ code: 'closed', message: 'no' }) }
    await b.sync.sync()
    for (const { id } of await b.sync.rejections.list()) await b.sync.rejections.discard(id)
    for (const { id } of await b.sync.conflicts.list()) {
      await b.sync.conflicts.resolve(id, { type: 'takeRemote' })
    }
    await b.sync.sync()
    expect(await b.sync.fetch('notes', 'n4')).toEqual({ missing: [] })
    await syncAll(a)
    await expectConverged(server, a, b)
  })

  test('while it syncs by itself -> pushed at once', async () => {
    const { b, server } = await filledPair()
    await b.addToken('n1', 'mine')
    const records = await signedOut(b)
    await b.sync.importUnsynced(records)
    const edited = encodeEntity({ id: 'n1', tokens: ['a', 'mine'] })
    await vi.waitFor(() => expect(server.database.live().get('notes/n1')).toEqual(edited))
  })

  test('imported before the first sync -> the same', async () => {
    const { a, b, server } = await filledPair({ conflictResolver: unionResolver })
    await b.addToken('n1', 'mine')
    const signOut = await b.sync.signOut()
    const records: Uint8Array[] = []
    for await (const record of signOut.export()) records.push(record)
    await signOut.discard()
    await signOut.finish()
    await a.addToken('n1', 'theirs')
    await a.sync.sync()
    const c = await openDevice(server, { conflictResolver: unionResolver })
    expect(await c.sync.importUnsynced(records)).toMatchObject({ imported: 1 })
    await syncAll(c, a)
    expect(await a.tokens('n1')).toEqual(['a', 'mine', 'theirs'])
    await expectConverged(server, a, c)
  })

  test('deletes, imported before the first sync or where they are evicted -> deleted', async () => {
    const { a, b, server } = await filledPair()
    await b.db.collection('notes').delete('n1')
    await b.db.collection('notes').delete('n2')
    const signOut = await b.sync.signOut()
    const records: Uint8Array[] = []
    for await (const record of signOut.export()) records.push(record)
    await a.sync.evict('notes', 'n1')
    await a.addToken('n2', 'theirs')
    await a.sync.sync()
    const fresh = await openDevice(server)
    for (const device of [fresh, a]) {
      expect(await device.sync.importUnsynced(records)).toMatchObject({ imported: 2 })
      await device.sync.sync()
      expect(await device.sync.conflicts.list()).toMatchObject([
        {
          entityId: 'n2',
          local: { entity: null },
          remote: { entity: { tokens: ['a', 'theirs'] } },
        },
      ])
    }
    expect(server.database.live().has('notes/n1')).toBe(false)
  })

  test('a local transaction -> one group in the export, one transaction when imported', async () => {
    const { a, b, server } = await filledPair()
    await b.db.transaction(async (tx) => {
      for (const id of ['n1', 'n2']) await tx.collection('notes').put({ id, tokens: ['both'] })
    })
    await b.addToken('n3', 'alone')
    await b.db.transaction(async (tx) => {
      for (const id of ['n2', 'n4']) await tx.collection('notes').put({ id, tokens: ['both'] })
    })
    const records = await signedOut(b)
    const groups = new Map(groupsIn(records) as [string, number | null][])
    expect(groups.get('n3')).toBeNull()
    expect(new Set([groups.get('n1'), groups.get('n2'), groups.get('n4')]).size).toBe(1)
    await a.addToken('n1', 'theirs')
    await a.sync.sync()
    await b.sync.importUnsynced(records)
    await b.sync.sync()
    expect(server.database.live().get('notes/n3')).toEqual(
      encodeEntity({ id: 'n3', tokens: ['a', 'alone'] }),
    )
    for (const id of ['n1', 'n2', 'n4']) expect(b.sync.stateOf('notes', id)).toBe('held')
  })

  test('held, rejected and in flight -> exported with their groups', async () => {
    const { a, b, server } = await filledPair()
    await a.addToken('n1', 'theirs')
    await a.sync.sync()
    await b.db.transaction(async (tx) => {
      for (const id of ['n1', 'n2']) await tx.collection('notes').put({ id, tokens: ['both'] })
    })
    await b.sync.sync()
    server.fault = ({ path }) => (path === '/v1/push' ? 'refuse' : 'pass')
    await b.db.transaction(async (tx) => {
      for (const id of ['n3', 'n4']) await tx.collection('notes').put({ id, tokens: ['sent'] })
    })
    await expect(b.sync.sync()).rejects.toMatchObject({ retry: 'later' })
    server.fault = () => 'pass'
    const groups = new Map(groupsIn(await signedOut(b)) as [string, number][])
    expect(groups.get('n1')).toBe(groups.get('n2'))
    expect(groups.get('n3')).toBe(groups.get('n4'))
    expect(groups.get('n1')).not.toBe(groups.get('n3'))
  })

  test('entities with edits of their own -> skipped with their group', async () => {
    const { b } = await filledPair()
    await b.db.transaction(async (tx) => {
      for (const id of ['n1', 'n2']) await tx.collection('notes').put({ id, tokens: ['both'] })
    })
    await b.addToken('n3', 'alone')
    const records = await signedOut(b)
    await b.addToken('n2', 'newer')
    const result = await b.sync.importUnsynced(records)
    expect(result).toMatchObject({ imported: 1 })
    expect(result.skipped.map(({ entityId }) => entityId).sort()).toEqual(['n1', 'n2'])
    expect(await b.tokens('n2')).toEqual(['a', 'newer'])
  })

  test('no header, another database, no record, no CBOR -> refused', async () => {
    const { b } = await filledPair()
    await b.addToken('n1', 'mine')
    const [header = new Uint8Array(), record = new Uint8Array()] = await signedOut(b)
    const refused = async (code: string, ...records: Uint8Array[]): Promise<void> => {
      await expect(b.sync.importUnsynced(records)).rejects.toMatchObject({ code })
    }
    await refused('invalid_input', record)
    await refused('invalid_input', header, encodeEntity({ id: 'x' }))
    await refused('invalid_cbor', header, record.subarray(1))
    const other = { format: 'entidb-unsynced', version: 1, dbId: 'other', deviceId: 'd' }
    await refused('invalid_input', encodeEntity(other), record)
    expect(await b.sync.importUnsynced([])).toEqual({ imported: 0, known: 0, skipped: [] })
  })
})
