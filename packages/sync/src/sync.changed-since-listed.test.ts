import { describe, expect, test } from 'vitest'
import { syncAll } from './test-kit/device.test-kit.ts'
import type { ModelOptions } from './test-kit/model-database.test-kit.ts'
import { expectConverged, openPair } from './test-kit/pair.test-kit.ts'

describe('a rejection, discarded', () => {
  const refuseBad: ModelOptions = {
    policy: ({ entityId }) =>
      entityId.startsWith('bad') ? { code: 'not_allowed', message: 'no' } : undefined,
  }

  async function refused() {
    const { server, a, b } = await openPair({}, refuseBad)
    await a.db.collection('notes').putMany([
      { id: 'bad', tokens: ['refused'] },
      { id: 'mate', tokens: ['refused'] },
    ])
    await a.sync.sync()
    const list = () => a.sync.rejections.list()
    const [{ id } = { id: '' }] = await list()
    return { server, a, b, list, id }
  }

  test('an entity joined it: -> rejection_changed, nothing is lost; its new id drops all of it', async () => {
    const { server, a, b, list, id } = await refused()
    await a.db.collection('notes').putMany([
      { id: 'mate', tokens: ['more'] },
      { id: 'unseen', tokens: ['more'] },
    ])
    const now = (await list())[0]?.id
    await expect(a.sync.rejections.discard(id)).rejects.toMatchObject({
      code: 'rejection_changed',
      details: { was: id, id: now },
    })
    expect(await a.tokens('bad')).toEqual(['refused'])
    expect(await a.tokens('unseen')).toEqual(['more'])
    expect(await a.sync.rejections.discard(now ?? '')).toBe(true)
    expect(await a.tokens('unseen')).toEqual([])
    await syncAll(a, b)
    await expectConverged(server, a, b)
  })

  test('it was edited, sent again and refused again: -> rejection_changed', async () => {
    const { a, list, id } = await refused()
    await a.db.collection('notes').put({ id: 'bad', tokens: ['again'] })
    await expect(a.sync.rejections.discard(id)).rejects.toMatchObject({ code: 'rejection_changed' })
    await a.sync.sync()
    const [again] = await list()
    expect(again).toMatchObject({ entityId: 'bad', group: [{ entityId: 'bad' }, {}] })
    await expect(a.sync.rejections.discard(id)).rejects.toMatchObject({
      code: 'rejection_changed',
      details: { id: again?.id },
    })
    expect(await a.tokens('bad')).toEqual(['again'])
  })

  test('a transaction tied it to another rejected group: -> neither of the old ids drops it', async () => {
    const { a, list, id } = await refused()
    await a.db.collection('notes').put({ id: 'bad2', tokens: ['refused'] })
    await a.sync.sync()
    const ids = (await list()).map((each) => each.id)
    expect(ids).toContain(id)
    await a.db.collection('notes').putMany([
      { id: 'mate', tokens: ['tie'] },
      { id: 'bad2', tokens: ['tie'] },
    ])
    for (const each of ids) {
      await expect(a.sync.rejections.discard(each)).rejects.toMatchObject({
        code: 'rejection_changed',
      })
    }
    expect(await list()).toMatchObject([{ group: { length: 3 } }])
    expect(await a.tokens('bad2')).toEqual(['tie'])
  })

  test('nothing changed but other entities: -> the same id, also after a restart', async () => {
    const { a, list, id } = await refused()
    await a.addToken('other', 'x')
    await a.sync.sync()
    a.restart()
    expect((await list()).map((each) => each.id)).toEqual([id])
    expect(await a.sync.rejections.discard(id)).toBe(true)
    expect(await a.sync.rejections.discard(id)).toBe(false)
    expect(await a.sync.rejections.discard('1')).toBe(false)
  })
})

describe('a conflict, decided', () => {
  /** `n1` is in conflict on `a`; then a local transaction ties `unseen` to it by way of `mate`. */
  async function listed() {
    const { server, a, b } = await openPair()
    await a.addToken('n1', 'base')
    await syncAll(a, b)
    await b.addToken('n1', 'b')
    await b.sync.sync()
    await a.db.collection('notes').putMany([
      { id: 'n1', tokens: ['a'] },
      { id: 'mate', tokens: ['a'] },
    ])
    await a.sync.sync()
    const [{ id } = { id: '' }] = await a.sync.conflicts.list()
    await a.db.collection('notes').putMany([
      { id: 'mate', tokens: ['more'] },
      { id: 'unseen', tokens: ['more'] },
    ])
    return { server, a, b, id }
  }

  test('takeRemote, an edit joined its group: -> conflict_changed, nothing is lost; its new id drops all of it', async () => {
    const { server, a, b, id } = await listed()
    const now = (await a.sync.conflicts.list())[0]?.id
    await expect(a.sync.conflicts.resolve(id, { type: 'takeRemote' })).rejects.toMatchObject({
      code: 'conflict_changed',
      details: { was: id, id: now },
    })
    expect(await a.tokens('unseen')).toEqual(['more'])
    expect(await a.tokens('mate')).toEqual(['more'])
    await a.sync.conflicts.resolve(now ?? '', { type: 'takeRemote' })
    expect(await a.tokens('unseen')).toEqual([])
    await syncAll(a, b)
    await expectConverged(server, a, b)
  })

  test('keepLocal, an edit joined its group: -> settled, for nothing is given up', async () => {
    const { server, a, b, id } = await listed()
    await a.sync.conflicts.resolve(id, { type: 'keepLocal' })
    await syncAll(a, b)
    expect(await b.tokens('unseen')).toEqual(['more'])
    expect(await b.tokens('n1')).toEqual(['a'])
    await expectConverged(server, a, b)
  })
})
