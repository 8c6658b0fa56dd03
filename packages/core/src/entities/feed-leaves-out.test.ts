import { describe, expect, test } from 'vitest'
import { encodeEntity } from '../cbor/entity-encoder.ts'
import { EntiDBError } from '../errors/entidb-error.ts'
import type { Storage } from '../store/key-value-store.ts'
import { defineCollection } from './collection-definition.ts'
import { EntiDB } from './database.ts'
import { memoryStorage } from './memory-storage.ts'
import { naiveStorage } from './naive-store.test-kit.ts'
import type { DbOperation } from './operation.ts'
import { replication } from './replication-access.ts'
import { stores } from './stores.test-kit.ts'

interface Note {
  id: string
  text: string
}

const collections = { notes: defineCollection<Note>() }

type Database = EntiDB<typeof collections>

/** With one registered reader, which ignores `sync`. */
async function open(storage: Storage = memoryStorage()): Promise<Database> {
  const db = await EntiDB.open({ storage, collections, changeFeed: true })
  await acknowledge(db, 0)
  return db
}

function acknowledge(db: Database, opId: number): Promise<void> {
  return db.transaction((tx) =>
    replication(db).acknowledgeFeed(tx, 'sync', opId, { ignores: 'sync' }),
  )
}

const remote = (version: number, entityId: string) => ({
  ...{ collection: 'notes', entityId, version, schemaVersion: 1 },
  bytes: encodeEntity({ id: entityId, text: String(version) }),
})

function apply(db: Database, ids: readonly string[], origin = 'sync'): Promise<unknown> {
  return db.transaction((tx) => tx.replica.applyNewer(ids.map((id, i) => remote(i + 1, id))), {
    origin,
  })
}

async function idsOf(changes: AsyncIterable<DbOperation>): Promise<string[]> {
  const ids: string[] = []
  for await (const { entityId } of changes) ids.push(entityId)
  return ids
}

const feedIds = (db: Database) => idsOf(db.changes({ wait: false }))

describe.each(stores)('operations the only reader ignores, on the $store store', (kind) => {
  test('empty feed -> not written; the feed begins behind them, also after opening again', async () => {
    const storage = kind.createStorage()
    const db = await open(storage)
    await apply(db, ['a', 'b', 'c'])
    expect((await db.stats()).feed.operations).toBe(0)
    expect(await replication(db).feedHead()).toBe(3)
    await db.collection('notes').put({ id: 'mine', text: 'x' })
    expect(await idsOf(db.changes({ after: 3, wait: false }))).toEqual(['mine'])
    await db.close()
    const again = await EntiDB.open({ storage, collections })
    expect(replication(again).feedAfter).toBe(3)
    expect(await feedIds(again)).toEqual(['mine'])
    await expect(idsOf(again.changes({ after: 2 }))).rejects.toMatchObject({
      code: 'change_feed_off',
    })
    await again.close()
  })

  test('something in the feed -> written behind it, until that is acknowledged', async () => {
    const db = await open(kind.createStorage())
    const { opIds } = await db.collection('notes').put({ id: 'mine', text: 'x' })
    await apply(db, ['a'])
    expect(await feedIds(db)).toEqual(['mine', 'a'])
    await acknowledge(db, opIds[0] ?? 0)
    await apply(db, ['b'])
    expect(await feedIds(db)).toEqual(['a', 'b'])
    await acknowledge(db, 3)
    await apply(db, ['c'])
    expect(await feedIds(db)).toEqual([])
    await db.close()
  })
})

describe('operations the only reader ignores', () => {
  test('in one transaction with local edits -> left out before the first of these, written after it', async () => {
    const db = await open()
    await db.transaction(
      async (tx) => {
        await tx.applyRaw(remote(1, 'before'))
        await tx.collection('notes').put({ id: 'mine', text: 'x' })
        await tx.applyRaw(remote(2, 'after'))
      },
      { origin: 'sync' },
    )
    const rows = await replication(db).readFeed({ after: 0, opsMax: 9, bytesMax: 1e6 })
    expect(rows).toMatchObject([
      { opId: 2, entityId: 'mine', origin: 'local', transactionId: 1, transactionLast: false },
      { opId: 3, entityId: 'after', origin: 'sync', transactionId: 1, transactionLast: true },
    ])
    await db.close()
  })

  test('of another origin, or edited here -> written', async () => {
    const db = await open()
    await apply(db, ['a'], 'import')
    await db.collection('notes').put({ id: 'mine', text: 'x' })
    expect(await feedIds(db)).toEqual(['a', 'mine'])
    await db.close()
  })

  test('a second reader -> written from its registration on, until it is removed', async () => {
    const db = await open()
    const core = replication(db)
    await db.transaction((tx) => core.acknowledgeFeed(tx, 'audit', 0))
    await apply(db, ['a'])
    await acknowledge(db, 1)
    await apply(db, ['b'])
    expect(await feedIds(db)).toEqual(['a', 'b'])
    await db.transaction((tx) => core.removeFeedReader(tx, 'audit'))
    await apply(db, ['c'])
    expect(await feedIds(db)).toEqual(['a', 'b', 'c'])
    await acknowledge(db, 3)
    await apply(db, ['d'])
    expect(await feedIds(db)).toEqual([])
    await db.close()
  })

  test('rolled back -> the feed begins where it did', async () => {
    const db = await open()
    const failed = db.transaction(
      async (tx) => {
        await tx.applyRaw(remote(1, 'a'))
        throw new Error('no')
      },
      { origin: 'sync' },
    )
    await expect(failed).rejects.toThrow('no')
    expect(replication(db).feedAfter).toBe(0)
    await db.close()
  })

  test('a reader cannot ignore local edits -> TypeError', async () => {
    const db = await open()
    const ignoring = db.transaction((tx) =>
      replication(db).acknowledgeFeed(tx, 'sync', 0, { ignores: 'local' }),
    )
    await expect(ignoring).rejects.toThrow(TypeError)
    await db.close()
  })
})

