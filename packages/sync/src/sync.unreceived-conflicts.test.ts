import { describe, expect, test } from 'vitest'
import { epochNameAt } from './handshake/history.ts'
import { type Device, syncAll } from './test-kit/device.test-kit.ts'
import { expectConverged, openPair } from './test-kit/pair.test-kit.ts'

/** The balances of both accounts, as one transaction reads them. */
async function balances(device: Device): Promise<readonly (number | undefined)[]> {
  return device.db.transaction(async (tx) => {
    const accounts = tx.collection('accounts')
    return [(await accounts.get('x'))?.balance, (await accounts.get('y'))?.balance]
  })
}

const put = (device: Device, ...balancesById: readonly (readonly [string, number])[]) =>
  device.db.transaction(async (tx) => {
    for (const [id, balance] of balancesById) await tx.collection('accounts').put({ id, balance })
    return tx
  })

/**
 * 1. Both devices have x and y with 1 each; `rejected` was refused by the server and is held on `b`.
 * 2. `b` edits x and begins a cycle: it pulls, and there is nothing.
 * 3. `a` puts 2 into both, in one transaction, and pushes.
 * 4. `b` pushes x: a conflict, with x as `a` left it. y is not in the answer.
 * 5. From then on no pull gets through.
 */
async function conflictBeforeThePull() {
  const policy = ({ entityId }: { readonly entityId: string }) =>
    entityId === 'rejected' ? { code: 'forbidden', message: 'no' } : undefined
  const pair = await openPair({}, { policy })
  const { server, a, b } = pair
  await put(a, ['x', 1], ['y', 1])
  await syncAll(a, b)
  await put(b, ['rejected', 1])
  await b.sync.sync()
  const { receipt } = await put(b, ['x', 9])
  let phase: 'before' | 'between' | 'after' = 'before'
  server.fault = async ({ path }) => {
    if (phase === 'after' && path === '/v1/pull') return 'refuse'
    if (phase === 'before' && path === '/v1/push') {
      phase = 'between'
      await put(a, ['x', 2], ['y', 2])
      await a.sync.sync()
      phase = 'after'
    }
    return 'pass'
  }
  await expect(b.sync.sync()).rejects.toMatchObject({ code: 'server_unreachable' })
  expect(b.sync.stateOf('accounts', 'x')).toBe('held')
  expect(await balances(b)).toEqual([9, 1])
  const revision = server.database.oplog.findLast(({ entityId }) => entityId === 'x')?.entityVersion
  expect(revision).toBeGreaterThan(b.sync.status.cursor)
  const epoch = epochNameAt(server.database.backup().history, revision ?? 0)
  return { ...pair, id: `${receipt.opIds[0]}:${revision}.${epoch}:accounts/x` }
}

describe('a conflict that a push found before the pull came to it', () => {
  test('-> is not listed or explained until what was written with its other side is there', async () => {
    const { server, b, id } = await conflictBeforeThePull()
    const told: string[] = []
    b.sync.on('conflict', (conflict) => told.push(conflict.id))
    expect(await b.sync.conflicts.list()).toEqual([])
    expect(await b.sync.explain('accounts', 'x')).toMatchObject({ state: 'held', conflict: null })
    server.fault = () => 'pass'
    await b.sync.sync()
    expect(await balances(b)).toEqual([9, 2])
    const conflicts = await b.sync.conflicts.list()
    expect(conflicts).toMatchObject([{ id, remote: { entity: { balance: 2 } } }])
    expect(told).toEqual([id])
  })

  test('decided by its id -> conflict_changed: takeRemote would show half of a transaction', async () => {
    const { server, a, b, id } = await conflictBeforeThePull()
    const resolving = b.sync.conflicts.resolve(id, { type: 'takeRemote' })
    await expect(resolving).rejects.toMatchObject({ code: 'conflict_changed' })
    expect(await balances(b)).toEqual([9, 1])
    server.fault = () => 'pass'
    await b.sync.sync()
    await b.sync.conflicts.resolve(id, { type: 'takeRemote' })
    expect(await balances(b)).toEqual([2, 2])
    for (const { id: rejection } of await b.sync.rejections.list()) {
      await b.sync.rejections.discard(rejection)
    }
    await syncAll(b, a)
    await expectConverged(server, a, b)
  })

  test('a rejected group is discarded that a transaction ties to it -> back to what was received', async () => {
    const { server, a, b } = await conflictBeforeThePull()
    await put(b, ['x', 8], ['rejected', 2])
    const [rejection] = await b.sync.rejections.list()
    expect(await b.sync.rejections.discard(rejection?.id ?? '')).toBe(true)
    expect(await balances(b)).toEqual([1, 1])
    server.fault = () => 'pass'
    await b.sync.sync()
    expect(await balances(b)).toEqual([2, 2])
    await syncAll(b, a)
    await expectConverged(server, a, b)
  })

  test('a re-sync begins -> conflicts whose other side was received before stay listed', async () => {
    const { server, b, id } = await conflictBeforeThePull()
    server.fault = () => 'pass'
    await b.sync.sync()
    server.database.scope = 'another'
    server.fault = ({ path }) => (path === '/v1/pull' ? 'refuse' : 'pass')
    await expect(b.sync.sync()).rejects.toMatchObject({ code: 'server_unreachable' })
    expect(b.sync.status.cursor).toBe(0)
    expect(await b.sync.conflicts.list()).toMatchObject([{ id }])
  })
})
