/** A server that goes back to a copy from before an earlier restore: its numbers come again. */
import { PUSH_PATH } from '@entidb/protocol'
import { expect, test } from 'vitest'
import { openDevice, openPair } from './test-kit/pair.test-kit.ts'

test('an edit lost its base, then the server goes back further, and another state has the number of that -> a conflict', async () => {
  const { server, a, b } = await openPair()
  await a.addToken('n0', 'first')
  await a.sync.sync()
  const oldest = server.database.backup()
  server.database.beginEpoch()
  await a.addToken('n1', 'base')
  await a.sync.sync()
  const backup = server.database.backup()
  await b.sync.sync()
  await b.addToken('n1', 'lost')
  await b.sync.sync()
  server.database.restore(backup)
  server.database.beginEpoch()
  server.fault = ({ path }) => (path === PUSH_PATH ? 'refuse' : 'pass')
  await expect(b.sync.sync()).rejects.toMatchObject({ code: 'server_unreachable' })
  server.fault = () => 'pass'
  server.database.restore(oldest)
  server.database.beginEpoch()
  const other = await openDevice(server)
  await other.addToken('n1', 'unseen')
  await other.sync.sync()
  await b.sync.sync()
  expect(await b.sync.conflicts.list()).toMatchObject([
    { local: { entity: { tokens: ['base', 'lost'] } }, remote: { entity: { tokens: ['unseen'] } } },
  ])
  await other.sync.sync()
  expect(await other.tokens('n1')).toEqual(['unseen'])
})
