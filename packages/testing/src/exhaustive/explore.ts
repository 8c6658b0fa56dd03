/** Every interleaving of a small scope, one run each. */
import { assertOptions } from '@entidb/core'
import type { Application } from '../application/application.ts'
import type { SmallScope } from './small-scope.ts'
import { type Trial, type TryOptions, tryChoices } from './try-choices.ts'

/** What came of it. */
export interface Exploration {
  /** Those that were left early are counted too. */
  readonly runs: number
  /** Nothing was left out. */
  readonly isComplete: boolean
  /** The first run that failed, with the choices that repeat it. */
  readonly failure: (Trial & { readonly failure: Error }) | undefined
}

/** Bounds. */
export interface ExploreOptions extends TryOptions {
  /** Most runs. Default: all there are. */
  readonly runsMax?: number
  /** Only those that begin with these choices. */
  readonly from?: readonly number[]
  /** Is told of each run. */
  readonly onRun?: (trial: Trial) => void
}

/**
 * Tries every order in which the requests of the devices can reach the server, every place for each device's edit,
 * and with `faultsMax` also a lost answer, a device and a server that lose power, everywhere. Of runs that differ only by the
 * order of what commutes, one is brought to its end. Ends with the first failure. Error: TypeError for a scope, an application or options that cannot be run.
 */
export async function explore(
  scope: SmallScope,
  application: Application,
  options: ExploreOptions = {},
): Promise<Exploration> {
  assertOptions('explore', options, ['runsMax', 'from', 'onRun', 'isReduced'])
  const { runsMax = Number.POSITIVE_INFINITY, from = [], onRun, ...trying } = options
  const waiting = [from]
  let runs = 0
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (runs === runsMax) return { runs, isComplete: false, failure: undefined }
    const trial = await tryChoices(scope, application, next, trying)
    runs++
    onRun?.(trial)
    const { failure } = trial
    if (failure !== undefined) return { runs, isComplete: false, failure: { ...trial, failure } }
    waiting.push(...trial.branches)
  }
  return { runs, isComplete: true, failure: undefined }
}
