import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeEntity } from '../cbor/entity-encoder.ts'
import { defineCollection } from './collection-definition.ts'
import { EntiDB } from './database.ts'
import { memoryStorage } from './memory-storage.ts'
import { putEncodedEntities } from './tool-access.ts'

interface Note {
  id: string
  kind: number
}

async function open() {
  const indexes = { kind: { on: ['kind'], unique: true } } as const
  const collections = { notes: defineCollection<Note>({ indexes }) }
  const db = await EntiDB.open({ storage: memoryStorage(), collections })
  return { db, notes: db.collection('notes') }
}

/** Everything that can be seen, by id and through the index. */
async function seen({ db, notes }: Awaited<ReturnType<typeof open>>) {
  const all = await notes.find({ orderBy: { id: 'asc' } })
  const byKind = await notes.find({ where: { kind: { gte: 0 } }, orderBy: { kind: 'asc' } })
  return { all, byKind, problems: (await db.verify()).problems }
}

function refusalOf(error: { readonly code: string; readonly details: unknown }): unknown {
  return [error.code, error.details]
}

const contested = fc.array(
  fc.record({ id: fc.stringMatching(/^[a-d]{1,2}$/), kind: fc.integer({ min: 0, max: 40 }) }),
  { maxLength: 12 },
)

test('encoded batches, with values that only one may have: -> refused and stored as put one by one', async () => {
  let refused = 0
  await fc.assert(
    fc.asyncProperty(fc.array(contested, { maxLength: 6 }), async (batches) => {
      const bulk = await open()
      const single = await open()
      for (const batch of batches) {
        const encoded = batch.map((entity) => ({ entity, bytes: encodeEntity(entity) }))
        const inOne = await bulk.db
          .transaction((tx) => putEncodedEntities(tx, 'notes', encoded))
          .then(() => undefined, refusalOf)
        const inTurn = await single.db
          .transaction(async (tx) => {
            for (const note of batch) await tx.collection('notes').put(note)
          })
          .then(() => undefined, refusalOf)
        expect(inOne).toEqual(inTurn)
        if (inOne !== undefined) refused++
      }
      expect(await seen(bulk)).toEqual(await seen(single))
      await bulk.db.close()
      await single.db.close()
    }),
    { numRuns: 100 },
  )
  expect(refused).toBeGreaterThan(0)
})
