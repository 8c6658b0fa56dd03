/** Draws a plan from a seed. */
import { assertOptions } from '@entidb/core'
import type { Random } from '@entidb/core/conformance'
import type { Application } from '../application/application.ts'
import { versionsOf } from '../application/versions.ts'
import { between, pick, randomFor } from '../kernel/random-streams.ts'
import { drawTrouble, type Mix, withTimeToForget } from './mix.ts'
import { deviceName, type Plan, type Step, type WorldConfig } from './plan.ts'
import { EMPHASES, PLAN_PROFILES, type PlanProfile } from './profiles.ts'

/** What may happen, and how much of it. */
export interface DrawOptions {
  /** Steps of the longest runs. Default 60. */
  readonly stepsMax?: number
  /** What they are heavy in. Default `ordinary`: a little of everything. */
  readonly profile?: PlanProfile
}

const STEPS_MAX = 60
const DAY_MS = 24 * 3_600_000

/**
 * The plan of a seed: the same for the same application and options. Error: TypeError for an application or options that
 * cannot be run.
 */
export function drawPlan(seed: number, application: Application, options: DrawOptions = {}): Plan {
  assertOptions('drawPlan', options, ['stepsMax', 'profile'])
  const { stepsMax = STEPS_MAX, profile = 'ordinary' } = options
  if (!(Number.isSafeInteger(stepsMax) && stepsMax >= 1)) {
    throw new TypeError(`stepsMax is a whole number from 1, not ${stepsMax}`)
  }
  if (!PLAN_PROFILES.includes(profile)) {
    throw new TypeError(`There is no profile ${profile}; there are ${PLAN_PROFILES.join(', ')}`)
  }
  versionsOf(application)
  const random = randomFor(seed, 'plan')
  // Another stream: the ordinary plan of a seed is drawn from the first alone.
  const ofProfile = randomFor(seed, 'plan', profile)
  const emphasis = EMPHASES[profile]
  const config = emphasis.config(
    ofProfile,
    drawConfig(random, randomFor(seed, 'conflict bytes'), application),
  )
  const mix = emphasis.mix(ofProfile, drawMix(random, config))
  const steps = drawSteps(random, { config, mix, application, stepsMax })
  return { seed, config, steps: withLateUpgrades(randomFor(seed, 'upgrades'), steps, config) }
}

/**
 * Often a device is upgraded so early that nothing is in conflict yet: in some runs all that are upgraded at all are
 * upgraded late.
 */
function withLateUpgrades(
  random: Random,
  steps: readonly Step[],
  { devices }: WorldConfig,
): readonly Step[] {
  const upgrades = steps.filter(({ kind }) => kind === 'upgrade')
  const { atMs: lastMs = 0 } = steps.at(-1) ?? {}
  if (upgrades.length === 0 || !random.chance(0.8)) return steps
  const late = Array.from({ length: devices }, (_, i): Step => {
    const atMs = Math.floor(lastMs * (0.4 + 0.6 * random.next()))
    return { atMs, kind: 'upgrade', device: deviceName(i), forMs: random.below(3_000) }
  })
  const others = steps.filter(({ kind }) => kind !== 'upgrade')
  return [...others, ...late].sort((a, b) => a.atMs - b.atMs)
}

function drawConfig(random: Random, conflictBytes: Random, application: Application): WorldConfig {
  const devices = pick(random, [2, 2, 2, 3, 3, 4])
  const names = Object.keys(application.resolvers)
  const retentionMs = random.chance(0.4) ? pick(random, [1_000, 5_000, 30_000]) : 90 * DAY_MS
  const isSlow = random.chance(0.3)
  return {
    devices,
    versions: drawVersions(random, devices, application),
    resolvers: Array.from({ length: devices }, () => pick(random, names)),
    latencyMs: isSlow ? [20, 2_000] : [5, 150],
    flushMs: random.chance(0.3) ? [1, 60] : [1, 6],
    faultRate: pick(random, [0, 0, 0.05, 0.15, 0.3]),
    maxOpsPerPush: pick(random, [2, 3, 5, 20, 1_000]),
    maxPullOps: pick(random, [1, 2, 3, 10, 1_000]),
    // Mostly more than there is.
    maxConflictBytes: conflictBytes.chance(0.2) ? pick(conflictBytes, [1, 60, 150]) : 1_000_000,
    retentionMs,
    pollIntervalMs: pick(random, retentionMs < DAY_MS ? [3_000] : [3_000, 20_000, 60_000]),
    stream: random.chance(0.7),
    tokenLifeMs: pick(random, [20_000, 3_600_000, 3_600_000]),
  }
}

/** Often all run the same version. */
function drawVersions(
  random: Random,
  devices: number,
  { later = [] }: Application,
): readonly number[] {
  const newest = later.length + 1
  const first = random.chance(0.1) ? newest : 1
  const isMixed = random.chance(0.5)
  return Array.from({ length: devices }, () => (isMixed ? between(random, 1, newest) : first))
}

function drawMix(random: Random, { retentionMs }: WorldConfig): Mix {
  const mix = drawTrouble(random)
  return retentionMs < DAY_MS ? withTimeToForget(mix) : mix
}

interface RunParts {
  readonly config: WorldConfig
  readonly mix: Mix
  readonly application: Application
  readonly stepsMax: number
}