describe('an open iteration', () => {
  test('of an application without registration -> gets everything, however fast it is acknowledged', async () => {
    const db = await open()
    const following = db.changes()
    const first = following.next()
    const ids = Array.from({ length: 20 }, (_, i) => `n${i}`)
    for (const [i, id] of ids.entries()) {
      await apply(db, [id])
      await acknowledge(db, i + 1)
    }
    const seen = [(await first).value?.entityId]
    while (seen.length < ids.length) seen.push((await following.next()).value?.entityId)
    expect(seen).toEqual(ids)
    await acknowledge(db, ids.length)
    expect((await db.stats()).feed.operations).toBe(0)
    await following.return()
    await apply(db, ['later'])
    expect((await db.stats()).feed.operations).toBe(0)
    await db.close()
  })

  test('begun while a transaction leaves operations out -> begins behind it, and says so', async () => {
    const db = await open()
    await apply(db, ['before'])
    let begun: Promise<unknown> | undefined
    let following: AsyncGenerator<DbOperation> | undefined
    await db.transaction(
      async (tx) => {
        await tx.applyRaw(remote(1, 'left-out'))
        begun = idsOf(db.changes({ after: 1, wait: false }))
        begun.catch(() => {})
        following = db.changes()
        following.next().catch(() => {})
        await new Promise((resolve) => setTimeout(resolve, 5))
        await tx.applyRaw(remote(1, 'left-out-too'))
      },
      { origin: 'sync' },
    )
    await expect(begun).rejects.toMatchObject({ code: 'change_feed_off' })
    await apply(db, ['after'])
    expect(await feedIds(db)).toEqual(['after'])
    await following?.return(undefined)
    await db.close()
  })
})

describe('a commit that finds no space', () => {
  /** `fill` makes the next commit fail. */
  function openFull(changeFeed: boolean) {
    let isFull = false
    const onCommit = () => {
      const fails = isFull
      isFull = false
      if (fails) throw new EntiDBError('disk_full', 'simulated')
    }
    const storage = naiveStorage({ onCommit })
    const fill = () => {
      isFull = true
    }
    return { fill, storage, open: () => EntiDB.open({ storage, collections, changeFeed }) }
  }

  test('the first reader -> the feed stays off; when it comes again, nothing since is lost', async () => {
    const { fill, open } = openFull(false)
    const db = await open()
    fill()
    await expect(acknowledge(db, 0)).rejects.toMatchObject({ code: 'disk_full' })
    expect(replication(db).feedOn).toBe(false)
    await acknowledge(db, 0)
    await db.collection('notes').put({ id: 'mine', text: 'x' })
    await db.close()
    const again = await open()
    expect(replication(again).feedAfter).toBe(0)
    expect(await feedIds(again)).toEqual(['mine'])
    await again.close()
  })

  test('what it removed or left out of the feed -> is there; removed again, known to be gone', async () => {
    const { fill, open } = openFull(true)
    const db = await open()
    for (const id of ['a', 'b', 'c']) await db.collection('notes').put({ id, text: 'x' })
    await acknowledge(db, 1)
    fill()
    await expect(acknowledge(db, 3)).rejects.toMatchObject({ code: 'disk_full' })
    expect(await idsOf(db.changes({ after: 2, wait: false }))).toEqual(['c'])
    await acknowledge(db, 3)
    fill()
    await expect(apply(db, ['d', 'e'])).rejects.toMatchObject({ code: 'disk_full' })
    expect(replication(db).feedAfter).toBe(3)
    await db.close()
    const again = await open()
    expect(replication(again).feedAfter).toBe(3)
    await expect(idsOf(again.changes({ after: 2 }))).rejects.toMatchObject({
      code: 'change_feed_off',
    })
    await again.close()
  })
})
