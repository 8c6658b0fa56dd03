import { EntiDB, memoryStorage } from '@entidb/core'
import { emptyDigest } from '@entidb/protocol'
import { expect, test } from 'vitest'
import { type MetaRow, type ServerReader, serverCollections } from './collections.ts'
import { KnownTotals } from './known-totals.ts'

const metaAt = (head: number): MetaRow => ({
  id: 'database',
  dbId: 'shop',
  head,
  epoch: new Uint8Array(16),
  purgedThrough: 0,
})
const digestOf = (byte: number): Uint8Array => emptyDigest().fill(byte, 31)

test('totals: asked for again -> all collections are read only when the head has moved', async () => {
  const db = await EntiDB.open({ storage: memoryStorage(), collections: serverCollections })
  const states = db.collection('collection_state')
  const put = (id: string, liveEntities: number) =>
    states.put({ id, liveEntities, digest: digestOf(liveEntities) })
  let reads = 0
  const totals = new KnownTotals()
  const read = async (head: number) => {
    const snapshot = db.snapshot()
    // What is used of it.
    const reader = {
      collection: () => {
        reads++
        return snapshot.collection('collection_state')
      },
    } as unknown as ServerReader
    const result = await totals.read(reader, metaAt(head))
    snapshot.release()
    return result
  }
  await put('a', 1)
  await put('b', 2)
  const first = { liveEntities: 3, digest: digestOf(3) }
  expect([await read(1), await read(1), await read(1)]).toEqual([first, first, first])
  expect(reads).toBe(1)
  await put('b', 5)
  expect(await read(2)).toEqual({ liveEntities: 6, digest: digestOf(6) })
  // A snapshot of before, which somebody still reads.
  expect(await read(1)).not.toBe(first)
  expect(reads).toBe(3)
  await db.close()
})
