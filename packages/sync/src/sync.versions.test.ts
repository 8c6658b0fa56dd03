/** Devices of different application versions: each sees both sides of a conflict in the shape it knows. */
import { type CollectionDefinitions, defineCollection, EntiDB, memoryStorage } from '@entidb/core'
import { encodeEntity } from '@entidb/core/cbor'
import { PUSH_PATH } from '@entidb/protocol'
import { afterEach, describe, expect, test } from 'vitest'
import type { SyncConfig } from './config.ts'
import type {
  ConflictResolver,
  LocalSide,
  RemoteSide,
  Resolution,
} from './conflicts/conflict-types.ts'
import { EntiDBSync } from './entidb-sync.ts'
import { type Fault, ModelServer } from './test-kit/model-server.test-kit.ts'

interface Old {
  readonly id: string
  readonly name: string
  readonly color?: string
}

interface New {
  readonly id: string
  readonly names: readonly string[]
  readonly color?: string
}

const old = { things: defineCollection<Old>({}) }
const renewed = {
  things: defineCollection<New>({
    version: 2,
    migrations: {
      2: ({ name, ...rest }) => {
        if (name === 'unmigratable') throw new Error('no')
        return { ...rest, names: String(name).split(' ') }
      },
    },
  }),
}

let closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing) await close()
  closing = []
})

/** Euros at first, then cents: the same bytes are another amount. */
interface Price {
  readonly id: string
  readonly amount: number
}

const inEuros = { things: defineCollection<Price>({}) }
const inCents = {
  things: defineCollection<Price>({
    version: 2,
    migrations: { 2: ({ amount, ...rest }) => ({ ...rest, amount: Number(amount) * 100 }) },
  }),
}

async function open<C extends CollectionDefinitions>(
  server: ModelServer,
  collections: C,
  config: Partial<SyncConfig> = {},
  storage = memoryStorage(),
) {
  const db = await EntiDB.open({ storage, collections, changeFeed: true })
  const sync = new EntiDBSync({
    db,
    config: {
      serverUrl: 'https://sync.test',
      dbId: 'test',
      authTokenProvider: () => 'secret',
      stream: false,
      ...config,
      fetch: server.fetch,
    },
  })
  closing.push(async () => {
    await sync.stop()
    await db.close()
  })
  return { db, things: db.collection('things'), sync }
}

/** `t` was made by the old application, and then edited by both. */
async function bothEdit(name: string, config: Partial<SyncConfig> = {}) {
  const server = new ModelServer()
  const before = await open(server, old)
  const after = await open(server, renewed, config)
  // Types: the collections differ.
  const oldThings = before.things as unknown as { put(entity: Old): Promise<unknown> }
  const newThings = after.things as unknown as {
    put(entity: New): Promise<unknown>
    get(id: string): Promise<New | undefined>
  }
  await oldThings.put({ id: 't', name: 'Ada Lovelace' })
  await before.sync.sync()
  await after.sync.sync()
  await oldThings.put({ id: 't', name })
  await newThings.put({ id: 't', names: ['Ada', 'Lovelace'], color: 'red' })
  await before.sync.sync()
  await after.sync.sync()
  return { before, after, newThings }
}

