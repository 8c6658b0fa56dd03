/** Runs a plan from the beginning to rest, and says what was wrong. */
import type { Application } from '../application/application.ts'
import { randomFor } from '../kernel/random-streams.ts'
import { settle } from '../kernel/virtual-time.ts'
import type { PlannedFault } from '../network/faults.ts'
import type { Plan } from '../plan/plan.ts'
import { World } from '../world/world.ts'
import { comeToRest } from './come-to-rest.ts'
import { assertAllWell } from './final-checks.ts'
import { StepRunner } from './step-runner.ts'

/** What became of a run. */
export interface RunResult {
  /** With the faults that were drawn: the same run again, wherever it is changed. */
  readonly plan: Plan
  /** Why it failed; undefined: it did not. */
  readonly failure: Error | undefined
  /** A line for each event, the same for the same plan. */
  readonly log: readonly string[]
  readonly events: number
  /** Virtual time that passed. */
  readonly virtualMs: number
  readonly faults: readonly PlannedFault[]
  /** How often it met what runs are meant to meet, by name: `cursorExpired`, `upgradedPending`... */
  readonly times: ReadonlyMap<string, number>
}

/** Longest time of the set-up. */
const SET_UP_MS_MAX = 600_000

/** What goes wrong is the result's `failure`. Error: TypeError for an application, or a plan, that cannot be run. */
export async function runPlan(plan: Plan, application: Application): Promise<RunResult> {
  const world = new World(plan, application)
  let failure: Error | undefined
  try {
    await setUp(world)
    await new StepRunner(world).run()
    await comeToRest(world)
    await assertAllWell(world)
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error))
    world.log.write('run', `fails: ${failure.message}`)
  }
  const { faults, log, time, tally } = world
  return {
    plan: { ...plan, faults: faults.drawn },
    failure,
    log: log.lines,
    events: time.events,
    virtualMs: time.nowMs,
    faults: faults.drawn,
    times: tally.times,
  }
}

/** The first device writes what the application begins with; nothing goes wrong meanwhile. */
async function setUp(world: World): Promise<void> {
  const { application, network, server, devices, time, log, oracle } = world
  network.healed = true
  server.boot()
  const [first, ...others] = devices
  if (first === undefined) throw new RangeError('a run needs a device')
  void first.boot().catch((error: unknown) => world.fail(error))
  await until(world, () => first.isReady)
  if (application.setUp !== undefined) {
    const run = application.setUp.bind(application)
    void first
      .act('setUp', { run }, randomFor(world.plan.seed, 'setUp'), 'setUp')
      .catch((error: unknown) => world.fail(error))
    await until(world, () => oracle.transactions.every(({ acknowledged }) => acknowledged))
    for (const transaction of oracle.transactions) transaction.isAtomic = false
  }
  await until(world, () => {
    const status = first.sync?.status
    return status?.phase === 'idle' && status.pending === 0 && status.lastSyncAt !== null
  })
  const [refused] = (await first.sync?.rejections.list()) ?? []
  if (refused !== undefined) throw new Error(`the server refuses what setUp wrote: ${refused.code}`)
  for (const device of others) void device.boot().catch((error: unknown) => world.fail(error))
  network.healed = false
  world.isSetUp = true
  log.write('run', `is set up after ${time.events} events`)
}

async function until(world: World, isDone: () => boolean): Promise<void> {
  // What was just begun has asked for its first event then.
  await settle()
  while (!isDone()) {
    const goesOn = await world.step(SET_UP_MS_MAX)
    if (!goesOn) throw new Error('the set-up does not end')
  }
}
