import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { FateRow } from '../state/rows.ts'
import { type OpenStore, openStore } from '../test-kit/store.test-kit.ts'
import { makeRoomForFates, pruneFates } from './prune-fates.ts'

let opened: OpenStore

beforeEach(async () => {
  opened = await openStore({ maxTransactions: 10 })
})

afterEach(() => opened.db.close())

type Change = Partial<Pick<FateRow, 'group' | 'fate' | 'successor'>>

/** Fates of the transactions `from` to `through`, decided up to `through`. */
async function putFates(from: number, through: number, change: Change = {}): Promise<void> {
  await opened.store.transaction(async (tx) => {
    for (let key = from; key <= through; key++) {
      await tx.putFate(key, {
        group: null,
        fate: 'conflict',
        how: 'takeRemote',
        decidedBy: null,
        successor: null,
        entityVersions: null,
        written: { keys: ['notes/n1'], size: 1 },
        ...change,
      })
    }
    tx.setState({ feedPosition: Math.max(tx.state.feedPosition, through) })
  })
}

async function keys(): Promise<readonly number[]> {
  const fates = await opened.store.read((tx) => tx.fates())
  return fates.map(({ id }) => Number(id)).sort((a, b) => a - b)
}

describe('fates beyond the bounds of the ledger', () => {
  test('when sync begins -> the oldest settled ones go', async () => {
    await putFates(1, 15)
    await opened.store.transaction(pruneFates)
    expect(await keys()).toEqual([6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
    expect(opened.store.state.ledger.settled).toBe(10)
  })

  test('open, or carried on by what is open -> they stay', async () => {
    await putFates(1, 1, { group: 3, fate: 'open' })
    await putFates(2, 2, { fate: 'released', successor: 3 })
    await putFates(3, 3, { fate: 'released', successor: 500 })
    await putFates(4, 4, { fate: 'released', successor: 1_000 })
    await putFates(5, 30)
    await putFates(500, 500, { group: 4, fate: 'open' })
    // The last one carries on too: what was not taken yet is open.
    await opened.store.transaction(pruneFates)
    const newest = Array.from({ length: 10 }, (_, i) => 21 + i)
    expect(await keys()).toEqual([1, 2, 3, 4, ...newest, 500])
  })

  test('while sync runs -> now and then; the newest stay, whatever the bounds', async () => {
    let last = 0
    for (let round = 0; round < 25; round++) {
      await opened.store.transaction((tx) => makeRoomForFates(tx, 100))
      await putFates(last + 1, last + 100)
      last += 100
    }
    const left = await keys()
    expect(left.length).toBeGreaterThanOrEqual(1_000)
    expect(left.length).toBeLessThanOrEqual(2_000)
    expect(left.at(-1)).toBe(last)
  })
})
