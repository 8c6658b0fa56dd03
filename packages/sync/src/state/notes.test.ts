import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Notes } from './notes.ts'
import { emptyNote } from './rows.ts'

test('notes: any changes -> the members of each group, and how many are held, are those of all notes', () => {
  const change = fc.record({
    id: fc.constantFrom('a', 'b', 'c', 'd'),
    group: fc.constantFrom(null, 1, 2, 'delete' as const),
  })
  fc.assert(
    fc.property(fc.array(change), (changes) => {
      const notes = new Notes()
      const model = new Map<string, number | null>()
      for (const { id, group } of changes) {
        if (group === 'delete') {
          notes.delete(id)
          model.delete(id)
          continue
        }
        notes.set({ ...emptyNote({ collection: 'n', entityId: id }, id), group })
        model.set(id, group)
      }
      for (const group of [1, 2]) {
        const members = [...model].filter(([, each]) => each === group).map(([id]) => id)
        expect([...notes.keysOfGroup(group)].sort()).toEqual(members.sort())
      }
      expect(notes.heldCount).toBe([...model.values()].filter((group) => group !== null).length)
      expect([...notes.values()].map(({ id }) => id).sort()).toEqual([...model.keys()].sort())
      expect(notes.size).toBe(model.size)
    }),
  )
})
