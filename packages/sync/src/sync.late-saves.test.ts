/** Forms saved late (`basedOn`): what a restored server lost, what a late save made, an own edit under way. */
import { describe, expect, test } from 'vitest'
import type { Note } from './test-kit/device.test-kit.ts'
import type { ModelOptions } from './test-kit/model-database.test-kit.ts'
import { openDevice, openPair } from './test-kit/pair.test-kit.ts'

/** The first of two edits by a, both of which b has; b has a form open from before them. */
async function editedSince(options: ModelOptions = {}) {
  const { server, a, b } = await openPair({}, options)
  await a.addToken('n1', 'base')
  await a.sync.sync()
  await b.sync.sync()
  const form = await b.db.collection('notes').get('n1')
  if (form === undefined) throw new Error('not there')
  await a.addToken('n1', 'unseen')
  await a.sync.sync()
  await b.sync.sync()
  const backup = server.database.backup()
  const saves = () =>
    b.db.collection('notes').put({ id: 'n1', tokens: ['base', 'form'] }, { basedOn: form })
  const restore = () => {
    server.database.restore(backup)
    server.database.beginEpoch()
  }
  return { server, a, b, saves, restore }
}

async function expectAsked({ server, b }: Awaited<ReturnType<typeof editedSince>>): Promise<void> {
  const [conflict] = await b.sync.conflicts.list()
  expect(conflict).toMatchObject({
    local: { entity: { tokens: ['base', 'form'] } },
    remote: { entity: { tokens: ['base', 'unseen'] } },
  })
  const other = await openDevice(server)
  await other.sync.sync()
  expect(await other.tokens('n1')).toEqual(['base', 'unseen'])
}

describe('form saved late, and the server is restored to what it has not seen', () => {
  test.each(['edited', 'deleted'])(
    'the note was %s elsewhere since, and that is lost: -> asked about what is left',
    async (how) => {
      const history = await editedSince()
      const { a, b, saves, restore } = history
      await saves()
      await b.sync.sync()
      if (how === 'edited') await a.addToken('n1', 'lost')
      else await a.db.collection('notes').delete('n1')
      await a.sync.sync()
      await b.sync.sync()
      restore()
      await b.sync.sync()
      await expectAsked(history)
    },
  )

  test.each(['before', 'after'])(
    'what it was saved over is lost, and it is looked at %s that: -> asked about what is left',
    async (when) => {
      const history = await editedSince()
      const { a, b, saves, restore } = history
      await a.addToken('n1', 'lost')
      await a.sync.sync()
      await b.sync.sync()
      await saves()
      if (when === 'before') await b.sync.sync()
      restore()
      await b.sync.sync()
      await expectAsked(history)
    },
  )

  test('deleted from a form, and what it was deleted over is lost: -> asked about what is left', async () => {
    const { server, a, b } = await openPair()
    await a.addToken('n1', 'base')
    await a.sync.sync()
    await b.sync.sync()
    const backup = server.database.backup()
    const form = await b.db.collection('notes').get('n1')
    if (form === undefined) throw new Error('not there')
    await a.addToken('n1', 'lost')
    await a.sync.sync()
    await b.sync.sync()
    await b.db.collection('notes').delete('n1', { basedOn: form })
    server.database.restore(backup)
    server.database.beginEpoch()
    await b.sync.sync()
    const [conflict] = await b.sync.conflicts.list()
    expect(conflict).toMatchObject({
      local: { entity: null },
      remote: { entity: { tokens: ['base'] } },
    })
  })
})

