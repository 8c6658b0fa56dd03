/** Local transactions of which a part needs no push any more, in the next process. */
import { expect, test } from 'vitest'
import { openPair } from './test-kit/pair.test-kit.ts'

test('its last entity converged, then the rest is given up by the next process -> one fate, under its own name', async () => {
  const { server, a, b } = await openPair({}, { limits: { maxPullOps: 2 } })
  const write = (text: string) => (id: string) => ({ id, tokens: [text] })
  await a.db.collection('notes').putMany(['n1', 'n2', 'n3'].map(write('base')))
  for (const { sync } of [a, b]) await sync.sync()
  // The first page has both entities of the transaction; the second is lost.
  for (const id of ['n1', 'n2', 'n3']) {
    await a.db.collection('notes').put(write(id === 'n2' ? 'same' : 'a')(id))
  }
  await a.sync.sync()
  const receipt = await b.db.transaction(async (tx) => {
    await tx.collection('notes').put(write('b')('n1'))
    await tx.collection('notes').put(write('same')('n2'))
    return tx
  })
  let pulls = 0
  server.fault = ({ path }) => (path === '/v1/pull' && ++pulls > 1 ? 'refuse' : 'pass')
  await expect(b.sync.sync()).rejects.toMatchObject({ code: 'server_unreachable' })
  server.fault = () => 'pass'
  b.restart({ conflictResolver: { resolve: () => ({ type: 'takeRemote' }) } })
  await b.sync.sync()
  expect(await b.tokens('n1')).toEqual(['a'])
  const { opIds } = receipt.receipt
  expect(await b.sync.settled({ opIds })).toMatchObject({ fate: 'conflict', how: 'takeRemote' })
  expect(await b.sync.ledger.list()).toMatchObject([
    { id: String(Math.max(...opIds)), fate: 'conflict', how: 'takeRemote', hasKept: true },
  ])
})
