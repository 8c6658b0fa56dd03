import { describe, expect, test } from 'vitest'
import type { SyncConfig } from './config.ts'
import type { Resolution } from './conflicts/conflict-types.ts'
import { syncAll } from './test-kit/device.test-kit.ts'
import { openPair } from './test-kit/pair.test-kit.ts'

const keepLocal: Partial<SyncConfig> = {
  conflictResolver: { resolve: (): Resolution => ({ type: 'keepLocal' }) },
}

describe('explain', () => {
  test('another device made it -> which one, which operation', async () => {
    const { a, b } = await openPair({}, {})
    await a.addToken('n1', 'x')
    await syncAll(a, b)
    const { revision, ...rest } = await b.sync.explain('notes', 'n1')
    expect(rest).toMatchObject({
      state: 'synced',
      shows: 'remote',
      author: { isThisDevice: false, opId: 1, source: 'server' },
      conflict: null,
      rejection: null,
      transactions: [],
    })
    expect(revision).toBeGreaterThan(0)
    expect(rest.lines[0]).toBe(`Shows revision ${revision} of the server, as it was received.`)
  })

  test('this device made it -> so, with its transaction', async () => {
    const { a } = await openPair()
    await a.addToken('n1', 'x')
    await a.sync.sync()
    expect(await a.sync.explain('notes', 'n1')).toMatchObject({
      author: { isThisDevice: true, source: 'server' },
      transactions: [{ fate: 'committed' }],
    })
  })

  test('this device made it under another name -> so', async () => {
    const { a } = await openPair()
    await a.addToken('n1', 'x')
    await a.sync.sync()
    await a.sync.renameDevice('renamed')
    const { author } = await a.sync.explain('notes', 'n1')
    expect(author).toMatchObject({ isThisDevice: true, source: 'server' })
    expect(author?.deviceId).not.toBe('renamed')
  })

  test('refused, then discarded -> who did which of it', async () => {
    const { a } = await openPair({}, { policy: () => ({ code: 'closed', message: 'no' }) })
    await a.addToken('n1', 'x')
    await a.sync.sync()
    const [rejection] = await a.sync.rejections.list()
    const { lines: held } = await a.sync.explain('notes', 'n1')
    expect(held).toContain('Transaction 1 rejected: closed.')
    await a.sync.rejections.discard(rejection?.id ?? '')
    const { lines } = await a.sync.explain('notes', 'n1')
    expect(lines).toContain(
      'Transaction 1 rejected: closed, discarded by the application; what lost is kept.',
    )
  })

  test('server out of reach -> what this device knows, and why no more', async () => {
    const { server, a, b } = await openPair()
    await a.addToken('n1', 'x')
    await syncAll(a, b)
    server.fault = () => 'refuse'
    const own = await a.sync.explain('notes', 'n1')
    expect(own.author).toMatchObject({ isThisDevice: true, source: 'ledger', opId: null })
    const other = await b.sync.explain('notes', 'n1')
    expect(other).toMatchObject({ author: null, authorUnknown: 'server_unreachable' })
    expect(other.lines).toContain(`Who made revision ${other.revision}: server_unreachable.`)
  })

  test('replaced on the server meanwhile -> said so', async () => {
    const { server, a, b } = await openPair()
    await a.addToken('n1', 'x')
    await syncAll(a, b)
    await a.addToken('n1', 'y')
    await a.sync.sync()
    server.database.compact()
    expect(await b.sync.explain('notes', 'n1')).toMatchObject({
      author: null,
      authorUnknown: 'not_found',
    })
  })

  test('older than what the server can be asked about -> said so, in words; an own one is known from the ledger', async () => {
    const { server, a, b } = await openPair()
    await a.addToken('n0', 'x')
    await a.addToken('n1', 'x')
    await a.addToken('n2', 'x')
    await syncAll(a, b)
    server.database.purge()
    const other = await b.sync.explain('notes', 'n1')
    expect(other).toMatchObject({ author: null, authorUnknown: 'cursor_expired' })
    expect(other.lines).toContain(
      `Who made revision ${other.revision}: not known any more, for it is older than what the server can be asked about (cursor_expired).`,
    )
    const own = await a.sync.explain('notes', 'n1')
    expect(own.author).toMatchObject({ isThisDevice: true, source: 'ledger' })
  })

  test('edited, in conflict, settled by a resolver -> each is told', async () => {
    const { a, b } = await openPair()
    await a.addToken('n1', 'base')
    await syncAll(a, b)
    await b.addToken('n1', 'b')
    expect(await b.sync.explain('notes', 'n1')).toMatchObject({ state: 'pending', shows: 'local' })
    await a.addToken('n1', 'a')
    await a.sync.sync()
    await b.sync.sync()
    const held = await b.sync.explain('notes', 'n1')
    expect(held).toMatchObject({ state: 'held', shows: 'local', conflict: { entityId: 'n1' } })
    b.restart(keepLocal)
    await b.sync.sync()
    await b.sync.conflicts.resolve(held.conflict?.id ?? '', { type: 'keepLocal' })
    await b.sync.sync()
    const { transactions, lines } = await b.sync.explain('notes', 'n1')
    expect(transactions[1]).toMatchObject({
      fate: 'conflict',
      how: 'keepLocal',
      decidedBy: 'application',
      successor: transactions[0]?.id,
    })
    expect(lines.join('\n')).toContain('conflict: keepLocal by the application, carried on by')
  })

  test('by a resolver -> it is named as who decided', async () => {
    const { a, b } = await openPair(keepLocal)
    await a.addToken('n1', 'base')
    await syncAll(a, b)
    await a.addToken('n1', 'a')
    await b.addToken('n1', 'b')
    await syncAll(a, b)
    const { transactions } = await b.sync.explain('notes', 'n1')
    expect(transactions.map(({ decidedBy }) => decidedBy)).toContain('resolver')
  })

  test('deleted, unknown -> shows nothing', async () => {
    const { a } = await openPair()
    await a.addToken('n1', 'x')
    await a.sync.sync()
    await a.db.collection('notes').delete('n1')
    expect(await a.sync.explain('notes', 'n1')).toMatchObject({
      shows: 'nothing',
      state: 'pending',
    })
    await a.sync.sync()
    const deleted = await a.sync.explain('notes', 'n1')
    expect(deleted.lines[0]).toBe(`Deleted as of revision ${deleted.revision}.`)
    expect((await a.sync.explain('notes', 'n2')).lines).toEqual(['Not known here.'])
  })
})

