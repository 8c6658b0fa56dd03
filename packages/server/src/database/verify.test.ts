import { addDigests, emptyDigest, type SyncOperation } from '@entidb/protocol'
import { describe, expect, test } from 'vitest'
import { digestOf } from './digest-sum.ts'
import {
  dbId,
  openTestDatabase,
  pull,
  push,
  put,
  remove,
  writer,
} from './sync-database.test-kit.ts'
import type { SyncDatabase } from './sync-database.ts'

/** The digest of what a client holds that applied the whole oplog. */
async function digestOfPulled(database: SyncDatabase): Promise<Uint8Array> {
  const latest = new Map<string, SyncOperation>()
  for (const op of (await pull(database)).ops) latest.set(`${op.collection}/${op.entityId}`, op)
  let digest = emptyDigest()
  for (const { collection, entityId, entityVersion, entityCbor } of latest.values()) {
    if (entityCbor === null) continue
    digest = addDigests(digest, digestOf(collection, entityId, entityVersion, entityCbor))
  }
  return digest
}

async function filledDatabase(): Promise<SyncDatabase> {
  const database = await openTestDatabase()
  const { headBefore = 0 } = await push(database, [
    put(1, 'a', 0, 1),
    put(2, 'b', 0, 1),
    put(3, 'c', 0, 1, { collection: 'others' }),
    put(4, 'd', 0, 1, { collection: 'gone' }),
  ])
  await push(database, [
    put(5, 'a', headBefore + 1, 2),
    remove(6, 'd', headBefore + 4, { collection: 'gone' }),
    put(7, 'b', 1, 'stale'),
  ])
  return database
}

describe('verify', () => {
  test('the digest of what a pull brings -> match', async () => {
    const database = await filledDatabase()
    const request = {
      dbId,
      cursor: await database.head(),
      digest: await digestOfPulled(database),
    }
    expect(await database.verify(request, writer)).toEqual({ match: true })
  })

  test('another digest -> those of the collections that are not empty', async () => {
    const database = await filledDatabase()
    const request = { dbId, cursor: await database.head(), digest: emptyDigest() }
    const response = await database.verify(request, writer)
    expect(response.match).toBe(false)
    expect(Object.keys(response.collections ?? {})).toEqual(['items', 'others'])
    const total = Object.values(response.collections ?? {}).reduce(addDigests, emptyDigest())
    expect(Buffer.from(total)).toEqual(Buffer.from(await digestOfPulled(database)))
  })

  test('a cursor that is not the head -> cursor_moved', async () => {
    const database = await filledDatabase()
    const request = { dbId, cursor: (await database.head()) - 1, digest: emptyDigest() }
    await expect(database.verify(request, writer)).rejects.toMatchObject({ code: 'cursor_moved' })
  })
})
