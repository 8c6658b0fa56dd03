/** One run of a small scope, from the beginning to rest. */
import type { Application } from '../application/application.ts'
import { settle } from '../kernel/virtual-time.ts'
import { comeToRest } from '../run/come-to-rest.ts'
import { assertAllWell } from '../run/final-checks.ts'
import { World } from '../world/world.ts'
import { Choices } from './choices.ts'
import { outcomeOf } from './outcome.ts'
import { beginQuietly } from './quiet-world.ts'
import { ScopeRun } from './scope-run.ts'
import { assertScope, planOf, type SmallScope } from './small-scope.ts'

/** What came of one run. */
export interface Trial {
  /** All that were made: with them the run is repeated. */
  readonly choices: readonly number[]
  /** First choices of the runs that turn off this one behind those it was given. */
  readonly branches: readonly (readonly number[])[]
  /** A guess which part of all runs this one is. Those of all runs add up to 1. */
  readonly share: number
  /** All that the server took, and what became of every edit; undefined: the run did not come to its end. */
  readonly outcome: string | undefined
  /** Why it failed; undefined: it did not. */
  readonly failure: Error | undefined
  /** A line for each event. */
  readonly log: readonly string[]
}

/** How a run is made. */
export interface TryOptions {
  /** Default true: it is left as soon as another one is the same but for the order of what commutes. */
  readonly isReduced?: boolean
}

/**
 * Runs a scope with these choices, and behind them with the first option of each. What goes wrong is the result's
 * `failure`. Error: TypeError for an application, or a scope, that cannot be run.
 */
export function tryChoices(
  scope: SmallScope,
  application: Application,
  choices: readonly number[],
  options: TryOptions = {},
): Promise<Trial> {
  return runWith(scope, application, new Choices(choices), options)
}

/** @internal */
export async function runWith(
  scope: SmallScope,
  application: Application,
  choices: Choices,
  { isReduced = true }: TryOptions = {},
): Promise<Trial> {
  assertScope(scope)
  const world = new World(planOf(scope), application)
  let outcome: string | undefined
  let failure: Error | undefined
  try {
    await beginQuietly(world)
    if (await new ScopeRun(world, scope, choices, isReduced).run()) {
      outcome = await endOf(world)
    }
  } catch (thrown) {
    failure = thrown instanceof Error ? thrown : new Error(String(thrown))
  }
  const { taken, share } = choices
  const { lines: log } = world.log
  return { choices: taken, branches: choices.branches(), share, outcome, failure, log }
}

async function endOf(world: World): Promise<string> {
  world.isAutomatic = true
  for (const device of world.devices) device.startSync()
  await settle()
  await comeToRest(world)
  await assertAllWell(world)
  return outcomeOf(world)
}