describe('trace', () => {
  test('a cycle -> its steps, requests and counts', async () => {
    const { a } = await openPair()
    await a.addToken('n1', 'x')
    await a.sync.sync()
    const { entries, state } = a.sync.trace()
    const states = entries.flatMap((entry) => (entry.kind === 'state' ? [entry.state] : []))
    expect(states).toEqual(['recovering', 'handshaking', 'pulling', 'resolving', 'pushing', 'idle'])
    const requests = entries.filter(({ kind }) => kind === 'request')
    expect(requests).toMatchObject([
      { path: '/v1/handshake', outcome: 'ok' },
      { path: '/v1/pull', outcome: 'ok' },
      { path: '/v1/push', outcome: 'ok', sentBytes: expect.any(Number) },
    ])
    expect(entries.at(-1)).toMatchObject({ kind: 'cycle', outcome: 'ok', counts: { pushed: 1 } })
    expect(state?.counts).toMatchObject({ pending: 0, held: 0, batchLast: 1 })
  })

  test('failures and conflicts -> as codes', async () => {
    const { server, a, b } = await openPair()
    await a.addToken('n1', 'base')
    await syncAll(a, b)
    await a.addToken('n1', 'a')
    await b.addToken('n1', 'b')
    await syncAll(a, b)
    server.fault = () => 'refuse'
    await b.sync.sync().catch(() => {})
    const { entries, lastError } = b.sync.trace()
    expect(entries).toContainEqual(expect.objectContaining({ kind: 'event', event: 'conflict' }))
    expect(entries).toContainEqual(
      expect.objectContaining({ kind: 'cycle', outcome: 'server_unreachable' }),
    )
    expect(lastError).toBe('server_unreachable')
  })

  test('whatever happened -> holds nothing of the application, and is bounded', async () => {
    const secret = 'SECRET-b91c'
    const { server, a, b } = await openPair(
      {},
      {
        policy: ({ entityId }) =>
          entityId.startsWith('bad') ? { code: `no ${secret}`, message: secret } : undefined,
      },
    )
    await a.addToken(secret, secret)
    await syncAll(a, b)
    await a.addToken(secret, `${secret}1`)
    await b.addToken(secret, `${secret}2`)
    await a.addToken(`bad${secret}`, secret)
    await syncAll(a, b)
    server.fault = () => 'lose'
    await a.sync.sync().catch(() => {})
    server.fault = () => 'pass'
    const traces = [a, b].map((device) => device.sync.trace())
    expect(traces[0]?.entries).toContainEqual(expect.objectContaining({ event: 'rejected' }))
    for (let i = 0; i < 120; i++) await a.sync.sync()
    for (const trace of [...traces, a.sync.trace()]) {
      const text = JSON.stringify(trace)
      expect(text).not.toContain(secret)
      expect(text).not.toContain('secret')
      expect(text).not.toContain('sync.test')
    }
    expect(a.sync.trace().entries).toHaveLength(500)
  })
})
