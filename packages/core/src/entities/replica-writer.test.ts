import { describe, expect, test } from 'vitest'
import { encodeEntity } from '../cbor/entity-encoder.ts'
import type { Storage } from '../store/key-value-store.ts'
import { defineCollection } from './collection-definition.ts'
import { EntiDB } from './database.ts'
import { versionOf } from './entity-version.ts'
import { memoryStorage } from './memory-storage.ts'
import type { DbOperation } from './operation.ts'
import { toState } from './replica-model.test-kit.ts'
import type { ReplicaEntry, ReplicaState } from './replication.ts'
import { replication } from './replication-access.ts'

interface Note {
  id: string
  text: string
}

const collections = {
  notes: defineCollection<Note>({ indexes: { text: { on: ['text'], unique: true } } }),
}

function open(storage: Storage = memoryStorage(), changeFeed = true) {
  return EntiDB.open({ storage, collections, changeFeed })
}

const encode = (id: string) => (text: string) => encodeEntity({ id, text })
const remote = (version: number, text: string | null, id = 'n') => ({
  ...{ collection: 'notes', entityId: id },
  ...toState({ version, content: text }, encode(id)),
})

function stateOf(db: EntiDB<typeof collections>, id = 'n'): Promise<ReplicaState> {
  return db.transaction((tx) => tx.replica.state('notes', id))
}

async function operations(db: EntiDB<typeof collections>): Promise<DbOperation[]> {
  const found: DbOperation[] = []
  for await (const op of db.changes({ wait: false })) found.push(op)
  return found
}

