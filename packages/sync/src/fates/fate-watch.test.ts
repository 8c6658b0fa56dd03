import { expect, test } from 'vitest'
import { openStore } from '../test-kit/store.test-kit.ts'
import { FateWatch } from './fate-watch.ts'

test('fate: sent again more often than anybody counts -> that of the last transaction', async () => {
  const { db, store } = await openStore()
  const times = 1_500
  const receipt = await db.collection('notes').put({ id: 'n1', tokens: [] })
  const first = receipt.opIds[0] ?? 0
  await store.transaction(async (tx) => {
    for (let i = 0; i < times; i++) {
      await tx.putFate(first + i, {
        group: null,
        fate: 'released',
        how: null,
        decidedBy: null,
        successor: first + i + 1,
        entityVersions: null,
        written: { keys: ['notes/n1'], size: 1 },
      })
    }
    tx.setState({ feedPosition: first + times })
  })
  const fates = new FateWatch()
  expect(await fates.wait(store, first, undefined)).toMatchObject({ fate: 'committed' })
  await db.close()
})
