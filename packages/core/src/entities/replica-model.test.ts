/** Any steps of local edits and of sync, against the table of states. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeEntity } from '../cbor/entity-encoder.ts'
import { defineCollection } from './collection-definition.ts'
import { EntiDB } from './database.ts'
import {
  applied,
  edited,
  isKnown,
  type ModelEntity,
  settled,
  toState,
  touched,
  UNKNOWN,
} from './replica-model.test-kit.ts'
import { stores } from './stores.test-kit.ts'

interface Note {
  id: string
  text: string
}

const encode = (id: string) => (text: string) => encodeEntity({ id, text })

describe('replica model', () => {
  const ids = fc.constantFrom('a', 'b')
  const texts = fc.constantFrom('1', '2', null)
  const step = fc.oneof(
    fc.record({ kind: fc.constant('put' as const), id: ids, text: fc.constantFrom('1', '2') }),
    fc.record({ kind: fc.constantFrom('delete' as const, 'touch' as const), id: ids }),
    fc.record({ kind: fc.constantFrom('forget' as const, 'evict' as const), id: ids }),
    fc.record({ kind: fc.constantFrom('apply' as const, 'rebase' as const), id: ids, text: texts }),
    fc.record({ kind: fc.constant('settle' as const), id: ids, text: texts, back: fc.nat(2) }),
    fc.record({ kind: fc.constantFrom('reopen' as const, 'absent' as const), id: ids }),
  )

  test.each(stores)(
    'any steps on the $store store -> the states of the table',
    async ({ createStorage }) => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
          const storage = createStorage()
          const collections = { notes: defineCollection<Note>({ indexes: { text: ['text'] } }) }
          const reopen = () => EntiDB.open({ storage, collections, changeFeed: true })
          let db = await reopen()
          const model = new Map<string, ModelEntity>()
          let revision = 0
          let writes = 0
          for (const s of steps) {
            const { id } = s
            const before = model.get(id) ?? UNKNOWN
            const opIds: number[] = []
            if (s.kind === 'reopen') {
              await db.close()
              db = await reopen()
              continue
            }
            await db.transaction(async (tx) => {
              const { replica } = tx
              const notes = tx.collection('notes')
              const content = 'text' in s ? s.text : null
              const state = { version: ++revision, content }
              const raw = toState(state, encode(id))
              if (s.kind === 'put') {
                await notes.put({ id, text: s.text })
                model.set(id, edited(before, s.text, tx.receipt.opIds[0] ?? 0))
              } else if (s.kind === 'delete') {
                await notes.delete(id)
                if (before.local !== null) {
                  model.set(id, edited(before, null, tx.receipt.opIds[0] ?? 0))
                }
              } else if (s.kind === 'apply') {
                await replica.applyRaw({ collection: 'notes', entityId: id, ...raw })
                model.set(id, applied(state))
              } else if (s.kind === 'absent') {
                await replica.applyRaw({
                  ...{
                    collection: 'notes',
                    entityId: id,
                    version: 0,
                    bytes: null,
                    schemaVersion: 1,
                  },
                })
                model.set(id, UNKNOWN)
              } else if (s.kind === 'rebase' && before.pending) {
                await replica.rebase('notes', id, raw)
                model.set(id, { ...before, base: state })
              } else if (s.kind === 'settle') {
                const through = before.opId - s.back
                await replica.settle('notes', id, raw, through)
                model.set(id, settled(before, state, through))
              } else if (s.kind === 'touch' && isKnown(before)) {
                const { opId } = await replica.touch('notes', id)
                model.set(id, touched(before, opId))
              } else if (s.kind === 'forget') {
                await replica.forget('notes', id)
                if (!before.pending && before.local === null) model.set(id, UNKNOWN)
              } else if (s.kind === 'evict' && !before.pending) {
                await replica.evict('notes', id)
                model.set(id, UNKNOWN)
              }
              opIds.push(...tx.receipt.opIds)
            })
            writes += opIds.length
            await check(db, id, model.get(id) ?? UNKNOWN)
          }
          const found = await db.transaction((tx) => tx.replica.scan({ entriesMax: 10 }))
          const known = [...model].filter(([, entity]) => isKnown(entity)).map(([id]) => id)
          expect(found.map(({ entityId }) => entityId)).toEqual(known.sort())
          const feed: number[] = []
          for await (const op of db.changes({ wait: false })) feed.push(op.opId)
          expect(feed).toHaveLength(writes)
          expect(feed).toEqual([...new Set(feed)].sort((a, b) => a - b))
          await db.close()
        }),
        { numRuns: 200 },
      )
    },
  )

  async function check(
    db: EntiDB<{ notes: ReturnType<typeof defineCollection<Note>> }>,
    id: string,
    model: ModelEntity,
  ): Promise<void> {
    const state = await db.transaction((tx) => tx.replica.state('notes', id))
    const bytesOf = (content: string | null) => (content === null ? null : encode(id)(content))
    expect(state.bytes).toEqual(bytesOf(model.local))
    expect(state.pending).toBe(model.pending)
    expect(state.opId).toBe(model.opId)
    expect(state.version).toBe(model.base.version)
    expect(state.base.version).toBe(model.base.version)
    expect(state.base.bytes).toEqual(bytesOf(model.base.content))
    expect((await db.collection('notes').get(id))?.text).toBe(model.local ?? undefined)
    for (const text of ['1', '2']) {
      const ids = (await db.collection('notes').find({ where: { text } })).map((note) => note.id)
      expect(ids.includes(id)).toBe(model.local === text)
    }
  }
})
