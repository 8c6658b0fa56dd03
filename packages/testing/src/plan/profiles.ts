/**
 * What a plan may be heavy in. An ordinary one has a little of everything: what takes three restores to go wrong is not
 * found by a plan that has one.
 */
import type { Random } from '@entidb/core/conformance'
import { between, pick } from '../kernel/random-streams.ts'
import type { Mix } from './mix.ts'
import type { WorldConfig } from './plan.ts'

/** Names of profiles; `docs/simulator.md` tells what each is. */
export const PLAN_PROFILES = ['ordinary', 'restores', 'absences', 'crashes'] as const

/** What the plans of a run are heavy in. */
export type PlanProfile = (typeof PLAN_PROFILES)[number]

/** What a profile makes of what was drawn. */
interface Emphasis {
  config(random: Random, config: WorldConfig): WorldConfig
  mix(random: Random, mix: Mix): Mix
}

export const EMPHASES: Readonly<Record<PlanProfile, Emphasis>> = {
  ordinary: { config: (_, config) => config, mix: (_, mix) => mix },
  restores: {
    config: (random, config) => (random.chance(0.5) ? forgetful(random, config) : config),
    mix: (random, mix) => ({
      ...mix,
      backups: pick(random, [0.08, 0.15, 0.3]),
      copies: pick(random, [0.3, 0.5, 0.6]),
      clones: random.chance(0.7) ? 0 : 0.05,
      absences: Math.max(mix.absences, random.chance(0.5) ? 0.08 : 0),
      restoresInAbsences: 0.7,
      ofServer: pick(random, [0.2, 0.5, 0.8, 1]),
    }),
  },
  absences: {
    config: forgetful,
    mix: (random, mix) => ({
      ...mix,
      absences: 0.08 + 0.12 * random.next(),
      maintenance: 0.15,
      // A copy from before is an absence, too.
      backups: random.chance(0.5) ? 0 : 0.06,
      ofServer: pick(random, [0, 0.2, 0.5]),
    }),
  },
  crashes: {
    config: (random, config) => ({ ...config, faultRate: pick(random, [0.05, 0.15, 0.3, 0.5]) }),
    mix: (random, mix) => ({
      ...mix,
      crashes: between(random, 20, 45) / 100,
      ofServer: pick(random, [0.2, 0.5, 0.8]),
    }),
  },
}

/** The server forgets soon, and devices ask it often enough to notice. */
function forgetful(random: Random, config: WorldConfig): WorldConfig {
  return { ...config, retentionMs: pick(random, [1_000, 5_000, 30_000]), pollIntervalMs: 3_000 }
}