describe('replica states', () => {
  test('unknown: applyRaw -> clean, the very bytes, in the feed with the origin', async () => {
    const db = await open()
    await db.transaction(async (tx) => tx.applyRaw(remote(7, 'x')), { origin: 'sync' })
    const bytes = encode('n')('x')
    expect(await stateOf(db)).toEqual({
      ...{ stamp: 1, bytes, schemaVersion: 1, pending: false, opId: 0, version: 7 },
      base: { version: 7, bytes, schemaVersion: 1 },
    })
    expect(await db.collection('notes').getRaw('n')).toMatchObject({ bytes, version: 7 })
    expect(await operations(db)).toMatchObject([
      { opId: 1, opType: 'PUT', origin: 'sync', entityVersion: 7, payload: { text: 'x' } },
    ])
    await db.close()
  })

  test('clean: local edit -> pending on its revision, the base kept', async () => {
    const db = await open()
    await db.transaction((tx) => tx.applyRaw(remote(7, 'x')))
    await db.collection('notes').put({ id: 'n', text: 'y' })
    await db.collection('notes').put({ id: 'n', text: 'z' })
    expect(await stateOf(db)).toEqual({
      ...{ stamp: 3, bytes: encode('n')('z'), schemaVersion: 1, pending: true, opId: 3 },
      ...{ version: 7, base: { version: 7, bytes: encode('n')('x'), schemaVersion: 1 } },
    })
    expect((await operations(db)).map((op) => [op.entityVersion, op.staleBase])).toEqual([
      [7, false],
      [7, false],
      [7, false],
    ])
    await db.close()
  })

  test('deleted: tombstone, then local edit, then local delete -> the base stays the tombstone', async () => {
    const db = await open()
    await db.transaction((tx) => tx.applyRaw(remote(9, null)))
    const tombstone = { version: 9, bytes: null, schemaVersion: 1 }
    expect(await stateOf(db)).toMatchObject({ pending: false, version: 9, base: tombstone })
    await db.collection('notes').put({ id: 'n', text: 'y' })
    expect(await stateOf(db)).toMatchObject({ pending: true, version: 9, base: tombstone })
    await db.collection('notes').delete('n')
    expect(await stateOf(db)).toMatchObject({
      bytes: null,
      pending: true,
      opId: 3,
      base: tombstone,
    })
    await db.collection('notes').delete('n')
    expect(await stateOf(db)).toMatchObject({ pending: true, opId: 3 })
    await db.close()
  })

  test('never replicated, feed off: put and delete -> nothing is left', async () => {
    const db = await open(memoryStorage(), false)
    await db.collection('notes').put({ id: 'n', text: 'x' })
    expect(await stateOf(db)).toMatchObject({ pending: true, opId: 1, version: 0 })
    await db.collection('notes').delete('n')
    expect(await stateOf(db)).toMatchObject({ pending: false, version: 0, bytes: null })
    expect(await db.transaction((tx) => tx.replica.scan({ entriesMax: 9 }))).toEqual([])
    await db.close()
  })

  test('never replicated, feed on: put and delete -> the delete is pending', async () => {
    const db = await open()
    await db.collection('notes').put({ id: 'n', text: 'x' })
    await db.collection('notes').delete('n')
    expect(await stateOf(db)).toMatchObject({ pending: true, opId: 2, version: 0, bytes: null })
    await db.close()
  })

  test('settle: no later edit -> clean, the same object, its edits later not stale', async () => {
    const db = await open()
    const notes = db.collection('notes')
    const { opIds } = await notes.put({ id: 'n', text: 'x' })
    const seen = await notes.get('n')
    await db.transaction((tx) => tx.replica.settle('notes', 'n', remote(5, 'x'), opIds[0] ?? 0))
    expect(await stateOf(db)).toMatchObject({ pending: false, version: 5, stamp: 1 })
    expect(await notes.get('n')).toBe(seen)
    expect(versionOf(seen)).toEqual({ stamp: 1, revision: 5 })
    await notes.put({ id: 'n', text: 'y' }, { ifVersion: versionOf(seen) })
    expect((await operations(db)).at(-1)).toMatchObject({ entityVersion: 5, staleBase: false })
    await db.close()
  })

  test('rebase: pending -> local content kept on the new base; clean -> TypeError', async () => {
    const db = await open()
    await db.collection('notes').put({ id: 'n', text: 'x' })
    await db.transaction((tx) => tx.replica.rebase('notes', 'n', remote(6, 'r')))
    expect(await stateOf(db)).toMatchObject({ pending: true, version: 6, stamp: 1, opId: 1 })
    expect((await stateOf(db)).base.bytes).toEqual(encode('n')('r'))
    await db.transaction((tx) => tx.applyRaw(remote(7, 'x')))
    const clean = db.transaction((tx) => tx.replica.rebase('notes', 'n', remote(8, 'r')))
    await expect(clean).rejects.toThrow(TypeError)
    await db.close()
  })

  test('touch: clean -> pending on itself under a new opId, content and stamp as before', async () => {
    const db = await open()
    await db.transaction((tx) => tx.applyRaw(remote(7, 'x')))
    const seen = await db.collection('notes').get('n')
    const { opId } = await db.transaction((tx) => tx.replica.touch('notes', 'n'))
    expect(opId).toBe(2)
    expect(await stateOf(db)).toMatchObject({ pending: true, opId: 2, stamp: 1, version: 7 })
    expect((await stateOf(db)).base.bytes).toEqual(encode('n')('x'))
    expect(await db.collection('notes').get('n')).toBe(seen)
    expect((await operations(db)).at(-1)).toMatchObject({
      ...{ opId: 2, origin: 'local', opType: 'PUT', entityVersion: 7, payload: { text: 'x' } },
    })
    const unknown = db.transaction((tx) => tx.replica.touch('notes', 'unknown'))
    await expect(unknown).rejects.toMatchObject({ code: 'entity_not_found' })
    await db.close()
  })

  test('beginTransaction: -> several transactions of the feed, committed together', async () => {
    const db = await open()
    await db.transaction(async (tx) => {
      await tx.applyRaw(remote(1, 'x'))
      await tx.applyRaw(remote(2, 'y', 'm'))
      await tx.replica.beginTransaction()
      await tx.replica.touch('notes', 'm')
      const put = await tx.collection('notes').put({ id: 'k', text: 'z' })
      expect(put.transactionId).toBe(3)
      await tx.replica.beginTransaction()
      await tx.replica.beginTransaction()
      await tx.collection('notes').putMany([{ id: 'j', text: 'w' }])
      await tx.replica.beginTransaction()
      expect(tx.receipt).toEqual({ transactionId: 1, opIds: [1, 2, 3, 4, 5] })
    })
    const found = await operations(db)
    expect(
      found.map(({ opId, transactionId, transactionLast }) => [
        opId,
        transactionId,
        transactionLast,
      ]),
    ).toEqual([
      [1, 1, false],
      [2, 1, true],
      [3, 3, false],
      [4, 3, true],
      [5, 5, true],
    ])
    const page = await replication(db).readFeed({ after: 2, opsMax: 2, bytesMax: 10_000 })
    expect(page.map(({ opId }) => opId)).toEqual([3, 4])
  })

  test('evict: clean -> gone without a trace; pending -> TypeError', async () => {
    const db = await open()
    await db.transaction((tx) => tx.applyRaw(remote(7, 'x')))
    await db.transaction((tx) => tx.replica.evict('notes', 'n'), { origin: 'sync' })
    expect(await stateOf(db)).toMatchObject({ bytes: null, version: 0, pending: false })
    expect(await db.collection('notes').find({ where: { text: 'x' } })).toEqual([])
    expect((await operations(db)).at(-1)).toMatchObject({ opType: 'DELETE', origin: 'sync' })
    await db.collection('notes').put({ id: 'n', text: 'y' })
    const pending = db.transaction((tx) => tx.replica.evict('notes', 'n'))
    await expect(pending).rejects.toThrow(TypeError)
    await db.close()
  })

  test('applyRaw: violates a unique index -> stored, reported, found by the index, fixable', async () => {
    const db = await open()
    const notes = db.collection('notes')
    await notes.put({ id: 'a', text: 'same' })
    const { violations } = await db.transaction((tx) => tx.applyRaw(remote(7, 'same', 'b')))
    expect(violations).toEqual([{ collection: 'notes', index: 'text', ids: ['b', 'a'] }])
    expect(await notes.find({ where: { text: 'same' } })).toHaveLength(2)
    await notes.put({ id: 'b', text: 'same' })
    await notes.put({ id: 'b', text: 'other' })
    const again = notes.put({ id: 'b', text: 'same' })
    await expect(again).rejects.toMatchObject({ code: 'unique_violation' })
    await db.close()
  })

  test('applyRaw: bytes of another id -> invalid_entity; no CBOR -> invalid_cbor', async () => {
    const db = await open()
    const other = db.transaction((tx) => tx.applyRaw({ ...remote(7, 'x'), entityId: 'm' }))
    await expect(other).rejects.toMatchObject({ code: 'invalid_entity' })
    const broken = { ...remote(7, 'x'), bytes: Uint8Array.of(0xff) }
    const garbage = db.transaction((tx) => tx.applyRaw(broken))
    await expect(garbage).rejects.toMatchObject({ code: 'invalid_cbor' })
    await db.close()
  })

  test('applyRaw: a collection that is not defined -> kept, and there when it is defined', async () => {
    const storage = memoryStorage()
    const db = await open(storage)
    await db.transaction((tx) =>
      tx.applyRaw({ ...remote(7, 'x'), collection: 'later', schemaVersion: 3 }),
    )
    await db.close()
    const again = await EntiDB.open({
      storage,
      collections: { later: defineCollection<Note>({ version: 3, indexes: { text: ['text'] } }) },
    })
    const later = again.collection('later')
    expect(await later.find({ where: { text: 'x' } })).toHaveLength(1)
    expect(await later.getRaw('n')).toMatchObject({ version: 7, schemaVersion: 3 })
    await again.close()
  })
})

