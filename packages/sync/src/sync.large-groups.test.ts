/** Groups of very many conflicts and transactions: what is done about one costs what it is, not what its group is. */
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { SyncConfig } from './config.ts'
import type { OpenConflict } from './conflicts/conflict-types.ts'
import { SyncTransaction } from './state/sync-transaction.ts'
import { type Device, syncAll } from './test-kit/device.test-kit.ts'
import { openPair } from './test-kit/pair.test-kit.ts'

afterEach(() => vi.restoreAllMocks())

async function write({ db }: Device, numbers: readonly number[], last: string): Promise<void> {
  await db.transaction(async (tx) => {
    const accounts = tx.collection('accounts')
    for (const i of numbers) await accounts.put({ id: `x${i}`, balance: 0, last })
  })
}

/** Both edited `count` entities: `b` in transactions that write those of `groups`, and holds them. */
async function held(groups: readonly (readonly number[])[], config: Partial<SyncConfig> = {}) {
  const { a, b } = await openPair(config)
  const numbers = groups.flat()
  await write(a, numbers, 'o')
  await syncAll(a, b)
  for (const each of groups) await write(b, each, 'l')
  await write(a, numbers, 'r')
  await syncAll(a, b)
  expect(b.sync.status.held).toBe(numbers.length)
  return { a, b }
}

const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i)

describe('a large held group', () => {
  test('listed -> what else is in the group is put together when somebody looks at it', async () => {
    const { b } = await held([upTo(3)])
    for (const conflict of await b.sync.conflicts.list()) {
      expect(Object.getOwnPropertyDescriptor(conflict, 'group')?.get).toBeDefined()
      const others = ['x0', 'x1', 'x2'].filter((id) => id !== conflict.entityId)
      expect(conflict.group.map(({ entityId }) => entityId)).toEqual(others)
    }
  })

  test('6,000 conflicts, shown live -> shown, and again when a side moves', {
    timeout: 120_000,
  }, async () => {
    const count = 6_000
    const { b } = await held([upTo(count)])
    const shown: (readonly OpenConflict[])[] = []
    using live = b.sync.conflicts.live()
    live.subscribe((conflicts) => shown.push(conflicts))
    await vi.waitFor(() => expect(shown).toHaveLength(1), { timeout: 60_000 })
    await write(b, [7], 'l2')
    await b.sync.sync()
    await vi.waitFor(() => expect(shown).toHaveLength(2), { timeout: 60_000 })
    expect(shown.map(({ length }) => length)).toEqual([count, count])
  })

  test('many later transactions join it -> each without a look at the others', async () => {
    const count = 200
    const { b } = await held([upTo(count)])
    for (const i of upTo(count)) await write(b, [i], 'l2')
    const looks = vi.spyOn(SyncTransaction.prototype, 'findNote')
    await b.sync.sync()
    expect(looks.mock.calls.length).toBeLessThan(count * 40)
    expect(b.sync.status).toMatchObject({ held: count, pending: 0 })
  })

  test('many later transactions join it -> everything else on the thread has its turn', async () => {
    const count = 1_000
    const turn = vi.fn(async () => {})
    const { b } = await held([[0]], { environment: { turn } })
    for (const i of upTo(count)) await write(b, [0], `l${i}`)
    turn.mockClear()
    await b.sync.sync()
    expect(turn.mock.calls.length).toBeGreaterThanOrEqual(count / 200)
    expect(b.sync.status).toMatchObject({ held: 1, pending: 0 })
  })

  test('many transactions wait for it -> the ledger looks at the group once', async () => {
    const count = 50
    const { b } = await held([upTo(3)])
    for (const i of upTo(count)) await write(b, [i % 3], `l${i}`)
    await b.sync.sync()
    const looks = vi.spyOn(SyncTransaction.prototype, 'notesOfGroup')
    const entries = await b.sync.ledger.list()
    expect(entries.filter(({ fate }) => fate === 'conflict')).toHaveLength(count + 1)
    expect(looks).toHaveBeenCalledTimes(1)
  })

  test('many groups are tied together one by one -> the smaller one moves', async () => {
    const count = 100
    const { b } = await held(upTo(count).map((i) => [i]))
    for (const i of upTo(count)) await write(b, [i + 1, i], 'l2')
    const fates = vi.spyOn(SyncTransaction.prototype, 'putFate')
    await b.sync.sync()
    // One of each transaction, and one of each that moved.
    expect(fates.mock.calls.length).toBeLessThan(count * 3)
    const [conflict] = await b.sync.conflicts.list()
    expect(conflict?.group).toHaveLength(count)
  })
})
