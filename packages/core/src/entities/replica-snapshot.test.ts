import { expect, test } from 'vitest'
import { encodeEntity } from '../cbor/entity-encoder.ts'
import { defineCollection } from './collection-definition.ts'
import { EntiDB } from './database.ts'
import { memoryStorage } from './memory-storage.ts'
import { replication } from './replication-access.ts'

const raw = (entityId: string, version: number) => ({
  ...{ collection: 'notes', entityId, version, schemaVersion: 1 },
  bytes: encodeEntity({ id: entityId }),
})

test('replica snapshot: writes after it -> it answers as before, system rows too', async () => {
  const db = await EntiDB.open({ storage: memoryStorage(), collections: { notes: {} } })
  const { _rows: rows } = await replication(db).openSystemCollections({
    _rows: defineCollection<{ id: string; n: number }>({}),
  })
  await rows.put({ id: 'r', n: 1 })
  await db.transaction(async (tx) => {
    await tx.applyRaw(raw('a', 7))
    await tx.applyRaw({ ...raw('b', 8), bytes: null })
  })
  await db.collection('notes').put({ id: 'c' })

  const snapshot = replication(db).snapshot()
  await db.collection('notes').delete('a')
  await rows.put({ id: 'r', n: 2 })

  const common = { collection: 'notes', pending: false, deleted: false }
  const entries = await snapshot.scan({ entriesMax: 9 })
  expect(entries).toEqual([
    { ...common, entityId: 'a', version: 7, bytes: encodeEntity({ id: 'a' }) },
    { ...common, entityId: 'b', version: 8, deleted: true, bytes: null },
    { ...common, entityId: 'c', version: 0, pending: true, bytes: encodeEntity({ id: 'c' }) },
  ])
  const after = { collection: 'notes', entityId: 'a' }
  expect(await snapshot.scan({ after, entriesMax: 1 })).toEqual([entries[1]])
  for (const entry of entries) expect(await snapshot.find(entry)).toEqual(entry)
  expect(await snapshot.find({ collection: 'notes', entityId: 'z' })).toBeUndefined()
  expect(await snapshot.find({ collection: 'none', entityId: 'a' })).toBeUndefined()
  expect(await snapshot.collection('_rows').get('r')).toEqual({ id: 'r', n: 1 })

  snapshot.release()
  await expect(snapshot.scan({ entriesMax: 1 })).rejects.toMatchObject({
    code: 'transaction_closed',
  })
  await db.close()
})
