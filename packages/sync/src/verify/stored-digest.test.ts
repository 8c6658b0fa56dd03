/** What is stored, as the digest of one snapshot sees it. */
import { encodeEntity } from '@entidb/core/cbor'
import { addDigests, emptyDigest, entityDigest } from '@entidb/protocol'
import { describe, expect, test } from 'vitest'
import { type OpenStore, openStore } from '../test-kit/store.test-kit.ts'
import { digestStored, totalOf } from './stored-digest.ts'

const { signal } = new AbortController()

async function digestOf({ store }: OpenStore, turn: () => Promise<void> = async () => {}) {
  const snapshot = store.engine.snapshot()
  try {
    const digest = await digestStored(snapshot, turn, signal)
    return typeof digest === 'string' ? digest : { ...digest, ...totalOf(digest) }
  } finally {
    snapshot.release()
  }
}

async function opened(): Promise<OpenStore> {
  const open = await openStore()
  await open.store.transaction(async (tx) => tx.setState({ offer: null, cursor: 1_000 }))
  return open
}

const replicated = (entityId: string, version: number, size = 8) => ({
  ...{ collection: 'notes', entityId, version, schemaVersion: 1 },
  bytes: encodeEntity({ id: entityId, tokens: ['x'.repeat(size)] }),
})

describe('stored digest', () => {
  test('entities of every size, tombstones -> the sum over the live ones, in steps', async () => {
    const open = await opened()
    const sizes = [...Array.from({ length: 700 }, (_, i) => i % 90), 300_000, 5, 200_000, 0]
    const states = sizes.map((size, i) => replicated(`n${i}`, i + 1, size))
    await open.store.applying(async (tx) => {
      for (const state of states) await tx.replica.applyRaw(state)
      await tx.replica.applyRaw({ ...replicated('n3', 999), bytes: null })
    })
    let turns = 0
    const digest = await digestOf(open, async () => {
      turns += 1
    })
    const live = states.filter(({ entityId }) => entityId !== 'n3')
    const expected = live
      .map(({ collection, entityId, version, bytes }) =>
        entityDigest(collection, entityId, version, bytes),
      )
      .reduce(addDigests, emptyDigest())
    expect(digest).toMatchObject({ cursor: 1_000, digest: expected, entities: live.length })
    expect(turns).toBeGreaterThan(7)
  })

  test('a local edit, put or delete -> pending', async () => {
    const open = await opened()
    await open.store.applying((tx) => tx.replica.applyRaw(replicated('n1', 1)))
    expect(await digestOf(open)).toMatchObject({ entities: 1 })
    await open.db.collection('notes').delete('n1')
    expect(await digestOf(open)).toBe('pending')
    await open.store.applying((tx) => tx.replica.applyRaw(replicated('n1', 2)))
    expect(await digestOf(open)).toMatchObject({ entities: 1 })
    await open.db.collection('notes').put({ id: 'n2', tokens: [] })
    expect(await digestOf(open)).toBe('pending')
  })

  test('a first offer that is not made yet -> pending; a held entity -> held', async () => {
    const open = await opened()
    await open.store.transaction(async (tx) => tx.setState({ offer: { through: 0, after: null } }))
    expect(await digestOf(open)).toBe('pending')
    await open.store.transaction(async (tx) => {
      tx.changeNote({ collection: 'notes', entityId: 'n1' }, { group: 1 })
    })
    expect(await digestOf(open)).toBe('held')
  })
})
