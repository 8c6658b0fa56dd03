import { encodeEntity } from '@entidb/core/cbor'
import { expect, test } from 'vitest'
import { COMMITTED_COLLECTION, type CommittedRow } from '../state/rows.ts'
import { openStore } from '../test-kit/store.test-kit.ts'
import { readEntries } from './read-entries.ts'
import { recordCommitted } from './record-committed.ts'

test('names of many transactions: more than a row of the database may hold -> several rows, nothing left out', async () => {
  const { db, store } = await openStore()
  const keysOf = (transaction: number): string[] =>
    Array.from({ length: 100 }, (_, i) => `notes/${`${transaction} ${i} `.padEnd(512, 'x')}`)
  const transactions = Array.from({ length: 350 }, (_, i) => {
    const keys = keysOf(i)
    return { key: i + 1, written: { keys, size: 100 }, versions: keys.map((_, at) => at + 1) }
  })
  await store.transaction((tx) => recordCommitted(tx, transactions))
  const rows = (await store.read((tx) =>
    tx.system.all(COMMITTED_COLLECTION),
  )) as readonly CommittedRow[]
  const sizes = rows.map((row) => encodeEntity(row as never).length)
  expect(rows.length).toBeGreaterThan(1)
  expect(Math.max(...sizes)).toBeLessThan(1.1 * 1024 * 1024)
  expect(store.state.ledger).toMatchObject({ committed: 350, committedLast: rows.length })
  const entries = await store.read((tx) => readEntries(tx, store))
  expect([...entries.keys()]).toEqual(transactions.map(({ key }) => key))
  expect(entries.get(7)?.entities[99]).toMatchObject({ entityVersion: 100 })
  await db.close()
})
