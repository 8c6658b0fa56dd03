/** Any transactions, against a map. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defineCollection } from './collection-definition.ts'
import { EntiDB } from './database.ts'
import { stores } from './stores.test-kit.ts'

interface Account {
  id: string
  balance: number
}

const collections = {
  accounts: defineCollection<Account>({ indexes: { byBalance: ['balance'] } }),
}

describe('model', () => {
  const ids = fc.constantFrom('a', 'b', 'c')
  const step = fc.oneof(
    fc.record({ kind: fc.constant('put' as const), id: ids, balance: fc.nat({ max: 3 }) }),
    fc.record({ kind: fc.constant('delete' as const), id: ids, balance: fc.constant(0) }),
    fc.record({ kind: fc.constant('read' as const), id: ids, balance: fc.constant(0) }),
  )
  const work = fc.record({ steps: fc.array(step, { maxLength: 5 }), fails: fc.boolean() })
  const history = fc.array(fc.oneof(work, fc.constant('reopen' as const)), { maxLength: 12 })

  test.each(stores)(
    'any transactions on the $store store -> as a Map',
    async ({ createStorage }) => {
      await fc.assert(
        fc.asyncProperty(history, async (entries) => {
          const storage = createStorage()
          let db = await EntiDB.open({ storage, collections })
          let model = new Map<string, number>()
          for (const entry of entries) {
            if (entry === 'reopen') {
              await db.close()
              db = await EntiDB.open({ storage, collections })
              continue
            }
            const next = new Map(model)
            const done = db.transaction(async (tx) => {
              const accounts = tx.collection('accounts')
              for (const { kind, id, balance } of entry.steps) {
                if (kind === 'put') {
                  const { existed } = await accounts.put({ id, balance })
                  expect(existed).toBe(next.has(id))
                  next.set(id, balance)
                } else if (kind === 'delete') {
                  expect((await accounts.delete(id)).existed).toBe(next.delete(id))
                }
                expect((await accounts.get(id))?.balance).toBe(next.get(id))
              }
              if (entry.fails) throw new Error('wanted')
            })
            await (entry.fails ? expect(done).rejects.toThrow('wanted') : done)
            if (!entry.fails) model = next
            const stored = await db.collection('accounts').find()
            expect(stored).toEqual([...model].sort().map(([id, balance]) => ({ id, balance })))
            for (const id of ['a', 'b', 'c']) {
              expect((await db.collection('accounts').get(id))?.balance).toBe(model.get(id))
            }
            for (const balance of [0, 1, 2, 3]) {
              const count = await db.collection('accounts').count({ where: { balance } })
              expect(count).toBe([...model.values()].filter((value) => value === balance).length)
            }
          }
          await db.close()
        }),
        { numRuns: 100 },
      )
    },
  )
})
