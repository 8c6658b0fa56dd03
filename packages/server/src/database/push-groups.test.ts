import { encodeEntity } from '@entidb/core/cbor'
import { describe, expect, test } from 'vitest'
import {
  deviceB,
  fates,
  openTestDatabase,
  pull,
  push,
  put,
  remove,
  revisionOf,
} from './sync-database.test-kit.ts'

describe('groups', () => {
  test('all acceptable -> all committed with neighbouring cursors, though not adjacent in the request', async () => {
    const database = await openTestDatabase()
    const response = await push(database, [
      put(1, 'a', 0, 1, { tx: 1 }),
      put(2, 'b', 0, 1, { tx: 2 }),
      put(3, 'c', 0, 1, { tx: 1 }),
      put(4, 'd', 0, 1),
    ])
    const before = response.headBefore ?? Number.NaN
    expect(fates(response)).toEqual({ 1: before + 1, 3: before + 2, 2: before + 3, 4: before + 4 })
    expect(response.committed?.map(({ opId }) => opId)).toEqual([1, 2, 3, 4])
  })

  test('one stale -> none is committed: stale for it, group for the others; other groups go on', async () => {
    const database = await openTestDatabase()
    await push(database, [put(1, 'a', 0, 'old')])
    const response = await push(database, [
      put(2, 'a', 1, 'new', { tx: 0 }),
      put(3, 'b', 0, 'new', { tx: 0 }),
      put(4, 'c', 0, 'new', { tx: 1 }),
    ])
    expect(fates(response)).toEqual({ 2: 'stale', 3: 'group', 4: expect.any(Number) })
    expect(response.conflicts[1]?.serverState).toEqual({ entityVersion: 0, entityCbor: null })
    expect((await pull(database)).ops.map((op) => op.entityId)).toEqual(['a', 'c'])
  })

  test('a no-op in a conflicting group -> committed; in a rejected group -> rejected', async () => {
    const database = await openTestDatabase()
    const created = await push(database, [put(1, 'a', 0, 'same'), put(2, 'b', 0, 'old')])
    const conflicting = await push(database, [
      put(3, 'a', 0, 'same', { tx: 0 }),
      put(4, 'b', 0, 'new', { tx: 0 }),
    ])
    expect(fates(conflicting)).toEqual({ 3: revisionOf(created, 1), 4: 'stale' })
    const rejected = await push(database, [
      put(5, 'a', 0, 'same', { tx: 0 }),
      { ...put(6, 'c', 0, 'x', { tx: 0 }), entityCbor: encodeEntity({ id: 'other' }) },
    ])
    expect(fates(rejected)).toEqual({ 5: 'group', 6: 'invalid_entity' })
  })

  test('a rejection and a conflict in one group -> rejected, not in conflict', async () => {
    const database = await openTestDatabase()
    const response = await push(database, [
      put(1, 'a', 77, 'stale', { tx: 0 }),
      { ...put(2, 'b', 0, 'x', { tx: 0 }), entityCbor: Uint8Array.of(0xff) },
      put(3, 'c', 0, 'alone'),
    ])
    expect(fates(response)).toEqual({ 1: 'group', 2: 'invalid_entity', 3: expect.any(Number) })
  })

  test('duplicates in a group -> they repeat, the rest is decided as a group', async () => {
    const database = await openTestDatabase()
    const first = await push(database, [put(1, 'a', 0, 1, { tx: 0 })])
    const response = await push(database, [
      put(1, 'a', 0, 1, { tx: 0 }),
      put(2, 'b', 5, 1, { tx: 0 }),
      put(3, 'c', 0, 1, { tx: 0 }),
    ])
    expect(fates(response)).toEqual({ 1: revisionOf(first, 1), 2: 'stale', 3: 'group' })
  })

  test('no tx -> every operation is decided alone', async () => {
    const database = await openTestDatabase()
    const response = await push(database, [put(1, 'a', 9, 1), put(2, 'b', 0, 1)])
    expect(fates(response)).toEqual({ 1: 'stale', 2: expect.any(Number) })
  })

  test('an operation below the floor -> its group conflicts with it', async () => {
    const database = await openTestDatabase()
    await push(database, [put(5, 'x', 0, 1)])
    const response = await push(database, [
      put(4, 'a', 0, 1, { tx: 0 }),
      put(6, 'b', 0, 1, { tx: 0 }),
    ])
    expect(fates(response)).toEqual({ 4: 'stale', 6: 'group' })
  })

  test('one tx number in two requests -> two groups in a pull', async () => {
    const database = await openTestDatabase()
    await push(database, [put(1, 'a', 0, 1, { tx: 0 }), put(2, 'b', 0, 1, { tx: 0 })])
    await push(database, [put(3, 'c', 0, 1, { tx: 0 }), put(4, 'd', 0, 1, { tx: 0 })])
    const [a, b, c, d] = (await pull(database)).ops.map((op) => op.tx)
    expect(a).toBe(b)
    expect(c).toBe(d)
    expect(a).not.toBe(c)
  })

  test('a bank transfer that meets another one -> both accounts keep the first', async () => {
    const database = await openTestDatabase()
    const opened = await push(database, [put(1, 'from', 0, 100), put(2, 'to', 0, 0)])
    const [from, to] = [revisionOf(opened, 1), revisionOf(opened, 2)]
    await push(database, [put(3, 'from', from, 90, { tx: 1 }), put(4, 'to', to, 10, { tx: 1 })])
    const late = await push(database, [
      put(1, 'from', from, 50, { tx: 1, deviceId: deviceB }),
      put(2, 'third', 0, 50, { tx: 1, deviceId: deviceB }),
    ])
    expect(fates(late)).toEqual({ 1: 'stale', 2: 'group' })
    expect((await pull(database)).ops.some((op) => op.entityId === 'third')).toBe(false)
  })

  test('a delete of what is absent beside a stale operation -> committed at 0', async () => {
    const database = await openTestDatabase()
    const response = await push(database, [
      remove(1, 'ghost', 0, { tx: 0 }),
      put(2, 'a', 3, 1, { tx: 0 }),
    ])
    expect(fates(response)).toEqual({ 1: 0, 2: 'stale' })
  })
})

