import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Notes } from './notes.ts'
import { emptyNote } from './rows.ts'

const REJECTION = { code: 'no', message: 'no', sinceMs: 0, unknown: false }

test('notes: any changes -> the members of each group, the rejected ones, those that skip, and how many are held, are those of all notes', () => {
  const change = fc.record({
    id: fc.constantFrom('a', 'b', 'c', 'd'),
    group: fc.constantFrom(null, 1, 2, 'delete' as const),
    skipThrough: fc.constantFrom(0, 7),
    rejection: fc.constantFrom(null, REJECTION),
  })
  fc.assert(
    fc.property(fc.array(change), (changes) => {
      const notes = new Notes()
      const model = new Map<string, number | null>()
      const skipping = new Set<string>()
      const rejected = new Set<string>()
      for (const { id, group, skipThrough, rejection } of changes) {
        skipping.delete(id)
        rejected.delete(id)
        if (group === 'delete') {
          notes.delete(id)
          model.delete(id)
          continue
        }
        const note = emptyNote({ collection: 'n', entityId: id }, id)
        notes.set({ ...note, group, skipThrough, rejection })
        if (skipThrough > 0) skipping.add(id)
        if (rejection !== null) rejected.add(id)
        model.set(id, group)
      }
      for (const group of [1, 2]) {
        const members = [...model].filter(([, each]) => each === group).map(([id]) => id)
        expect([...notes.keysOfGroup(group)].sort()).toEqual(members.sort())
        expect(notes.groupSize(group)).toBe(members.length)
        const refused = members.filter((id) => rejected.has(id))
        expect([...notes.keysOfRejected(group)].sort()).toEqual(refused)
      }
      expect([...notes.keysThatSkip()].sort()).toEqual([...skipping].sort())
      expect(notes.heldCount).toBe([...model.values()].filter((group) => group !== null).length)
      expect([...notes.values()].map(({ id }) => id).sort()).toEqual([...model.keys()].sort())
      expect(notes.size).toBe(model.size)
    }),
  )
})
