/** Every allowed value type survives device to server to device with identical bytes. */
import { defineCollection, EntiDB, memoryStorage } from '@entidb/core'
import { createSyncServer, type SyncServer, silentLogger, staticTokens } from '@entidb/server'
import { EntiDBSync } from '@entidb/sync'
import { Agent, fetch } from 'undici'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { pullEverything } from './kit/plain-client.ts'
import { createWorkplace, type Workplace } from './kit/workplace.ts'

interface Anything {
  id: string
  [field: string]: unknown
}

const dbId = 'values'
const deep = (depth: number): unknown => (depth === 0 ? 'bottom' : { deeper: deep(depth - 1) })

const values: Record<string, unknown> = {
  null: null,
  true: true,
  false: false,
  zero: 0,
  negativeZero: -0,
  notANumber: Number.NaN,
  infinity: Number.POSITIVE_INFINITY,
  negativeInfinity: Number.NEGATIVE_INFINITY,
  one: 1,
  largestInteger: Number.MAX_SAFE_INTEGER,
  smallestInteger: Number.MIN_SAFE_INTEGER,
  beyondIntegers: 2 ** 53,
  half: 0.5,
  third: 1 / 3,
  single: Math.fround(0.1),
  largest: Number.MAX_VALUE,
  smallest: Number.MIN_VALUE,
  bigZero: 0n,
  bigOne: 1n,
  bigMinusOne: -1n,
  big: 2n ** 200n,
  bigNegative: -(2n ** 200n),
  emptyText: '',
  text: 'Zürich 東京 🌍 \u0000',
  longText: 'x'.repeat(100_000),
  date: new Date('2026-11-23T12:34:56.789Z'),
  wholeSecond: new Date(1_700_000_000_000),
  beforeEpoch: new Date(-1),
  emptyBytes: new Uint8Array(0),
  bytes: Uint8Array.from({ length: 1000 }, (_, i) => i % 256),
  emptyList: [],
  list: [1, 'two', [3n, [null]], { four: 4 }],
  emptyMap: {},
  keys: { '': 1, __proto__x: 2, constructor: 3, ü: 4, 'a.b': 5 },
  deep: deep(60),
}

let workplace: Workplace
let server: SyncServer
let dispatcher: Agent

beforeEach(async () => {
  workplace = await createWorkplace()
  server = await createSyncServer({
    storage: () => memoryStorage(),
    tls: { cert: workplace.cert, key: workplace.key },
    auth: staticTokens({ [workplace.token]: { subject: 't', databases: '*', access: 'write' } }),
    createDatabases: true,
    logger: silentLogger,
  })
  await server.listen({ host: '127.0.0.1', port: 0 })
  dispatcher = new Agent({ connect: { ca: workplace.cert } })
})

afterEach(async () => {
  await server.close()
  await dispatcher.close()
  workplace.remove()
})

async function openDevice() {
  const db = await EntiDB.open({
    storage: memoryStorage(),
    collections: { values: defineCollection<Anything>({}) },
    changeFeed: true,
  })
  const sync = new EntiDBSync({
    db,
    config: {
      serverUrl: new URL(server.url),
      dbId,
      authTokenProvider: async () => workplace.token,
      fetch: (url, init) => fetch(url, { ...init, dispatcher }),
    },
  })
  return { db, sync, values: db.collection('values') }
}

describe('values', () => {
  test('every type: device to server to device -> the same bytes and equal values', async () => {
    const a = await openDevice()
    const b = await openDevice()
    const entities = Object.entries(values).map(([name, value]) => ({ id: name, value }))
    for (const entity of entities) await a.values.put(entity)
    await a.values.put({ id: 'all', ...values })
    await a.sync.sync()
    await b.sync.sync()
    const onServer = new Map(
      (await pullEverything(server.url, dbId, workplace)).map((op) => [op.entityId, op.entityCbor]),
    )
    for (const { id, value } of entities) {
      const [sent, received] = [await a.values.getRaw(id), await b.values.getRaw(id)]
      expect(received?.bytes, id).toEqual(sent?.bytes)
      expect(received?.version, id).toBe(sent?.version)
      expect(onServer.get(id), id).toEqual(sent?.bytes)
      expect((await b.values.get(id))?.value, id).toEqual(value)
    }
    expect((await b.values.getRaw('all'))?.bytes).toEqual((await a.values.getRaw('all'))?.bytes)
    await Promise.all([a.sync.stop(), b.sync.stop()])
    await Promise.all([a.db.close(), b.db.close()])
  })

  test.each<[string, unknown, string]>([
    ['a lone surrogate', '\ud800', 'value'],
    ['an invalid date', [new Date(Number.NaN)], 'value[0]'],
    ['a function', { inner: () => 1 }, 'value.inner'],
    ['a symbol', Symbol('s'), 'value'],
    ['a class instance', new Map(), 'value'],
    ['undefined in an array', [undefined], 'value[0]'],
    ['depth over 64', deep(64), 'value'],
  ])('refused values: %s -> invalid_entity with the path', async (_, value, path) => {
    const { db, values: collection } = await openDevice()
    const refusal = await collection.put({ id: 'x', value }).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'invalid_entity' })
    expect(refusal).toHaveProperty('details.path', expect.stringContaining(path))
    expect(await collection.get('x')).toBeUndefined()
    await db.close()
  })
})