describe('rejections', () => {
  const deep = (levels: number): unknown => (levels === 0 ? 1 : { d: deep(levels - 1) })

  test.each([
    ['not CBOR', Uint8Array.of(0xff), 'invalid_entity'],
    ['not a map', Uint8Array.of(0x01), 'invalid_entity'],
    ['trailing bytes', Uint8Array.of(...encodeEntity({ id: 'x' }), 0), 'invalid_entity'],
    ['another id', encodeEntity({ id: 'y' }), 'invalid_entity'],
    [
      'keys out of order',
      Uint8Array.of(0xa2, 0x62, 0x69, 0x64, 0x61, 0x78, 0x61, 0x61, 1),
      'invalid_entity',
    ],
    [
      'a length that is not the shortest',
      Uint8Array.of(0xa1, 0x78, 2, 0x69, 0x64, 0x61, 0x78),
      'invalid_entity',
    ],
    ['empty', new Uint8Array(0), 'invalid_entity'],
    ['deeper than the limit', encodeEntity({ id: 'x', d: deep(4) }), 'invalid_entity'],
    ['larger than the limit', encodeEntity({ id: 'x', text: 'x'.repeat(1000) }), 'too_large'],
  ])('entityCbor: %s -> rejected, and what comes after it goes on', async (_, entityCbor, code) => {
    const database = await openTestDatabase({ limits: { maxEntityBytes: 1000, maxDepth: 4 } })
    const response = await push(database, [
      { ...put(1, 'x', 0, 'a'), entityCbor },
      put(2, 'y', 0, 'b'),
    ])
    expect(fates(response)).toEqual({ 1: code, 2: expect.any(Number) })
    expect(response.acknowledgedUpToOpId).toBe(2)
  })

  test('depth: the outer map is the first level -> exactly the limit passes', async () => {
    const database = await openTestDatabase({ limits: { maxDepth: 4 } })
    const entityCbor = encodeEntity({ id: 'x', d: deep(3) })
    const response = await push(database, [{ ...put(1, 'x', 0, 'a'), entityCbor }])
    expect(fates(response)).toEqual({ 1: expect.any(Number) })
  })

  test('a rejected operation sent again in better shape -> decided anew', async () => {
    const database = await openTestDatabase()
    await push(database, [{ ...put(1, 'x', 0, 'a'), entityCbor: Uint8Array.of(0) }])
    expect(fates(await push(database, [put(1, 'x', 0, 'a')]))).toEqual({ 1: expect.any(Number) })
  })
})
