import { describe, expect, test } from 'vitest'
import { feedRow } from './feed-row.test-kit.ts'
import { feedTransactions } from './feed-transactions.ts'

const part = (opId: number, transactionId: number, transactionLast: boolean) =>
  feedRow(opId, `e${opId}`, { transactionId, transactionLast })
const all = () => true

describe('feed transactions', () => {
  test('whole transactions: -> one each, named by their last operation', () => {
    const rows = [part(1, 1, false), part(2, 1, true), part(3, 3, true)]
    const cut = feedTransactions(rows, [], all)
    expect(
      cut.map(({ lastOpId, complete, rows: { length } }) => [lastOpId, complete, length]),
    ).toEqual([
      [2, true, 2],
      [3, true, 1],
    ])
  })

  test('stretch ends inside a transaction: -> incomplete', () => {
    const cut = feedTransactions([part(1, 1, false), part(2, 1, false)], [], all)
    expect(cut.map(({ complete }) => complete)).toEqual([false])
  })

  test('applied and passed-over operations: -> no rows, but their place', () => {
    const rows = [feedRow(1, 'a', { origin: 'sync' }), feedRow(2, 'b')]
    const cut = feedTransactions(rows, [], ({ opId }) => opId !== 2)
    expect(cut.map(({ lastOpId, rows: { length } }) => [lastOpId, length])).toEqual([
      [1, 0],
      [2, 0],
    ])
  })

  test('loose range inside a transaction: -> each operation alone', () => {
    const rows = [part(1, 1, false), part(2, 1, false), part(3, 1, false), part(4, 1, true)]
    const cut = feedTransactions(rows, [[2, 3]], all)
    expect(cut.map(({ lastOpId, complete }) => [lastOpId, complete])).toEqual([
      [1, true],
      [2, true],
      [3, true],
      [4, true],
    ])
  })
})
