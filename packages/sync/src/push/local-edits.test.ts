import { describe, expect, test } from 'vitest'
import { feedRow } from './feed-row.test-kit.ts'
import { LocalEdits } from './local-edits.ts'

/** Transactions by id: each a list of [opId, entity]. */
function editsOf(...transactions: readonly (readonly [number, string])[][]): LocalEdits {
  const edits = new LocalEdits()
  for (const [index, rows] of transactions.entries()) {
    for (const [opId, entity] of rows) edits.add(feedRow(opId, entity), index + 1, false)
  }
  return edits
}

const key = (entityId: string): string => `notes/${entityId}`

describe('local edits', () => {
  test('component: ties through shared entities -> all of them, with their transactions', () => {
    const edits = editsOf(
      [
        [1, 'a'],
        [2, 'b'],
      ],
      [
        [3, 'b'],
        [4, 'c'],
      ],
      [[5, 'd']],
    )
    const { entities, transactions } = edits.componentOf([key('c')])
    expect([...entities].sort()).toEqual([key('a'), key('b'), key('c')])
    expect(transactions.map((one) => one.key).sort()).toEqual([2, 4])
  })

  test('written again: -> only by the same transaction, and after that', () => {
    const edits = editsOf(
      [
        [1, 'a'],
        [2, 'b'],
        [3, 'c'],
        [4, 'a'],
      ],
      [
        [5, 'b'],
        [6, 'c'],
        [7, 'c'],
      ],
    )
    const writes = new Map([
      [key('a'), 1],
      [key('b'), 2],
    ])
    expect(edits.writtenAgain(1, writes)).toEqual(new Set([key('a')]))
    expect(edits.writtenAgain(1, new Map([[key('a'), 4]]))).toEqual(new Set())
    expect(edits.writtenAgain(2, new Map([[key('c'), 6]]))).toEqual(new Set([key('c')]))
  })

  test('nothing of it is to be pushed: -> known by its last operation until it is taken', () => {
    const edits = editsOf(
      [
        [1, 'a'],
        [2, 'b'],
      ],
      [[3, 'c']],
    )
    edits.addSettled(4, 2, false)
    edits.addSettled(5, 3, false)
    edits.drop(new Map([[key('a'), 1]]))
    expect(edits.pendingTransaction(1)).toMatchObject({ key: 2, entities: [key('b')] })
    edits.drop(new Map([[key('b'), 2]]))
    expect(edits.pendingTransaction(1)).toMatchObject({ key: 2, entities: [] })
    expect(edits.pendingTransaction(2)).toMatchObject({ key: 4, entities: [key('c')] })
    expect(edits.pendingTransaction(3)).toMatchObject({ key: 5, entities: [] })
    expect(edits.lastLocalOpId).toBe(5)
    edits.dropThrough(4)
    expect([1, 2, 3].map((id) => edits.pendingTransaction(id)?.key)).toEqual([
      undefined,
      undefined,
      5,
    ])
  })

  test('dropped entity: -> ties nothing any more; others stay', () => {
    const edits = editsOf(
      [
        [1, 'a'],
        [2, 'b'],
      ],
      [
        [3, 'b'],
        [4, 'c'],
      ],
    )
    edits.drop(new Map([[key('b'), 3]]))
    expect(edits.has(key('b'))).toBe(false)
    expect([...edits.componentOf([key('a')]).entities]).toEqual([key('a')])
    expect(edits.size).toBe(2)
  })

  test('taken part of a transaction: -> the rest stays, under the same name', () => {
    const edits = editsOf([
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
    ])
    edits.dropThrough(2)
    expect(edits.has(key('a'))).toBe(false)
    expect(edits.componentOf([], 1)).toEqual({
      entities: new Set([key('c')]),
      transactions: [{ transactionId: 1, key: 3, entities: [key('c')] }],
    })
  })

  test('stale edit: -> known until it is dropped', () => {
    const edits = new LocalEdits()
    edits.add(feedRow(1, 'a', { staleBase: true }), 1, false)
    expect(edits.isStale(key('a'))).toBe(true)
    edits.drop(new Map([[key('a'), 1]]))
    expect(edits.isStale(key('a'))).toBe(false)
  })

  test('operations that stand alone: -> tie nothing although one transaction wrote them', () => {
    const edits = new LocalEdits()
    edits.add(feedRow(1, 'a'), 1, true)
    edits.add(feedRow(2, 'b'), 1, true)
    expect([...edits.componentOf([key('a')]).entities]).toEqual([key('a')])
  })

  test('stale: a row of the entity is -> the entity is, until that row is dropped', () => {
    const edits = new LocalEdits()
    edits.add({ ...feedRow(1, 'a'), staleBase: true }, 1, false)
    edits.add(feedRow(2, 'b'), 1, false)
    edits.add(feedRow(3, 'a'), 2, false)
    expect([edits.isStale(key('a')), edits.isStale(key('b'))]).toEqual([true, false])
    edits.drop(new Map([[key('b'), 2]]))
    expect(edits.isStale(key('a'))).toBe(true)
    edits.drop(new Map([[key('a'), 1]]))
    expect([edits.has(key('a')), edits.isStale(key('a'))]).toEqual([true, false])
  })

  test('stale: each entity of a very large transaction is asked about -> no look at all of it each time', () => {
    const edits = new LocalEdits()
    const ids = Array.from({ length: 200_000 }, (_, i) => `n${i}`)
    for (const [i, id] of ids.entries()) edits.add(feedRow(i + 1, id), 1, false)
    // Looking through the rows for each would take minutes.
    expect(ids.filter((id) => edits.isStale(key(id)))).toEqual([])
  })
})
