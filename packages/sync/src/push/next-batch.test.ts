import { PULL_PATH, PUSH_PATH } from '@entidb/protocol'
import { expect, test } from 'vitest'
import { syncAll, unionResolver } from '../test-kit/device.test-kit.ts'
import type { Fault } from '../test-kit/model-server.test-kit.ts'
import { expectConverged, openPair } from '../test-kit/pair.test-kit.ts'

const NOTES = ['n0', 'n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7']
/** The next batch is rehearsed by then. */
const REHEARSED_AFTER_MS = 30

/** `a` has eight new notes, which take four pushes. `underWay` runs while the first is on its way. */
async function pushing(underWay: () => Promise<void> = async () => {}) {
  const limits = { maxOpsPerPush: 2, maxPullOps: 100 }
  const { server, a, b } = await openPair({ conflictResolver: unionResolver }, { limits })
  for (const id of NOTES) await a.addToken(id, 'first')
  const paths: string[] = []
  let isFirst = true
  server.fault = async ({ path }): Promise<Fault> => {
    paths.push(path)
    if (path === PUSH_PATH && isFirst) {
      isFirst = false
      await new Promise((resolve) => setTimeout(resolve, REHEARSED_AFTER_MS))
      await underWay()
    }
    return 'pass'
  }
  return { server, a, b, paths }
}

test('four batches: -> four pushes in a row, everything in order', async () => {
  const { server, a, b, paths } = await pushing()
  await a.sync.sync()
  const pushes = new Array<string>(4).fill(PUSH_PATH)
  expect(paths.slice(paths.indexOf(PUSH_PATH))).toEqual(pushes)
  expect(server.database.oplog.map(({ entityId }) => entityId)).toEqual(NOTES)
  await syncAll(b)
  await expectConverged(server, a, b)
})

test('entities of the next batch are edited and deleted after it was read: -> that follows', async () => {
  const edit = { run: async () => {} }
  const { server, a, b } = await pushing(() => edit.run())
  edit.run = async () => {
    await a.addToken('n2', 'second')
    await a.db.collection('notes').delete('n3')
  }
  await syncAll(a, b)
  expect(await b.tokens('n2')).toEqual(['first', 'second'])
  expect(server.database.live().has('notes/n3')).toBe(false)
  await expectConverged(server, a, b)
})

test('an entity that is under way is edited, and edited again: -> the later edit on its revision', async () => {
  const edit = { run: async () => {} }
  const { server, a, b } = await pushing(() => edit.run())
  await a.addToken('n0', 'second')
  edit.run = () => a.addToken('n1', 'third')
  await syncAll(a, b)
  expect(await b.tokens('n0')).toEqual(['first', 'second'])
  expect(await b.tokens('n1')).toEqual(['first', 'third'])
  await expectConverged(server, a, b)
})

test('another device pushes meanwhile: -> its edits are pulled before the next batch is sent', async () => {
  const other = { run: async () => {} }
  const { server, a, b, paths } = await pushing(() => other.run())
  await b.addToken('x', 'other')
  other.run = async () => {
    await b.sync.sync()
    paths.length = 0
  }
  await a.sync.sync()
  expect(paths[0]).toBe(PULL_PATH)
  expect(await a.tokens('x')).toEqual(['other'])
  await syncAll(a, b)
  await expectConverged(server, a, b)
})

test('a conflict in a batch: -> it is settled before the next one is taken', async () => {
  const other = { run: async () => {} }
  const { server, a, b, paths } = await pushing(() => other.run())
  await b.addToken('n0', 'other')
  other.run = async () => {
    await b.sync.sync()
    paths.length = 0
  }
  await a.sync.sync()
  expect(paths[0]).toBe(PULL_PATH)
  await syncAll(a, b)
  expect(await b.tokens('n0')).toEqual(['first', 'other'])
  await expectConverged(server, a, b)
})
