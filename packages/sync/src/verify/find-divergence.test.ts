/** Divergence that takes several passes over what the server has. */
import { encodeEntity } from '@entidb/core/cbor'
import { DEFAULT_LIMITS } from '@entidb/protocol'
import { expect, test } from 'vitest'
import { ModelServer } from '../test-kit/model-server.test-kit.ts'
import { openDevice } from '../test-kit/pair.test-kit.ts'
import { openStore } from '../test-kit/store.test-kit.ts'
import { HttpTransport } from '../transport/http-transport.ts'
import { TokenSource } from '../transport/token-source.ts'
import { findDivergence } from './find-divergence.ts'

test('find divergence: more names than one pass may hold -> all found, over several passes', async () => {
  const server = new ModelServer({ limits: { maxPullOps: 7 } })
  const a = await openDevice(server)
  const ids = Array.from({ length: 40 }, (_, i) => `n${i}`)
  for (const id of ids) await a.db.collection('notes').put({ id, tokens: [] })
  await a.sync.sync()
  const { db, store } = await openStore()
  await store.applying(async (tx) => {
    for (let i = 0; i < 30; i++) {
      const id = `x${i}`
      const bytes = encodeEntity({ id, tokens: [] })
      const ref = { collection: 'notes', entityId: id }
      await tx.replica.applyRaw({ ...ref, version: i + 1, bytes, schemaVersion: 1 })
    }
  })
  const transport = new HttpTransport({
    serverUrl: 'https://sync.test',
    fetch: server.fetch,
    tokens: new TokenSource(() => 'secret'),
    timers: { after: () => () => {} },
    requestTimeoutMs: 1,
    responseBytesMax: 1_000_000,
    onContact: () => {},
    onExchange: () => {},
  })
  const snapshot = store.engine.snapshot()
  const question = {
    snapshot,
    cursor: server.database.head,
    collections: new Set(['notes', 'gone']),
    entities: 40,
  }
  const source = {
    store,
    transport,
    replicaId: new Uint8Array(16),
    capabilities: undefined,
    limits: DEFAULT_LIMITS,
    turn: async () => {},
  }
  const pulled = () => server.requests.filter(({ path }) => path === '/v1/pull').length
  const before = pulled()
  const { signal } = new AbortController()
  const { divergent, more } = await findDivergence(source, question, signal, 10)
  expect(pulled() - before).toBe(4 * 6)
  const names = (difference: string) =>
    divergent
      .filter((each) => each.difference === difference)
      .map(({ entityId }) => entityId)
      .sort()
  expect(names('missing')).toEqual([...ids].sort())
  expect(names('extra')).toHaveLength(30)
  expect({ count: divergent.length, more }).toEqual({ count: 70, more: false })
  snapshot.release()
  await db.close()
})