describe('basedOn', () => {
  test('a newer revision was stored since -> kept locally, marked stale', async () => {
    const db = await open()
    const notes = db.collection('notes')
    await db.transaction((tx) => tx.applyRaw(remote(5, 'old')))
    const seen = await notes.get('n')
    await db.transaction((tx) => tx.applyRaw(remote(8, 'new')))
    if (seen === undefined) throw new Error('it was applied')
    await notes.put({ ...seen, text: 'edited' }, { basedOn: seen })
    expect((await notes.get('n'))?.text).toBe('edited')
    expect((await operations(db)).at(-1)).toMatchObject({ staleBase: true, entityVersion: 5 })
    expect((await stateOf(db)).base).toMatchObject({ version: 8, bytes: encode('n')('new') })
    await db.close()
  })

  test('deleted remotely since -> stale', async () => {
    const db = await open()
    const notes = db.collection('notes')
    await db.transaction((tx) => tx.applyRaw(remote(5, 'old')))
    const seen = await notes.get('n')
    await db.transaction((tx) => tx.applyRaw(remote(8, null)))
    if (seen === undefined) throw new Error('it was applied')
    await notes.put({ ...seen, text: 'edited' }, { basedOn: seen })
    expect((await operations(db)).at(-1)).toMatchObject({ staleBase: true, entityVersion: 5 })
    await db.close()
  })

  test('deleted remotely and forgotten since -> stale', async () => {
    const db = await open()
    const notes = db.collection('notes')
    await db.transaction((tx) => tx.applyRaw(remote(5, 'old')))
    const seen = await notes.get('n')
    await db.transaction((tx) => tx.applyRaw(remote(8, null)))
    await db.transaction((tx) => tx.replica.forget('notes', 'n'))
    if (seen === undefined) throw new Error('it was applied')
    await notes.put({ ...seen, text: 'edited' }, { basedOn: seen })
    expect((await operations(db)).at(-1)).toMatchObject({ staleBase: true, entityVersion: 5 })
    expect((await stateOf(db)).base).toMatchObject({ version: 0, bytes: null })
    await db.close()
  })

  test.each([
    ['a smaller number', 4],
    ['the same number', 5],
  ])(
    'the history parted since, and a newer state has %s -> stale, made on the point',
    async (_, version) => {
      const db = await open()
      const notes = db.collection('notes')
      await db.transaction((tx) => tx.applyRaw(remote(5, 'lost')))
      const seen = await notes.get('n')
      if (seen === undefined) throw new Error('it was applied')
      await db.transaction(async (tx) => {
        await tx.replica.evict('notes', 'n')
        await tx.replica.partAt(7)
        await tx.replica.partAt(3)
      })
      await db.transaction((tx) => tx.applyRaw(remote(version, 'new')))
      const today = await notes.get('n')
      if (today === undefined) throw new Error('it was applied')
      await notes.put({ ...seen, text: 'form' }, { basedOn: seen })
      expect((await operations(db)).at(-1)).toMatchObject({ staleBase: true, entityVersion: 3 })
      // What was read after the parting is of today's history.
      await db.transaction((tx) => tx.applyRaw(remote(version, 'new')))
      await notes.put({ ...today, text: 'form' }, { basedOn: today })
      expect((await operations(db)).at(-1)).toMatchObject({ staleBase: false })
      await db.close()
    },
  )

  test('the history parted, and what was offered again is stored still -> not stale', async () => {
    const db = await open()
    const notes = db.collection('notes')
    await db.transaction((tx) => tx.applyRaw(remote(5, 'lost')))
    const seen = await notes.get('n')
    if (seen === undefined) throw new Error('it was applied')
    await db.transaction(async (tx) => {
      await tx.replica.touch('notes', 'n')
      await tx.replica.rebase('notes', 'n', { version: 0, bytes: null, schemaVersion: 1 })
      await tx.replica.partAt(3)
    })
    await notes.put({ ...seen, text: 'edited' })
    await notes.put({ ...seen, text: 'form' }, { basedOn: seen })
    expect((await operations(db)).at(-1)).toMatchObject({ staleBase: false, entityVersion: 0 })
    await db.close()
  })

  test('only local edits since, or a rebase under it -> not stale', async () => {
    const db = await open()
    const notes = db.collection('notes')
    await db.transaction((tx) => tx.applyRaw(remote(5, 'old')))
    const seen = await notes.get('n')
    if (seen === undefined) throw new Error('it was applied')
    await notes.put({ ...seen, text: 'first' })
    await notes.put({ ...seen, text: 'second' }, { basedOn: seen })
    const mine = await notes.get('n')
    if (mine === undefined) throw new Error('it was put')
    await db.transaction(async (tx) => {
      await tx.replica.rebase('notes', 'n', remote(9, 'theirs'))
      await tx.replica.touch('notes', 'n')
    })
    await notes.put({ ...mine, text: 'third' }, { basedOn: mine })
    expect((await operations(db)).map((op) => op.staleBase)).toEqual(Array(5).fill(false))
    expect((await operations(db)).at(-1)?.entityVersion).toBe(9)
    await db.close()
  })
})

