/** How many runs a scope has, without making them all. */
import type { Application } from '../application/application.ts'
import { randomFor } from '../kernel/random-streams.ts'
import { Choices } from './choices.ts'
import type { SmallScope } from './small-scope.ts'
import { runWith } from './try-choices.ts'

/** A guess, and how good it is. */
export interface RunEstimate {
  readonly runs: number
  /** Of `runs`. With few walks it is too small: most of the runs lie in a small part of the tree of choices. */
  readonly standardError: number
}

/**
 * Walks down the tree of choices by chance. How unlikely a walk was is, on average, the number of runs (D. Knuth,
 * 1975).
 */
export async function estimateRuns(
  scope: SmallScope,
  application: Application,
  walks: number,
): Promise<RunEstimate> {
  const random = randomFor(1, 'walks')
  const guesses: number[] = []
  for (let i = 0; i < walks; i++) {
    const { share } = await runWith(scope, application, Choices.drawnBy(random))
    guesses.push(1 / share)
  }
  const runs = meanOf(guesses)
  const variance = meanOf(guesses.map((guess) => (guess - runs) ** 2))
  return { runs, standardError: Math.sqrt(variance / walks) }
}

function meanOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0) / numbers.length
}
