import fc from 'fast-check'
import { expect, test } from 'vitest'
import { defineCollection } from './collection-definition.ts'
import { EntiDB } from './database.ts'
import { versionOf } from './entity-version.ts'
import { memoryStorage } from './memory-storage.ts'

interface Note {
  id: string
  kind: number
}

const entities = fc.array(
  fc.record({ id: fc.stringMatching(/^[a-dé]{1,3}$/), kind: fc.integer({ min: 0, max: 2 }) }),
  { maxLength: 40 },
)

async function open(feed: boolean, unique: boolean) {
  const collections = {
    notes: defineCollection<Note>({ indexes: { kinds: { on: ['kind', 'id'], unique } } }),
  }
  const db = await EntiDB.open({ storage: memoryStorage(), collections, changeFeed: feed })
  return { db, notes: db.collection('notes') }
}

/** Everything that can be seen: entities with their versions, by id and through the index. */
async function seen({ db, notes }: Awaited<ReturnType<typeof open>>, feed: boolean) {
  const all = await notes.find({ orderBy: { id: 'asc' } })
  const byKind = await notes.find({ where: { kind: { gte: 0 } }, orderBy: { kind: 'asc' } })
  const operations: [number, string][] = []
  if (feed) {
    const changes = db.changes({ wait: false })
    for await (const { opId, entityId } of changes) operations.push([opId, entityId])
  }
  const { problems } = await db.verify()
  return { all: all.map((note) => [note, versionOf(note)]), byKind, operations, problems }
}

test.each([
  [false, false],
  [true, false],
  [false, true],
])(
  'any batches, feed %s, unique index %s -> as put one by one in their order',
  async (feed, unique) => {
    await fc.assert(
      fc.asyncProperty(fc.array(entities, { maxLength: 3 }), async (batches) => {
        const bulk = await open(feed, unique)
        const single = await open(feed, unique)
        for (const batch of batches) {
          const receipt = await bulk.notes.putMany(batch)
          const opIds = await single.db.transaction(async (tx) => {
            const ids: number[] = []
            for (const note of batch) ids.push(...(await tx.collection('notes').put(note)).opIds)
            return ids
          })
          expect(receipt.opIds).toEqual(opIds)
        }
        expect(await seen(bulk, feed)).toEqual(await seen(single, feed))
        await bulk.db.close()
        await single.db.close()
      }),
      { numRuns: 60 },
    )
  },
)
