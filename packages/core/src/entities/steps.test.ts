import { describe, expect, test } from 'vitest'
import { runSteps, type Steps, wait } from './steps.ts'

function* sum(...answers: (number | Promise<number>)[]): Steps<number> {
  let total = 0
  for (const answer of answers) total += yield* wait(answer)
  return total
}

describe('steps', () => {
  test('nothing to wait for -> answered at once', () => {
    expect(runSteps(sum(1, 2))).toBe(3)
  })

  test('something to wait for -> a promise', async () => {
    const answer = runSteps(sum(1, Promise.resolve(2), 3, Promise.resolve(4)))
    expect(answer).toBeInstanceOf(Promise)
    expect(await answer).toBe(10)
  })

  test('a promise rejects -> thrown inside, where it can be caught', async () => {
    const failing = sum(Promise.reject(new Error('no')))
    await expect(runSteps(failing)).rejects.toThrow('no')
    function* catching(): Steps<string> {
      try {
        return String(yield* sum(Promise.reject(new Error('no'))))
      } catch {
        return `caught ${yield* wait(Promise.resolve(1))}`
      }
    }
    expect(await runSteps(catching())).toBe('caught 1')
  })
})