describe('replica scan', () => {
  test('records, tombstones, pending deletes, several collections -> in order, in parts', async () => {
    const db = await open()
    const notes = db.collection('notes')
    await db.transaction(async (tx) => {
      for (let i = 0; i < 10; i++) await tx.applyRaw(remote(i + 1, `t${i}`, `n${i}`))
      await tx.applyRaw(remote(20, null, 'n3'))
      await tx.applyRaw({ ...remote(21, 'z', 'z'), collection: 'another' })
      await tx.applyRaw({ ...remote(22, null, 'y'), collection: 'zoo' })
    })
    await notes.delete('n5')
    await notes.put({ id: 'n6', text: 'edited' })
    await notes.put({ id: 'n7a', text: 'new' })
    const all: ReplicaEntry[] = []
    for (let after: ReplicaEntry | undefined; ; after = all.at(-1)) {
      const part = await db.transaction((tx) =>
        tx.replica.scan({ ...(after === undefined ? {} : { after }), entriesMax: 3 }),
      )
      if (part.length === 0) break
      all.push(...part)
    }
    expect(all.map(({ collection, entityId }) => `${collection}/${entityId}`)).toEqual([
      ...['another/z', ...[0, 1, 2, 3, 4, 5, 6, 7].map((i) => `notes/n${i}`)],
      ...['notes/n7a', 'notes/n8', 'notes/n9', 'zoo/y'],
    ])
    const byId = new Map(all.map((entry) => [entry.entityId, entry]))
    expect(byId.get('n3')).toMatchObject({ version: 20, pending: false, deleted: true })
    expect(byId.get('n5')).toMatchObject({ version: 6, pending: true, deleted: true })
    expect(byId.get('n6')).toMatchObject({ version: 7, pending: true, deleted: false })
    expect(byId.get('n7a')).toMatchObject({ version: 0, pending: true, deleted: false })
    await db.close()
  })
})