describe('conflict between versions', () => {
  test('older remote side and base -> resolver and list have them in the new shape', async () => {
    const asked: { local: LocalSide; remote: RemoteSide; base: RemoteSide | undefined }[] = []
    const { after } = await bothEdit('Ada King', {
      conflictResolver: {
        resolve(local, remote, { base }): Resolution {
          asked.push({ local, remote, base })
          return { type: 'defer' }
        },
      },
    })
    const sides = {
      local: { entity: { id: 't', names: ['Ada', 'Lovelace'], color: 'red' } },
      remote: { entity: { id: 't', names: ['Ada', 'King'] } },
      base: { entity: { id: 't', names: ['Ada', 'Lovelace'] } },
    }
    expect(asked).toMatchObject([sides])
    expect(await after.sync.conflicts.list()).toMatchObject([sides])
  })

  test('merged by the older version, nothing left out -> stays of the newer version, which reads all of it', async () => {
    const server = new ModelServer()
    const merging: ConflictResolver = {
      resolve: (local, remote) =>
        local.entity === null || remote.entity === null
          ? { type: 'keepLocal' }
          : { type: 'merge', entity: { ...remote.entity, ...local.entity } },
    }
    const before = await open(server, old, { conflictResolver: merging })
    const after = await open(server, renewed)
    const things = after.things as unknown as {
      // types: the collections differ
      put(entity: New): Promise<unknown>
      get(id: string): Promise<unknown>
    }
    await things.put({ id: 't', names: ['Ada', 'Lovelace'] })
    await after.sync.sync()
    await (before.things as unknown as { put(entity: Old): Promise<unknown> }).put({
      id: 't',
      name: 'Grace',
    })
    await before.sync.sync()
    await after.sync.sync()
    expect(await things.get('t')).toEqual({ id: 't', name: 'Grace', names: ['Ada', 'Lovelace'] })
  })

  test('the same bytes of two versions -> a conflict: they are two values', async () => {
    const server = new ModelServer()
    const before = await open(server, inEuros)
    const after = await open(server, inCents)
    await before.things.put({ id: 't', amount: 3 })
    await before.sync.sync()
    await after.sync.sync()
    await before.things.put({ id: 't', amount: 500 })
    await after.things.put({ id: 't', amount: 500 })
    await before.sync.sync()
    await after.sync.sync()
    const [conflict] = await after.sync.conflicts.list()
    expect(conflict).toMatchObject({
      local: { entity: { amount: 500 } },
      remote: { entity: { amount: 50_000 } },
    })
    await after.sync.conflicts.resolve(conflict?.id ?? '', { type: 'keepLocal' })
    await after.sync.sync()
    await before.sync.sync()
    const raw = { schemaVersion: 2 }
    expect(await after.things.getRaw('t')).toMatchObject(raw)
    expect(await before.things.getRaw('t')).toMatchObject(raw)
    expect(await before.things.get('t')).toEqual({ id: 't', amount: 500 })
  })

  test('the older version settles it with one side as it is -> of the version of that side', async () => {
    const server = new ModelServer()
    const side = { of: 'local' }
    const before = await open(server, inEuros, {
      conflictResolver: {
        resolve: (local, remote): Resolution => {
          const { entity } = side.of === 'local' ? local : remote
          return entity === null ? { type: 'defer' } : { type: 'merge', entity }
        },
      },
    })
    const after = await open(server, inCents)
    for (const { of, amount } of [
      { of: 'local', amount: 300 },
      { of: 'remote', amount: 500 },
    ]) {
      side.of = of
      await before.things.put({ id: of, amount: 1 })
      await before.sync.sync()
      await after.sync.sync()
      await after.things.put({ id: of, amount: 500 })
      await after.sync.sync()
      await before.things.put({ id: of, amount: 3 })
      await before.sync.sync()
      await after.sync.sync()
      expect(await after.things.get(of)).toEqual({ id: of, amount })
    }
  })

  test('a server that names no revisions, and the echo is compacted away -> the base is of the version that was sent', async () => {
    const server = new ModelServer({ simple: true })
    const [a, b] = [await open(server, inCents), await open(server, inCents)]
    await a.things.put({ id: 't', amount: 500 })
    await a.sync.sync()
    await b.sync.sync()
    await b.things.put({ id: 't', amount: 700 })
    await b.sync.sync()
    server.database.compact()
    await a.things.put({ id: 't', amount: 600 })
    await a.sync.sync()
    expect(await a.sync.conflicts.list()).toMatchObject([
      {
        local: { entity: { amount: 600 } },
        remote: { entity: { amount: 700 } },
        base: { entity: { amount: 500 } },
      },
    ])
  })

  test('given up -> comes back in the new shape', async () => {
    const { after, newThings } = await bothEdit('Ada King', {
      conflictResolver: { resolve: (): Resolution => ({ type: 'keepLocal' }) },
    })
    await after.sync.sync()
    const [entry] = await after.sync.ledger.list({ fate: 'conflict' })
    await after.sync.ledger.restore(entry?.id ?? '', { side: 'remote' })
    expect(await newThings.get('t')).toEqual({ id: 't', names: ['Ada', 'King'] })
  })

  test('a side that no migration brings up -> deferred, listed as it is stored', async () => {
    let questions = 0
    const { after } = await bothEdit('unmigratable', {
      conflictResolver: {
        resolve(): Resolution {
          questions++
          return { type: 'takeRemote' }
        },
      },
    })
    await after.sync.sync()
    expect(questions).toBe(0)
    expect(await after.sync.conflicts.list()).toMatchObject([
      { remote: { entity: { id: 't', name: 'unmigratable' } } },
    ])
  })
})

