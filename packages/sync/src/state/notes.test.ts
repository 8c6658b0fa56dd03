import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Notes } from './notes.ts'
import { emptyNote } from './rows.ts'

test('notes: any changes -> the members of each group, those that skip, and how many are held, are those of all notes', () => {
  const change = fc.record({
    id: fc.constantFrom('a', 'b', 'c', 'd'),
    group: fc.constantFrom(null, 1, 2, 'delete' as const),
    skipThrough: fc.constantFrom(0, 7),
  })
  fc.assert(
    fc.property(fc.array(change), (changes) => {
      const notes = new Notes()
      const model = new Map<string, number | null>()
      const skipping = new Set<string>()
      for (const { id, group, skipThrough } of changes) {
        skipping.delete(id)
        if (group === 'delete') {
          notes.delete(id)
          model.delete(id)
          continue
        }
        notes.set({ ...emptyNote({ collection: 'n', entityId: id }, id), group, skipThrough })
        if (skipThrough > 0) skipping.add(id)
        model.set(id, group)
      }
      for (const group of [1, 2]) {
        const members = [...model].filter(([, each]) => each === group).map(([id]) => id)
        expect([...notes.keysOfGroup(group)].sort()).toEqual(members.sort())
      }
      expect([...notes.keysThatSkip()].sort()).toEqual([...skipping].sort())
      expect(notes.heldCount).toBe([...model.values()].filter((group) => group !== null).length)
      expect([...notes.values()].map(({ id }) => id).sort()).toEqual([...model.keys()].sort())
      expect(notes.size).toBe(model.size)
    }),
  )
})
