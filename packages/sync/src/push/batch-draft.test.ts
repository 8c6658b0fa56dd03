import { describe, expect, test } from 'vitest'
import { BatchDraft } from './batch-draft.ts'
import { feedRow } from './feed-row.test-kit.ts'

const roomy = { opsMax: 100, bytesMax: 1_000_000 }
const at = (opId: number, entityId: string, base = 0) => ({ row: feedRow(opId, entityId), base })

describe('batch draft', () => {
  test('two edits of one entity: -> last state, first base, last opId', () => {
    const draft = new BatchDraft(roomy, 20)
    draft.add([at(1, 'a', 7)], 1)
    draft.add([at(4, 'a', 9)], 4)
    expect(draft.finish(100).ops).toEqual([
      { collection: 'notes', entityId: 'a', localOpId: 4, opId: 104, base: 7, group: 0 },
    ])
    expect([...draft.contents().keys()]).toEqual([4])
  })

  test('transactions sharing an entity, through a third: -> one group, sorted by opId', () => {
    const draft = new BatchDraft(roomy, 20)
    draft.add([at(1, 'a'), at(2, 'b')], 2)
    draft.add([at(3, 'c'), at(4, 'd')], 4)
    draft.add([at(5, 'x')], 5)
    draft.add([at(6, 'b'), at(7, 'c')], 7)
    const { ops, transactions } = draft.finish(0)
    expect(ops.map(({ opId }) => opId)).toEqual([1, 4, 5, 6, 7])
    const groupOf = (entityId: string) => ops.find((op) => op.entityId === entityId)?.group
    expect(new Set(['a', 'b', 'c', 'd'].map(groupOf)).size).toBe(1)
    expect(groupOf('x')).not.toBe(groupOf('a'))
    expect(transactions.map(({ key, group }) => [key, group === groupOf('a')])).toEqual([
      [2, true],
      [4, true],
      [5, false],
      [7, true],
    ])
  })

  test('transaction added in stretches: -> one group, named with all that it wrote', () => {
    const draft = new BatchDraft(roomy, 20)
    draft.add([at(1, 'a'), at(2, 'b')], undefined)
    draft.add([at(3, 'a'), at(4, 'c')], undefined)
    draft.add([at(5, 'd')], 5)
    draft.add([at(6, 'x')], 6)
    const { ops, transactions } = draft.finish(0)
    expect(new Set(ops.slice(0, 4).map(({ group }) => group)).size).toBe(1)
    expect(ops[4]?.group).not.toBe(ops[0]?.group)
    expect(transactions).toMatchObject([
      { key: 5, localOpIds: [3, 2, 4, 5], size: 4 },
      { key: 6, localOpIds: [6], size: 1 },
    ])
  })

  test('limits: operations, bytes -> only as many rows as fit', () => {
    const rows = [feedRow(1, 'a'), feedRow(2, 'b'), feedRow(3, 'a'), feedRow(4, 'c')]
    expect(new BatchDraft({ opsMax: 2, bytesMax: 1_000_000 }, 20).fitting(rows)).toBe(3)
    expect(new BatchDraft(roomy, 20).fitting(rows)).toBe(4)
    const big = feedRow(1, 'a', { payloadCbor: new Uint8Array(5_000) })
    expect(new BatchDraft({ opsMax: 9, bytesMax: 4_000 }, 20).fitting([big])).toBe(0)
  })

  test('a server that takes any number of bytes: -> a large transaction whole, nothing beside it', () => {
    const limits = { opsMax: 100, bytesMax: Number.MAX_SAFE_INTEGER }
    const payloadCbor = new Uint8Array(5 * 1024 * 1024)
    const rows = [1, 2, 3].map((opId) => feedRow(opId, `big${opId}`, { payloadCbor }))
    const draft = new BatchDraft(limits, 20)
    expect(draft.fitting(rows)).toBe(3)
    draft.add(
      rows.map((row) => ({ row, base: 0 })),
      3,
    )
    expect(draft.fitting([feedRow(4, 'small')])).toBe(0)
    const shared = new BatchDraft(limits, 20)
    shared.add([at(1, 'small')], 1)
    expect(shared.fitting([feedRow(2, 'small too')])).toBe(1)
    expect(shared.fitting(rows)).toBe(1)
  })

  test('a replaced state: -> its bytes count no more', () => {
    const draft = new BatchDraft({ opsMax: 9, bytesMax: 6_000 }, 20)
    const big = (opId: number) => feedRow(opId, 'a', { payloadCbor: new Uint8Array(4_000) })
    draft.add([{ row: big(1), base: 0 }], 1)
    expect(draft.fitting([big(2)])).toBe(1)
    expect(draft.fitting([feedRow(3, 'b', { payloadCbor: new Uint8Array(4_000) })])).toBe(0)
  })
})
