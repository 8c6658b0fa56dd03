import { EntiDB, memoryStorage } from '@entidb/core'
import { expect, test } from 'vitest'
import { serverCollections } from './collections.ts'
import {
  dbId,
  deviceB,
  openTestDatabase,
  push,
  put,
  remove,
  writer,
} from './sync-database.test-kit.ts'

test('collections: the last entity of one is deleted -> nothing of it is kept', async () => {
  const storage = memoryStorage()
  const database = await openTestDatabase({ storage })
  const collection = 'gone'
  const { head = 0 } = await push(database, [put(1, 'a', 0, 1), put(2, 'b', 0, 1, { collection })])
  await push(database, [remove(3, 'b', head, { collection })])
  await database.close()
  const files = await EntiDB.open({ storage, collections: serverCollections })
  const rows = await files.collection('collection_state').find()
  expect(rows.map(({ id }) => id)).toEqual(['items'])
  await files.close()
})

test('collections: more than can be told for progress -> the handshake has no counts', async () => {
  const database = await openTestDatabase()
  const counts = async () => (await database.handshake({ dbId, deviceId: deviceB }, writer)).counts
  const ops = Array.from({ length: 1_000 }, (_, i) =>
    put(i + 1, 'x', 0, 1, { collection: `c${i}` }),
  )
  await push(database, ops)
  expect(Object.keys((await counts()) ?? {})).toHaveLength(1_000)
  await push(database, [put(2_000, 'x', 0, 1)])
  expect(await counts()).toBeUndefined()
})