function drawSteps(
  random: Random,
  { config, mix, application, stepsMax }: RunParts,
): readonly Step[] {
  const actions = weighted(random, application)
  const count = between(random, Math.ceil(stepsMax / 6), stepsMax)
  // Now and then everything at once, now and then with pauses.
  const gapMs = pick(random, config.retentionMs < DAY_MS ? [400, 2_500] : [40, 400, 2_500])
  const steps: Step[] = []
  let atMs = 0
  for (let i = 0; i < count; i++) {
    atMs += random.chance(0.2) ? 0 : random.below(gapMs)
    if (random.chance(mix.absences)) steps.push(...drawAbsence(random, atMs, config, mix))
    else steps.push(drawStep(random, { atMs, config, mix, actions }))
  }
  return steps.sort((a, b) => a.atMs - b.atMs)
}

interface StepParts {
  readonly atMs: number
  readonly config: WorldConfig
  readonly mix: Mix
  readonly actions: readonly string[]
}

function drawStep(random: Random, { atMs, config, mix, actions }: StepParts): Step {
  const device = deviceName(random.below(config.devices))
  const of = random.chance(mix.ofServer) ? 'server' : device
  const dice = random.below(2 ** 31)
  let chance = random.next()
  const falls = (part: number): boolean => {
    chance -= part
    return chance < 0
  }
  if (falls(mix.crashes)) return drawCrash(random, atMs, of)
  if (falls(mix.partitions)) {
    if (random.chance(0.3)) return { atMs, kind: 'cutStream', device }
    return { atMs, kind: 'partition', device, forMs: random.below(20_000) }
  }
  if (falls(mix.clocks)) return { atMs, kind: 'clock', of, offsetMs: drawOffset(random) }
  if (falls(mix.backups)) {
    if (random.chance(mix.copies)) return { atMs, kind: 'backup', of }
    return { atMs, kind: 'restore', of, forMs: random.below(3_000) }
  }
  if (falls(mix.upgrades)) {
    return { atMs, kind: 'upgrade', device, forMs: random.below(3_000) }
  }
  if (falls(mix.maintenance)) {
    if (random.chance(0.3)) return { atMs, kind: 'sleep', forMs: drawSleep(random, config) }
    return { atMs, kind: 'maintain' }
  }
  if (falls(mix.clones)) {
    const from = deviceName(random.below(config.devices))
    if (from !== device) return { atMs, kind: 'clone', device, from, forMs: random.below(3_000) }
  }
  if (falls(mix.syncs)) return { atMs, kind: 'sync', device }
  if (falls(mix.decisions)) {
    if (random.chance(0.3)) return { atMs, kind: 'discard', device }
    return { atMs, kind: 'decide', device, dice }
  }
  return { atMs, kind: 'act', device, action: pick(random, actions), dice }
}

/** A device is away while the others go on, days go by, and the server clears away what nobody waits for. */
function drawAbsence(
  random: Random,
  atMs: number,
  config: WorldConfig,
  { restoresInAbsences }: Mix,
): readonly Step[] {
  const device = deviceName(random.below(config.devices))
  const forMs = between(random, 5_000, 30_000)
  const leaves: Step = random.chance(0.7)
    ? { atMs, kind: 'partition', device, forMs }
    : { atMs, kind: 'crash', of: device, power: false, inOperations: 0, forMs }
  const untilMs = Math.floor(random.next() * forMs)
  // Asked in this order, it takes nothing from the stream of plans without such.
  const isRestored = restoresInAbsences > 0 && random.chance(restoresInAbsences)
  // Soon, so that there is time for what is deleted, and forgotten, after that.
  const restores: readonly Step[] = isRestored
    ? [{ atMs: atMs + random.below(2_000), kind: 'restore', of: 'server', forMs: 500 }]
    : []
  return [
    leaves,
    ...restores,
    { atMs: atMs + untilMs, kind: 'sleep', forMs: drawSleep(random, config) },
    { atMs: atMs + untilMs + random.below(forMs - untilMs), kind: 'maintain' },
  ]
}

/** Longer than deletes are remembered, or than compaction waits for a device. */
function drawSleep(random: Random, { retentionMs }: WorldConfig): number {
  return pick(random, [Math.ceil(1.5 * retentionMs), 2 * DAY_MS, 100 * DAY_MS])
}

function drawCrash(random: Random, atMs: number, of: string): Step {
  return {
    atMs,
    kind: 'crash',
    of,
    power: random.chance(0.5),
    inOperations: random.chance(0.4) ? 0 : between(random, 1, 60),
    forMs: random.below(random.chance(0.5) ? 500 : 20_000),
  }
}

const YEAR_MS = 365 * DAY_MS

function drawOffset(random: Random): number {
  return pick(random, [0, 5_000, -5_000, YEAR_MS, -YEAR_MS])
}

/** Every action as often as it weighs; in each world some weigh more. */
function weighted(random: Random, { actions, later = [] }: Application): readonly string[] {
  const all: Application['actions'] = Object.assign(
    {},
    ...later.map((each) => each.actions),
    actions,
  )
  const names = Object.entries(all).flatMap(([name, { weight = 1 }]) =>
    Array.from({ length: weight * pick(random, [1, 1, 1, 4]) }, () => name),
  )
  if (names.length === 0) throw new TypeError('actions names none that ever happens')
  return names
}