describe('the older application deletes what the newer one wrote', () => {
  test.each(['before', 'after'])(
    'and puts it back %s the delete was pushed -> of the newer version, nobody migrates it again',
    async (when) => {
      const server = new ModelServer()
      const before = await open(server, inEuros)
      const after = await open(server, inCents)
      await after.things.put({ id: 't', amount: 500 })
      await after.sync.sync()
      await before.sync.sync()
      const seen = (await before.things.get('t')) ?? { id: 't', amount: 0 }
      await before.things.delete('t')
      if (when === 'after') await before.sync.sync()
      await before.things.put(seen)
      await before.sync.sync()
      await after.sync.sync()
      expect(await after.things.get('t')).toEqual({ id: 't', amount: 500 })
      expect(await after.sync.verify()).toMatchObject({ outcome: 'converged', entities: 1 })
    },
  )

  test('saves a form late that was opened before the newer one edited -> the form is of its own version', async () => {
    const server = new ModelServer()
    const before = await open(server, inEuros)
    const after = await open(server, inCents)
    await before.things.put({ id: 't', amount: 3 })
    await before.sync.sync()
    await after.sync.sync()
    const form = (await before.things.get('t')) ?? { id: 't', amount: 0 }
    await after.things.put({ id: 't', amount: 500 })
    await after.sync.sync()
    await before.sync.sync()
    await before.things.put({ ...form, amount: 4 }, { basedOn: form })
    await before.sync.sync()
    const [conflict] = await before.sync.conflicts.list()
    await before.sync.conflicts.resolve(conflict?.id ?? '', { type: 'keepLocal' })
    await before.sync.sync()
    await after.sync.sync()
    expect(await after.things.get('t')).toEqual({ id: 't', amount: 400 })
  })
})

describe('a peer that names version 0, as the protocol lets it', () => {
  test('in a pull, in the conflict of a push -> taken for 1, and sync goes on', async () => {
    const server = new ModelServer()
    const after = await open(server, inCents)
    const names = { dbId: 'test', deviceId: 'other' }
    const push = (opId: number, entityId: string) =>
      server.database.push({
        ...names,
        ops: [
          {
            ...names,
            ...{ opId, opType: 'PUT', collection: 'things', entityId, entityVersion: 0 },
            entityCbor: encodeEntity({ id: entityId, amount: 3 }),
            schemaVersion: 0,
          },
        ],
      })
    push(1, 'pulled')
    await after.sync.sync()
    expect(await after.things.get('pulled')).toEqual({ id: 'pulled', amount: 300 })
    server.fault = ({ path }): Fault => {
      if (path !== PUSH_PATH) return 'pass'
      server.fault = () => 'pass'
      push(2, 'pushed')
      return 'pass'
    }
    await after.things.put({ id: 'pushed', amount: 500 })
    await after.sync.sync()
    expect(await after.sync.conflicts.list()).toMatchObject([
      { local: { entity: { amount: 500 } }, remote: { entity: { amount: 300 } } },
    ])
  })
})

/** The edits of a device that signs out. */
async function exported(sync: EntiDBSync): Promise<readonly Uint8Array[]> {
  const records: Uint8Array[] = []
  for await (const record of (await sync.signOut()).export()) records.push(record)
  return records
}

describe('exported edits', () => {
  test('by the older version, imported by the newer one -> migrated', async () => {
    const server = new ModelServer()
    const before = await open(server, inEuros)
    await before.things.put({ id: 't', amount: 3 })
    const after = await open(server, inCents)
    await after.sync.importUnsynced(await exported(before.sync))
    expect(await after.things.get('t')).toEqual({ id: 't', amount: 300 })
  })

  test('by the newer version, imported by the older one -> stay of the newer one, nobody migrates them again', async () => {
    const server = new ModelServer()
    const after = await open(server, inCents)
    await after.things.put({ id: 't', amount: 500 })
    const before = await open(server, inEuros)
    await before.sync.importUnsynced(await exported(after.sync))
    await before.sync.sync()
    const third = await open(server, inCents)
    await third.sync.sync()
    expect(await third.things.get('t')).toEqual({ id: 't', amount: 500 })
  })

  test('by the older version, imported by it over what the newer one wrote -> of the older one', async () => {
    const server = new ModelServer()
    const before = await open(server, inEuros)
    await before.things.put({ id: 't', amount: 1 })
    await before.sync.sync()
    await before.things.put({ id: 't', amount: 3 })
    const records = await exported(before.sync)
    const after = await open(server, inCents)
    await after.sync.sync()
    await after.things.put({ id: 't', amount: 500 })
    await after.sync.sync()
    const third = await open(server, inEuros)
    await third.sync.sync()
    await third.sync.importUnsynced(records)
    expect(await third.things.getRaw('t')).toMatchObject({ schemaVersion: 1 })
    const [conflict] = await third.sync.conflicts.list()
    await third.sync.conflicts.resolve(conflict?.id ?? '', { type: 'keepLocal' })
    await third.sync.sync()
    await after.sync.sync()
    expect(await after.things.get('t')).toEqual({ id: 't', amount: 300 })
  })

  test('the same bytes of another version are there -> imported: they are another value', async () => {
    const server = new ModelServer()
    const before = await open(server, inEuros)
    const after = await open(server, inCents)
    await after.things.put({ id: 't', amount: 500 })
    await after.sync.sync()
    await before.things.put({ id: 't', amount: 500 })
    await after.sync.importUnsynced(await exported(before.sync))
    expect(await after.things.get('t')).toEqual({ id: 't', amount: 50_000 })
    expect(await after.sync.conflicts.list()).toMatchObject([
      { remote: { entity: { amount: 500 } } },
    ])
  })
})

