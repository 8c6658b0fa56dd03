/** Devices that were away for longer than the server remembers deletes: they sync anew, and lose no edit. */
import { defineCollection, EntiDB, memoryStorage } from '@entidb/core'
import { createSyncHandler, type SyncHandler, silentLogger, staticTokens } from '@entidb/server'
import { EntiDBSync } from '@entidb/sync'
import { describe, expect, test } from 'vitest'

interface Note {
  readonly id: string
  readonly text: string
}

const DAY_MS = 86_400_000

interface World {
  readonly handler: SyncHandler
  pass(days: number): void
}

/** Pages of a few operations, so that a pull from 0 is below `purgedThrough` for a while. */
function createWorld(): World {
  let nowMs = 1_800_000_000_000
  const handler = createSyncHandler({
    storage: () => memoryStorage(),
    auth: staticTokens({ secret: { subject: 'ada', databases: '*', access: 'write' } }),
    createDatabases: true,
    limits: { maxPullOps: 10 },
    retentionMs: 30 * DAY_MS,
    clock: () => nowMs,
    logger: silentLogger,
  })
  return {
    handler,
    pass: (days) => {
      nowMs += days * DAY_MS
    },
  }
}

async function openDevice({ handler }: World) {
  const db = await EntiDB.open({
    storage: memoryStorage(),
    collections: { notes: defineCollection<Note>({}) },
    changeFeed: true,
  })
  const sync = new EntiDBSync({
    db,
    config: {
      serverUrl: new URL('https://sync.test'),
      dbId: 'notes',
      authTokenProvider: async () => 'secret',
      fetch: (url, { method, headers, body, signal }) => {
        // Nobody inflates here what a platform's fetch would.
        const { 'Accept-Encoding': _, ...rest } = headers
        return handler.fetch(
          new Request(url, {
            method,
            headers: rest,
            signal,
            ...(body === undefined ? {} : { body: Uint8Array.from(body) }),
          }),
        )
      },
    },
  })
  return { db, sync, notes: db.collection('notes') }
}

describe('away for longer than the retention', () => {
  test('deletes were purged meanwhile -> gone on the device, its own edits kept, everybody agrees', async () => {
    const world = createWorld()
    const [a, b] = [await openDevice(world), await openDevice(world)]
    const ids = Array.from({ length: 50 }, (_, i) => `n${String(i).padStart(2, '0')}`)
    await a.notes.putMany(ids.map((id) => ({ id, text: 'first' })))
    await a.sync.sync()
    await b.sync.sync()
    expect(await b.notes.count()).toBe(50)

    await b.notes.put({ id: 'n20', text: 'edited while away' })
    await b.notes.put({ id: 'own', text: 'made while away' })
    await a.db.transaction(async (tx) => {
      // Later than most of what lives: the deletes are the end of the log.
      for (const id of ids.slice(0, 10)) await tx.collection('notes').delete(id)
    })
    await a.sync.sync()
    world.pass(31)
    await a.sync.sync()
    const server = await world.handler.database('notes')
    expect(await server.housekeep()).toMatchObject({ purgedTombstones: 10 })

    expect(await b.sync.sync()).toMatchObject({ pushed: 2, conflicts: 0 })
    const kept = (await b.notes.find()).map(({ id }) => id)
    expect(kept).toEqual([...ids.slice(10), 'own'])

    const c = await openDevice(world)
    for (const device of [a, b, c]) await device.sync.sync()
    const held = await Promise.all([a, b, c].map((device) => device.notes.find()))
    expect(held[0]).toHaveLength(41)
    expect(held[0]).toContainEqual({ id: 'n20', text: 'edited while away' })
    expect(held[1]).toEqual(held[0])
    expect(held[2]).toEqual(held[0])
    for (const { sync, db } of [a, b, c]) {
      await sync.stop()
      await db.close()
    }
    await world.handler.close()
  })

  test('an edit made while away of what was deleted and forgotten -> a conflict, not a silent return', async () => {
    const world = createWorld()
    const [a, b] = [await openDevice(world), await openDevice(world)]
    await a.notes.put({ id: 'n', text: 'first' })
    await a.sync.sync()
    await b.sync.sync()
    await b.notes.put({ id: 'n', text: 'edited while away' })
    await a.notes.delete('n')
    await a.sync.sync()
    world.pass(31)
    await a.sync.sync()
    const server = await world.handler.database('notes')
    expect(await server.housekeep()).toMatchObject({ purgedTombstones: 1 })

    await b.sync.sync()
    const [conflict] = await b.sync.conflicts.list()
    expect(conflict).toMatchObject({
      local: { entity: { text: 'edited while away' } },
      remote: { entityVersion: 0, entity: null },
    })
    await b.sync.conflicts.resolve(conflict?.id ?? '', { type: 'keepLocal' })
    for (const { sync } of [b, a]) await sync.sync()
    expect(await a.notes.get('n')).toEqual({ id: 'n', text: 'edited while away' })
    for (const { sync, db } of [a, b]) {
      await sync.stop()
      await db.close()
    }
    await world.handler.close()
  })

  test('a form opened before the delete, saved when that is forgotten -> a conflict, not a silent return', async () => {
    const world = createWorld()
    const [a, b] = [await openDevice(world), await openDevice(world)]
    await a.notes.put({ id: 'n', text: 'first' })
    await a.sync.sync()
    await b.sync.sync()
    const seen = await b.notes.get('n')
    await a.notes.delete('n')
    for (const { sync } of [a, b]) await sync.sync()
    world.pass(31)
    await a.sync.sync()
    const server = await world.handler.database('notes')
    expect(await server.housekeep()).toMatchObject({ purgedTombstones: 1 })
    await b.sync.sync()

    if (seen === undefined) throw new Error('it was synced')
    await b.notes.put({ ...seen, text: 'saved late' }, { basedOn: seen })
    await b.sync.sync()
    expect(await b.sync.conflicts.list()).toMatchObject([
      { local: { entity: { text: 'saved late' } }, remote: { entityVersion: 0, entity: null } },
    ])
    await a.sync.sync()
    expect(await a.notes.get('n')).toBeUndefined()
    for (const { sync, db } of [a, b]) {
      await sync.stop()
      await db.close()
    }
    await world.handler.close()
  })
})
