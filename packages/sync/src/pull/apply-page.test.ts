import { encodeEntity } from '@entidb/core/cbor'
import type { SyncOperation } from '@entidb/protocol'
import { describe, expect, test } from 'vitest'
import { rememberEvicted } from '../evict/evicted-rows.ts'
import { openStore } from '../test-kit/store.test-kit.ts'
import { applyPage } from './apply-page.ts'

const context = { nowMs: 0, onViolation: () => {}, turn: async () => {} }

function put(revision: number, entityId: string, token: string): SyncOperation {
  return {
    opId: revision,
    dbId: 'test',
    deviceId: 'other',
    collection: 'notes',
    entityId,
    opType: 'PUT',
    entityVersion: revision,
    entityCbor: encodeEntity({ id: entityId, tokens: [token] }),
  }
}

function page(...ops: readonly SyncOperation[]) {
  return { ops, nextCursor: ops.at(-1)?.entityVersion ?? 0, hasMore: false }
}

describe('pulled page', () => {
  test('asked for from the present state: -> stored, cursor moved', async () => {
    const { db, store } = await openStore()
    const origin = store.state
    await store.applying((tx) => applyPage(tx, page(put(7, 'n1', 'a')), origin, context))
    expect(store.state.cursor).toBe(7)
    expect(await db.collection('notes').get('n1')).toEqual({ id: 'n1', tokens: ['a'] })
  })

  test('a large page -> others have their turn, and see nothing of it before all of it', async () => {
    const { db, store } = await openStore()
    const counts: number[] = []
    const turn = async () => {
      counts.push(await db.collection('notes').count())
    }
    const ops = Array.from({ length: 1_700 }, (_, i) => put(i + 1, `n${i}`, 'a'))
    await store.applying((tx) => applyPage(tx, page(...ops), store.state, { ...context, turn }))
    expect(counts.length).toBeGreaterThanOrEqual(3)
    expect(new Set(counts)).toEqual(new Set([0]))
    expect(await db.collection('notes').count()).toBe(1_700)
  })

  test('a large page where something was evicted -> others have their turn while that is looked up too', async () => {
    const ops = Array.from({ length: 1_700 }, (_, i) => put(i + 1, `n${i}`, 'a'))
    const apply = async (evicted: readonly string[]) => {
      const { store } = await openStore()
      let turns = 0
      const turn = async () => {
        turns++
      }
      await store.transaction(async (tx) => {
        for (const entityId of evicted) {
          await rememberEvicted(tx, { collection: 'notes', entityId }, 1, new Uint8Array(0))
        }
      })
      const outcome = await store.applying((tx) =>
        applyPage(tx, page(...ops), store.state, { ...context, turn }),
      )
      return { turns, pulled: outcome?.pulled }
    }
    const [plain, evicted] = [await apply([]), await apply(['n0'])]
    expect([plain.pulled, evicted.pulled]).toEqual([1_700, 1_699])
    expect(evicted.turns).toBe(plain.turns + 3)
  })

  test.each([
    ['cursor', { cursor: 3 }],
    ['generation', { generation: 9 }],
    ['epoch', { epoch: new Uint8Array(16) }],
    ['deviceId', { deviceId: 'renamed' }],
  ])('the %s moved meanwhile: -> thrown away', async (_, change) => {
    const { db, store } = await openStore()
    const origin = store.state
    await store.transaction(async (tx) => tx.setState(change))
    const outcome = await store.applying((tx) =>
      applyPage(tx, page(put(7, 'n1', 'a')), origin, context),
    )
    expect(outcome).toBeUndefined()
    expect(store.state).toMatchObject(change)
    expect(await db.collection('notes').get('n1')).toBeUndefined()
  })

  test('bytes of another entity: -> refused, nothing applied', async () => {
    const { store } = await openStore()
    const wrong = { ...put(7, 'n1', 'a'), entityId: 'n2' }
    await expect(
      store.applying((tx) => applyPage(tx, page(wrong), store.state, context)),
    ).rejects.toMatchObject({ code: 'invalid_entity' })
    expect(store.state.cursor).toBe(0)
  })

  test('applied operations: -> not in the change feed, and counted as read', async () => {
    const { db, store } = await openStore()
    store.engine.onCommit((commit) => store.hear(commit))
    await store.startHearing()
    for (let revision = 1; revision <= 5; revision++) {
      const origin = store.state
      await store.applying((tx) =>
        applyPage(tx, page(put(revision, `n${revision}`, 'a')), origin, context),
      )
    }
    expect(store.edits.readThrough).toBe(await store.engine.feedHead())
    expect((await db.stats()).feed.operations).toBe(0)
  })

  test('applied while somebody follows the feed: -> let go of, never read again', async () => {
    const { db, store } = await openStore()
    const seen: string[] = []
    const following = db.changes()
    const follow = async () => {
      for await (const op of following) if (seen.push(op.entityId) === 5) return
    }
    const followed = follow()
    store.engine.onCommit((commit) => store.hear(commit))
    await store.startHearing()
    for (let revision = 1; revision <= 5; revision++) {
      const origin = store.state
      await store.applying((tx) =>
        applyPage(tx, page(put(revision, `n${revision}`, 'a')), origin, context),
      )
    }
    await followed
    expect(seen).toEqual(['n1', 'n2', 'n3', 'n4', 'n5'])
    expect(store.edits.readThrough).toBe(await store.engine.feedHead())
    await store.applying(async () => {})
    expect((await db.stats()).feed.operations).toBe(0)
  })

  test('a local edit among them: -> stays to be pushed', async () => {
    const { db, store } = await openStore()
    store.engine.onCommit((commit) => {
      store.hear(commit)
      void store.followFeed()
    })
    await store.startHearing()
    for (let revision = 1; revision <= 5; revision++) {
      const origin = store.state
      const applied = store.applying((tx) =>
        applyPage(tx, page(put(revision, `n${revision}`, 'a')), origin, context),
      )
      const edited = db.collection('notes').put({ id: `local${revision}`, tokens: [] })
      await Promise.all([applied, edited])
    }
    await store.followFeed()
    expect(store.edits.size).toBe(5)
    for (let i = 1; i <= 5; i++) expect(store.edits.has(`notes/local${i}`)).toBe(true)
  })
})
