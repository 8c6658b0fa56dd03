import { expect, test } from 'vitest'
import { Choices } from './choices.ts'

/** A tree: behind the second option of the first choice there are three more. */
function walk(choices: Choices): void {
  if (choices.choose(2) === 1) choices.choose(3)
  choices.choose(1)
}

test('choices: what turns off each run, the last first -> every sequence once, depth first', () => {
  const seen: string[] = []
  let share = 0
  const waiting: (readonly number[])[] = [[]]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const choices = new Choices(next)
    walk(choices)
    seen.push(choices.taken.join(''))
    share += choices.share
    waiting.push(...choices.branches())
  }
  expect(seen).toEqual(['0', '10', '11', '12'])
  expect(share).toBeCloseTo(1)
})

test('choices: behind those that are given -> as it is told', () => {
  const choices = new Choices([1], (options) => options - 1)
  walk(choices)
  expect(choices.taken).toEqual([1, 2])
})

test('choices: one that there is not -> RangeError', () => {
  expect(() => walk(new Choices([2]))).toThrow(RangeError)
})
