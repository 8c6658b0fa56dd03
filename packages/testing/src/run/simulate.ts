/** Many runs in a row, and what to know of each. */
import type { Application } from '../application/application.ts'
import { type DrawOptions, drawPlan } from '../plan/draw-plan.ts'
import { type RunResult, runPlan } from './run-plan.ts'

/** Which runs. */
export interface SimulateOptions extends DrawOptions {
  /** Default 1. */
  readonly firstSeed?: number
  /** Default 100. */
  readonly seeds?: number
  /** Told of each run. */
  readonly onRun?: (result: RunResult) => void
}

/**
 * Runs an application from many seeds, one after the other, and answers those that failed. Every answer holds
 * its plan, which `runPlan` repeats and `shrinkPlan` shortens. Error: TypeError for no seeds, of which none would fail.
 *
 * @example
 * const failures = await simulate(application, { seeds: 200 })
 * expect(failures.map(({ failure }) => failure)).toEqual([])
 */
export async function simulate(
  application: Application,
  { firstSeed = 1, seeds = 100, onRun = () => {}, ...options }: SimulateOptions = {},
): Promise<readonly RunResult[]> {
  const last = firstSeed + seeds - 1
  if (!(Number.isSafeInteger(last) && last >= firstSeed)) {
    throw new TypeError(`seeds is a whole number from 1, not ${seeds}`)
  }
  const failures: RunResult[] = []
  for (let seed = firstSeed; seed <= last; seed++) {
    const result = await runPlan(drawPlan(seed, application, options), application)
    onRun(result)
    if (result.failure !== undefined) failures.push(result)
  }
  return failures
}
