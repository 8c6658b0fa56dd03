import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { changesBetween } from './live-changes.ts'

interface Item {
  readonly id: string
  readonly rank: number
}

const item = (id: string, rank = 0): Item => ({ id, rank })
const [a, b, c, d] = [item('a'), item('b'), item('c'), item('d')]

describe('changes between two results', () => {
  test('the same objects -> none', () => {
    expect(changesBetween([a, b], [a, b])).toBeUndefined()
    expect(changesBetween([], [])).toBeUndefined()
  })

  test('some added and removed -> their places, and nobody who makes room has moved', () => {
    expect(changesBetween([a, b, c], [d, b, c])).toEqual({
      added: [{ entity: d, index: 0 }],
      removed: [{ entity: a, index: 0 }],
      changed: [],
      moved: [],
    })
  })

  test('other content in the same place -> changed, not moved', () => {
    const b2 = item('b', 1)
    expect(changesBetween([a, b, c], [a, b2, c])).toEqual({
      added: [],
      removed: [],
      changed: [{ entity: b2, previous: b, index: 1 }],
      moved: [],
    })
  })

  test('other content behind others -> changed and moved', () => {
    const a2 = item('a', 1)
    expect(changesBetween([a, b, c], [b, c, a2])).toEqual({
      added: [],
      removed: [],
      changed: [{ entity: a2, previous: a, index: 2 }],
      moved: [{ entity: a2, from: 0, to: 2 }],
    })
  })

  test('other index only because one before it went -> not moved', () => {
    const c2 = item('c', 1)
    expect(changesBetween([a, b, c, d], [b, c2, d])).toMatchObject({
      removed: [{ entity: a, index: 0 }],
      changed: [{ entity: c2, index: 1 }],
      moved: [],
    })
  })

  test('two that pass each other -> one of them has moved', () => {
    const [b2, c2] = [item('b', 2), item('c', 1)]
    expect(changesBetween([a, b, c, d], [a, c2, b2, d])).toMatchObject({
      changed: [{ entity: c2 }, { entity: b2 }],
      moved: [{ entity: b2, from: 1, to: 2 }],
    })
  })

  test('any two results of one order -> those that did not move are in the same order in both', () => {
    const ranks = fc.dictionary(fc.constantFrom(...'abcdefgh'), fc.nat(5))
    fc.assert(
      fc.property(ranks, ranks, (one, other) => {
        const kept = new Map(Object.entries(one).map(([id, rank]) => [id, item(id, rank)]))
        const before = sorted([...kept.values()])
        const after = sorted(
          Object.entries(other).map(([id, rank]) => {
            const known = kept.get(id)
            return known?.rank === rank ? known : item(id, rank)
          }),
        )
        const {
          added = [],
          removed = [],
          changed = [],
          moved = [],
        } = changesBetween(before, after) ?? {}
        const idsOf = (list: readonly { readonly entity: Item }[]) =>
          new Set(list.map(({ entity }) => entity.id))
        const out = idsOf([...removed, ...moved])
        const entered = idsOf([...added, ...moved])
        const stayed = before.filter(({ id }) => !out.has(id)).map(({ id }) => id)
        expect(after.filter(({ id }) => !entered.has(id)).map(({ id }) => id)).toEqual(stayed)
        const kinds = [idsOf(added), idsOf(removed), idsOf(changed)]
        expect(after.filter(({ id }) => !(id in one)).every(({ id }) => kinds[0]?.has(id))).toBe(
          true,
        )
        expect(before.filter(({ id }) => !(id in other)).every(({ id }) => kinds[1]?.has(id))).toBe(
          true,
        )
        const differs = (id: string) => id in one && id in other && one[id] !== other[id]
        expect(after.filter(({ id }) => differs(id)).map(({ id }) => id)).toEqual([
          ...(kinds[2] ?? []),
        ])
      }),
    )
  })
})

function sorted(items: readonly Item[]): Item[] {
  return [...items].sort((x, y) => x.rank - y.rank || (x.id < y.id ? -1 : 1))
}
