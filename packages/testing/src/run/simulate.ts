/** Many runs in a row, and what to know of each. */
import { assertOptions } from '@entidb/core'
import type { Application } from '../application/application.ts'
import { type DrawOptions, drawPlan } from '../plan/draw-plan.ts'
import { type RunResult, runPlan } from './run-plan.ts'

/** Which runs. */
export interface SimulateOptions extends DrawOptions {
  /** Default 1. */
  readonly firstSeed?: number
  /** Default 100. */
  readonly seeds?: number
  /** Told of each run; the next one waits for what it promises. */
  readonly onRun?: (result: RunResult) => void | Promise<void>
}

/**
 * Runs an application from many seeds, one after the other, and answers those that failed. Every answer holds
 * its plan, which `runPlan` repeats and `shrinkPlan` shortens. Error: TypeError for no seeds, of which none
 * would fail, and for an application or options that cannot be run.
 *
 * @example
 * const failures = await simulate(application, { seeds: 200 })
 * expect(failures.map(({ failure }) => failure)).toEqual([])
 */
export async function simulate(
  application: Application,
  options: SimulateOptions = {},
): Promise<readonly RunResult[]> {
  assertOptions('simulate', options, ['firstSeed', 'seeds', 'onRun', 'stepsMax', 'profile'])
  const { firstSeed = 1, seeds = 100, onRun = () => {}, ...drawing } = options
  if (!Number.isSafeInteger(firstSeed)) {
    throw new TypeError(`firstSeed is a whole number, not ${firstSeed}`)
  }
  if (!(Number.isSafeInteger(seeds) && seeds >= 1)) {
    throw new TypeError(`seeds is a whole number from 1, not ${seeds}`)
  }
  const last = firstSeed + seeds - 1
  const failures: RunResult[] = []
  for (let seed = firstSeed; seed <= last; seed++) {
    const result = await runPlan(drawPlan(seed, application, drawing), application)
    await onRun(result)
    if (result.failure !== undefined) failures.push(result)
  }
  return failures
}
