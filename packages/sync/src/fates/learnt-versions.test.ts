import { describe, expect, test } from 'vitest'
import { type LearntVersion, LearntVersions } from './learnt-versions.ts'

function note(entityId: string, version: number): LearntVersion {
  return { ref: { collection: 'notes', entityId }, version }
}

describe('learnt versions', () => {
  test('decided together -> the same versions for each', () => {
    const learnt = new LearntVersions()
    learnt.remember([3, 4], [note('n1', 7)])
    expect(learnt.get(3)).toEqual({ 'notes/n1': 7 })
    expect(learnt.get(4)).toEqual({ 'notes/n1': 7 })
    expect(learnt.get(5)).toBeUndefined()
  })

  test('more than is remembered -> the oldest go, the newest stays whatever its size', () => {
    const learnt = new LearntVersions(6)
    learnt.remember([1], [note('a', 1)])
    learnt.remember([2, 3], [note('b', 2)])
    learnt.remember([4], [note('c', 3)])
    expect([1, 2, 3, 4].map((key) => learnt.get(key) !== undefined)).toEqual([
      false,
      true,
      true,
      true,
    ])
    learnt.remember(
      [5],
      Array.from({ length: 20 }, (_, i) => note(`${i}`, i)),
    )
    expect([2, 3, 4].map((key) => learnt.get(key))).toEqual([undefined, undefined, undefined])
    expect(Object.keys(learnt.get(5) ?? {})).toHaveLength(20)
  })

  test('decided again, the first one goes -> the second stays', () => {
    const learnt = new LearntVersions(4)
    learnt.remember([1], [note('a', 1)])
    learnt.remember([1], [note('a', 2)])
    learnt.remember([2], [note('b', 3)])
    expect(learnt.get(1)).toEqual({ 'notes/a': 2 })
  })

  test('nothing learnt -> nothing remembered', () => {
    const learnt = new LearntVersions()
    learnt.remember([1], [])
    expect(learnt.get(1)).toBeUndefined()
  })
})
