/**
 * Work that waits only where the store has to: a generator that yields the promises it needs, run
 * without a single turn of the event loop when the store answers at once.
 */
import type { MaybePromise } from '../files/file-system.ts'

export type Steps<T> = Generator<Promise<unknown>, T, unknown>

/** Used as `yield* wait(answer)`. */
export function* wait<T>(answer: MaybePromise<T>): Steps<T> {
  // What the runner hands back is what this very promise resolved to.
  return answer instanceof Promise ? ((yield answer) as T) : answer
}

/** Synchronous until the first promise. Throws, or rejects, what the steps throw. */
export function runSteps<T>(steps: Steps<T>): MaybePromise<T> {
  const first = steps.next()
  return first.done === true ? first.value : resume(steps, first.value)
}

async function resume<T>(steps: Steps<T>, firstWaiting: Promise<unknown>): Promise<T> {
  let waiting = firstWaiting
  for (;;) {
    const result = await settle(steps, waiting)
    if (result.done === true) return result.value
    waiting = result.value
  }
}

async function settle<T>(
  steps: Steps<T>,
  waiting: Promise<unknown>,
): Promise<IteratorResult<Promise<unknown>, T>> {
  let answer: unknown
  try {
    answer = await waiting
  } catch (error) {
    return steps.throw(error)
  }
  return steps.next(answer)
}
