/** Which requests are answered by a snapshot, and which places are none. */
import { memoryStorage } from '@entidb/core'
import { PACKED_FORM, type PullRequest, type SnapshotRequest } from '@entidb/protocol'
import { describe, expect, test } from 'vitest'
import { answer, filled } from './snapshot-page.test-kit.ts'
import {
  dbId,
  deviceB,
  openTestDatabase,
  pull,
  push,
  put,
  reader,
  writer,
} from './sync-database.test-kit.ts'

describe('requests for snapshots', () => {
  test('without packed, with an older form, or of some collections -> the pull by cursor that it also is', async () => {
    const database = await filled(['b', 'a', 'c'])
    const { snapshot = { through: 0 } } = await answer(database, {}, { limit: 2 })
    for (const asked of [{}, snapshot]) {
      const plain = { limit: 2, snapshot: asked }
      for (const packed of [{}, { packed: PACKED_FORM - 1 }]) {
        const request = { dbId, sinceCursor: 0, ...plain, ...packed }
        expect(await database.pullSnapshot(request, writer)).toBe(undefined)
      }
      const byCursor = await pull(database, plain)
      expect(byCursor).not.toHaveProperty('snapshot')
      expect(byCursor).toEqual(await pull(database, { limit: 2 }))
      for (const collections of [['items'], []]) {
        const page = await answer(database, asked, { collections, limit: 2 })
        expect(page).not.toHaveProperty('snapshot')
        expect(page).toEqual(await pull(database, { collections, limit: 2 }))
      }
    }
  })

  test('a token that may not read everything -> by cursor without what is hidden, whatever the place says', async () => {
    const database = await openTestDatabase({
      policy: { collections: { secrets: { read: ({ subject }) => subject === 'ada' } } },
    })
    await push(database, [
      put(1, 'b', 0, 'b'),
      put(2, 'a', 0, 'a', { collection: 'secrets' }),
      put(3, 'a', 0, 'a'),
    ])
    for (const asked of [{}, { through: 0, after: 'secrets/a' }]) {
      for (const identity of [reader, writer]) {
        const page = await answer(database, asked, {}, identity)
        expect(page).not.toHaveProperty('snapshot')
        expect(page).toEqual(await pull(database, {}, identity))
      }
    }
    const hidden = await answer(database, {}, {}, reader)
    expect(hidden.ops.map(({ entityId }) => entityId)).toEqual(['b', 'a'])
  })

  test('a token that may only read, and everything -> a snapshot', async () => {
    const database = await filled(['b', 'a'])
    const page = await answer(database, {}, {}, reader)
    expect(page.snapshot).toEqual({ through: await database.head() })
  })

  test('one field of a place alone, or another cursor than 0 -> invalid_request, whoever asks', async () => {
    const database = await filled(['a', 'b'])
    const through = await database.head()
    const cases: [SnapshotRequest, Partial<PullRequest>][] = [
      [{ through }, {}],
      [{ after: 'items/a' }, {}],
      [{}, { sinceCursor: through }],
      [{ through, after: 'items/a' }, { sinceCursor: through }],
    ]
    for (const [asked, extras] of cases) {
      for (const more of [{}, { collections: [] }]) {
        await expect(answer(database, asked, { ...extras, ...more })).rejects.toMatchObject({
          code: 'invalid_request',
        })
      }
    }
  })

  test('a place past the head, another epoch, a superseded replica -> as for every pull', async () => {
    const database = await filled(['a', 'b'])
    const through = await database.head()
    const place = { through, after: 'items/a' }
    await expect(answer(database, { ...place, through: through + 1 })).rejects.toMatchObject({
      code: 'cursor_ahead',
    })
    const epoch = new Uint8Array(16).fill(0xee)
    await expect(answer(database, place, { epoch })).rejects.toMatchObject({
      code: 'epoch_mismatch',
    })
    const [first, second] = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)]
    await database.handshake({ dbId, deviceId: deviceB, replicaId: first }, writer)
    await database.handshake({ dbId, deviceId: deviceB, replicaId: second }, writer)
    const asB = { deviceId: deviceB, replicaId: first }
    await expect(answer(database, place, asB)).rejects.toMatchObject({ code: 'device_conflict' })
    expect((await answer(database, place, { ...asB, replicaId: second })).ops).toHaveLength(1)
  })

  test('older files, a place past their head -> begins an epoch as a cursor does; a malformed request begins none', async () => {
    const storage = memoryStorage()
    const before = await openTestDatabase({ storage })
    await push(before, [put(1, 'a', 0, 'a'), put(2, 'b', 0, 'b')])
    const { epoch } = await before.handshake({ dbId, deviceId: deviceB }, writer)
    const through = (await before.head()) + 5
    await before.close()
    const database = await openTestDatabase({ storage })
    const epochs = async (): Promise<number | undefined> =>
      (await database.handshake({ dbId, deviceId: deviceB }, writer)).history?.length
    await expect(answer(database, { through })).rejects.toMatchObject({ code: 'invalid_request' })
    expect(await epochs()).toBe(1)
    const place = { through, after: 'items/a' }
    const named = epoch === undefined ? {} : { epoch }
    await expect(answer(database, place, named)).rejects.toMatchObject({ code: 'epoch_mismatch' })
    expect(await epochs()).toBe(2)
    // Who names no epoch is served: everything new comes beyond the raised head.
    const page = await answer(database, place)
    expect(page).toMatchObject({ nextCursor: through, hasMore: true })
    expect(page.ops.map(({ entityId }) => entityId)).toEqual(['b'])
  })

  test('a place that no page named -> what lies behind it', async () => {
    const database = await filled(['a', 'b', 'c'])
    const through = await database.head()
    for (const [after, ids] of [
      [' ', ['a', 'b', 'c']],
      ['items/bb', ['c']],
      ['\u{10ffff}'.repeat(256), []],
    ] as const) {
      const page = await answer(database, { through, after })
      expect(page.ops.map(({ entityId }) => entityId)).toEqual(ids)
      expect(page).toMatchObject({ nextCursor: through, hasMore: false })
    }
  })
})