describe('what was kept', () => {
  /** 500 cents of the newer version met an amount in euros of the older one, which decided so. */
  async function conflictOf(type: 'takeRemote' | 'keepLocal', amount: number) {
    const server = new ModelServer()
    const before = await open(server, inEuros, {
      conflictResolver: { resolve: (): Resolution => ({ type }) },
    })
    const after = await open(server, inCents)
    await before.things.put({ id: 't', amount: 1 })
    await before.sync.sync()
    await after.sync.sync()
    await after.things.put({ id: 't', amount: 500 })
    await after.sync.sync()
    await before.things.put({ id: 't', amount })
    await before.sync.sync()
    return { before, after }
  }

  test('of the older version, brought back by it over what the newer one wrote -> of the older one again', async () => {
    const { before, after } = await conflictOf('takeRemote', 3)
    expect(await before.things.getRaw('t')).toMatchObject({ schemaVersion: 2 })
    const [entry] = await before.sync.ledger.list({ fate: 'conflict' })
    await before.sync.ledger.restore(entry?.id ?? '')
    await before.sync.sync()
    await after.sync.sync()
    expect(await after.things.get('t')).toEqual({ id: 't', amount: 300 })
  })

  test('of the newer version, brought back by the older one -> stays of the newer one', async () => {
    const { before, after } = await conflictOf('keepLocal', 2)
    const [entry] = await before.sync.ledger.list({ fate: 'conflict' })
    await before.sync.ledger.restore(entry?.id ?? '', { side: 'remote' })
    await before.sync.sync()
    await after.sync.sync()
    expect(await after.things.get('t')).toEqual({ id: 't', amount: 500 })
    expect(before.sync.status).toMatchObject({ pending: 0, held: 0 })
  })
})

describe('a restored server lost what no migration of a new version brings up', () => {
  test('offered again, not accepted yet -> the new version opens, reads the rest, and brings it back to the server', async () => {
    const server = new ModelServer()
    const backup = server.database.backup()
    const other = await open(server, old)
    await other.things.put({ id: 'bad', name: 'unmigratable' })
    await other.things.put({ id: 'good', name: 'Ada Lovelace' })
    await other.sync.sync()
    const storage = memoryStorage()
    const before = await open(server, old, {}, storage)
    await before.sync.sync()
    server.database.restore(backup)
    server.database.beginEpoch()
    server.fault = ({ path }): Fault => (path === PUSH_PATH ? 'refuse' : 'pass')
    await expect(before.sync.sync()).rejects.toMatchObject({ code: 'server_unreachable' })
    expect(before.sync.stateOf('things', 'bad')).not.toBe('synced')
    await before.sync.stop()
    await before.db.close()
    server.fault = () => 'pass'

    const after = await open(server, renewed, {}, storage)
    expect(await after.things.get('good')).toEqual({ id: 'good', names: ['Ada', 'Lovelace'] })
    await expect(after.things.get('bad')).rejects.toMatchObject({ code: 'migration_failed' })
    await after.sync.sync()
    expect([...server.database.live().keys()]).toHaveLength(2)
    expect(await after.sync.verify()).toMatchObject({ outcome: 'converged', entities: 2 })
    const third = await open(server, old)
    await third.sync.sync()
    expect(await third.things.get('bad')).toEqual({ id: 'bad', name: 'unmigratable' })
  })
})
