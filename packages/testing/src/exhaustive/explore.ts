/** Every interleaving of a small scope, one run each. */
import type { Application } from '../application/application.ts'
import type { World } from '../world/world.ts'
import { Choices } from './choices.ts'
import { runSmallScope, type SmallScope } from './small-scope-run.ts'

/** What came of it. */
export interface Exploration {
  readonly runs: number
  /** Nothing was left out. */
  readonly isComplete: boolean
  /** The first run that failed, with the choices that lead to it. */
  readonly failure:
    | {
        readonly error: Error
        readonly choices: readonly number[]
        readonly log: readonly string[]
      }
    | undefined
}

/** Bounds. */
export interface ExploreOptions {
  /** Most runs. Default: all there are. */
  readonly runsMax?: number
  /** Begins with these choices: repeats a run. */
  readonly from?: readonly number[]
}

/**
 * Tries every order in which the requests of the devices can reach the server, every place for each device's edit,
 * and with `faultsMax` also a lost answer, a device and a server that lose power, everywhere. Ends with the first failure.
 */
export async function explore(
  scope: SmallScope,
  application: Application,
  { runsMax = Number.POSITIVE_INFINITY, from = [] }: ExploreOptions = {},
): Promise<Exploration> {
  let runs = 0
  for (let prefix: readonly number[] | undefined = from; prefix !== undefined; runs++) {
    if (runs === runsMax) return { runs, isComplete: false, failure: undefined }
    const choices: Choices = new Choices(prefix)
    let world: World | undefined
    try {
      await runSmallScope(scope, application, choices, (each) => {
        world = each
      })
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown))
      return {
        runs: runs + 1,
        isComplete: false,
        failure: { error, choices: choices.taken, log: world?.log.lines ?? [] },
      }
    }
    prefix = choices.next()
  }
  return { runs, isComplete: true, failure: undefined }
}
