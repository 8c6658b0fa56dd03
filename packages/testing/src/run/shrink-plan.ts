/**
 * Shortens a plan that fails: leaves out steps and faults as long as it still fails. What is left out changes
 * nothing about the rest: every step and every message has chance of its own.
 */
import { assertOptions } from '@entidb/core'
import type { Application } from '../application/application.ts'
import type { Plan } from '../plan/plan.ts'
import { type RunResult, runPlan } from './run-plan.ts'

/** How far to go. */
export interface ShrinkOptions {
  /** Most runs. Default 400. */
  readonly runsMax?: number
  /** Whether it is still the failure that is looked for. Default: any. */
  readonly isSame?: (failure: Error) => boolean
  /** Told of each run. */
  readonly onRun?: (runs: number, best: Plan) => void
}

/**
 * The shortest failing run that was found; that of the plan itself when it does not fail. A plan that failed before and does
 * not now is of an application that takes something from elsewhere than its context, or was changed since.
 */
export async function shrinkPlan(
  plan: Plan,
  application: Application,
  options: ShrinkOptions = {},
): Promise<RunResult> {
  assertOptions('shrinkPlan', options, ['runsMax', 'isSame', 'onRun'])
  const { runsMax = 400, isSame = () => true, onRun = () => {} } = options
  let best = await runPlan(plan, application)
  let runs = 1
  const fails = async (candidate: Plan): Promise<boolean> => {
    if (runs >= runsMax) return false
    runs++
    const result = await runPlan(candidate, application)
    const { failure } = result
    const isBetter = failure !== undefined && isSame(failure)
    if (isBetter) best = result
    onRun(runs, best.plan)
    return isBetter
  }
  if (best.failure === undefined || !isSame(best.failure)) return best
  for (let before = -1; before !== sizeOf(best.plan) && runs < runsMax; ) {
    before = sizeOf(best.plan)
    await shorten(best.plan.steps, (steps) => fails({ ...best.plan, steps }))
    await shorten(best.plan.faults ?? [], (faults) => fails({ ...best.plan, faults }))
  }
  return best
}

function sizeOf({ steps, faults = [] }: Plan): number {
  return steps.length + faults.length
}

/** Leaves out ever smaller parts of the list, as long as `accepts` what is left. */
async function shorten<T>(
  list: readonly T[],
  accepts: (shorter: readonly T[]) => Promise<boolean>,
): Promise<void> {
  let present = list
  for (
    let size = Math.ceil(present.length / 2);
    size >= 1;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    for (let start = 0; start < present.length; ) {
      const shorter = [...present.slice(0, start), ...present.slice(start + size)]
      if (await accepts(shorter)) present = shorter
      else start += size
    }
  }
}