describe('form opened on what a late save made, and saved late itself', () => {
  test.each(['as it was put', 'as it was read', 'as a live query has it'])(
    'the late save gave way to what it had not seen: %s -> asked, and nothing overwritten',
    async (how) => {
      const { server, b, saves } = await editedSince()
      const notes = b.db.collection('notes')
      const live = notes.live({ where: { id: 'n1' } })
      let shown: readonly Note[] = []
      live.subscribe(({ items }) => {
        shown = items
      })
      const put = await saves()
      await expect.poll(() => shown[0]?.tokens).toEqual(['base', 'form'])
      const forms = [put.entity, await notes.get('n1'), shown[0]]
      const form = forms[['as it was put', 'as it was read'].indexOf(how)] ?? forms.at(-1)
      if (form === undefined) throw new Error('not there')
      live.close()
      await b.sync.sync()
      const [conflict] = await b.sync.conflicts.list()
      await b.sync.conflicts.resolve(conflict?.id ?? '', { type: 'takeRemote' })
      await b.sync.sync()
      expect(await b.tokens('n1')).toEqual(['base', 'unseen'])
      await notes.put({ id: 'n1', tokens: ['base', 'form', 'more'] }, { basedOn: form })
      await b.sync.sync()
      expect(await b.sync.conflicts.list()).toMatchObject([
        {
          local: { entity: { tokens: ['base', 'form', 'more'] } },
          remote: { entity: { tokens: ['base', 'unseen'] } },
        },
      ])
      const other = await openDevice(server)
      await other.sync.sync()
      expect(await other.tokens('n1')).toEqual(['base', 'unseen'])
    },
  )

  test('another edit of it, without a form, came first -> asked', async () => {
    const { b, saves } = await editedSince()
    const notes = b.db.collection('notes')
    await saves()
    await b.addToken('n1', 'more')
    const form = await notes.get('n1')
    if (form === undefined) throw new Error('not there')
    await b.sync.sync()
    const [conflict] = await b.sync.conflicts.list()
    await b.sync.conflicts.resolve(conflict?.id ?? '', { type: 'takeRemote' })
    await notes.put({ id: 'n1', tokens: ['late'] }, { basedOn: form })
    await b.sync.sync()
    expect(await b.sync.conflicts.list()).toHaveLength(1)
  })

  test('the late save was decided to stay, and accepted -> no question', async () => {
    const { b, saves } = await editedSince()
    const notes = b.db.collection('notes')
    await saves()
    const form = await notes.get('n1')
    if (form === undefined) throw new Error('not there')
    await b.sync.sync()
    const [conflict] = await b.sync.conflicts.list()
    await b.sync.conflicts.resolve(conflict?.id ?? '', { type: 'keepLocal' })
    await b.sync.sync()
    await notes.put({ id: 'n1', tokens: ['base', 'form', 'more'] }, { basedOn: form })
    await b.sync.sync()
    expect(await b.sync.conflicts.list()).toEqual([])
    expect(b.sync.status.pending).toBe(0)
  })
})

describe.each([
  ['the answer', {}],
  ['the echo', { simple: true }],
])('form saved late over an own edit of which %s tells that it is accepted', (_, options) => {
  /** The edit is pushed; the form is held. */
  async function savedOverOwnEdit() {
    const history = await editedSince(options)
    const { a, b, saves } = history
    await b.addToken('n1', 'own')
    await saves()
    await b.sync.sync()
    await a.sync.sync()
    expect(await a.tokens('n1')).toEqual(['base', 'own', 'unseen'])
    return history
  }

  test('-> asked about what the server has by it', async () => {
    const { b } = await savedOverOwnEdit()
    expect(await b.sync.conflicts.list()).toMatchObject([
      {
        local: { entity: { tokens: ['base', 'form'] } },
        remote: { entity: { tokens: ['base', 'own', 'unseen'] } },
        base: undefined,
      },
    ])
  })

  test.each(['takeRemote', 'keepLocal'] as const)('%s -> both agree', async (type) => {
    const { a, b } = await savedOverOwnEdit()
    const [conflict] = await b.sync.conflicts.list()
    await b.sync.conflicts.resolve(conflict?.id ?? '', { type })
    for (const { sync } of [b, a]) await sync.sync()
    const expected = type === 'keepLocal' ? ['base', 'form'] : ['base', 'own', 'unseen']
    expect(await b.tokens('n1')).toEqual(expected)
    expect(await a.tokens('n1')).toEqual(expected)
  })
})
