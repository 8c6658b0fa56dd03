import { expect, test } from 'vitest'
import { type ServerStep, SleepingSteps } from './server-step.ts'

const step = (
  name: string,
  actor: string,
  { writes = false, isFault = false } = {},
): ServerStep => ({
  name,
  actor,
  writes,
  isFault,
  take: () => {},
})

const [read, otherRead, ownRead] = [step('a', 'd1'), step('b', 'd2'), step('c', 'd2')]
const push = step('p', 'd2', { writes: true })
const [restart, breaking] = [
  step('r', 'server', { isFault: true }),
  step('x', 'd2', { isFault: true }),
]

/** Whether `before` sleeps once the second step happened in its place, and then the others. */
function sleeps(before: ServerStep, ...[second, ...others]: readonly ServerStep[]): boolean {
  const sleeping = new SleepingSteps()
  if (second !== undefined) sleeping.happens(second, [before])
  for (const other of others) sleeping.happens(other, [])
  return sleeping.has(before)
}

test.each([
  ['a request of another device that only reads', [otherRead], true],
  ['two of them', [otherRead, ownRead], true],
  ['the server loses power', [restart], true],
  ['a push', [push], false],
  ['such a request, then a push', [otherRead, push], false],
])('a request that only reads: %s comes before it -> sleeps: %s', (_, steps, expected) => {
  expect(sleeps(read, ...steps)).toBe(expected)
})

test('the same device, a push, two power losses -> nothing sleeps', () => {
  expect(sleeps(otherRead, ownRead)).toBe(false)
  expect(sleeps(push, read)).toBe(false)
  expect(sleeps(restart, breaking)).toBe(false)
})
