/** The simulator itself, and a modest number of seeds; `npm run sim` runs as many as one likes. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { tokenNotes } from './application/token-notes.ts'
import { OCCURRENCES } from './kernel/tally.ts'
import { drawPlan } from './plan/draw-plan.ts'
import { PLAN_PROFILES } from './plan/profiles.ts'
import { runPlan } from './run/run-plan.ts'

const application = tokenNotes({ notes: 4, accounts: 3, twins: 2 })
const FIRST_SEED = Number(process.env.SIM_SEED ?? 1)
const SEEDS = Number(process.env.SIM_SEEDS ?? 200)
/** Of each profile but the ordinary one. */
const PROFILE_SEEDS = 40

/** Nothing in a run may look at the host: each of these would make it another run the next time. */
function forbidden(what: string): () => never {
  return () => {
    throw new Error(`the simulation uses ${what}`)
  }
}

describe('simulation', () => {
  describe('on a host whose time and chance cannot be used', () => {
    beforeEach(() => {
      vi.spyOn(Math, 'random').mockImplementation(forbidden('Math.random'))
      vi.spyOn(Date, 'now').mockImplementation(forbidden('Date.now'))
      vi.spyOn(globalThis, 'setTimeout').mockImplementation(forbidden('setTimeout'))
      vi.spyOn(crypto, 'getRandomValues').mockImplementation(forbidden('crypto.getRandomValues'))
      vi.spyOn(crypto, 'randomUUID').mockImplementation(forbidden('crypto.randomUUID'))
    })
    afterEach(() => {
      vi.restoreAllMocks()
    })

    test('a seed: run twice, and with its faults listed -> the same events, byte for byte', {
      timeout: 120_000,
    }, async () => {
      for (let seed = 1; seed <= 6; seed++) {
        const first = await runPlan(drawPlan(seed, application), application)
        const second = await runPlan(drawPlan(seed, application), application)
        const listed = await runPlan(first.plan, application)
        expect(first.log.length).toBeGreaterThan(50)
        expect(second.log.join('\n')).toBe(first.log.join('\n'))
        expect(listed.log.join('\n')).toBe(first.log.join('\n'))
      }
    })
  })

  test(`${SEEDS} seeds: crashes, faults, conflicts, restores, purges, upgrades -> nothing lost, all copies equal`, {
    timeout: 60_000 + SEEDS * 2_000,
  }, async () => {
    const failures: string[] = []
    const met = new Set<string>()
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      const { failure, times } = await runPlan(drawPlan(seed, application), application)
      for (const what of times.keys()) met.add(what)
      if (failure !== undefined) failures.push(`npm run sim -- --seed ${seed}: ${failure.message}`)
    }
    expect(failures).toEqual([])
    // Else they would check nothing of it.
    expect([...met].sort()).toEqual([...OCCURRENCES].sort())
  })

  test('a device dies while what its application sees is read -> the run goes on', async () => {
    const plan = drawPlan(733, application, { profile: 'crashes' })
    expect((await runPlan(plan, application)).failure).toBeUndefined()
  })

  test.each(PLAN_PROFILES.filter((each) => each !== 'ordinary'))(
    `${PROFILE_SEEDS} seeds of plans heavy in %s -> nothing lost, all copies equal`,
    { timeout: 60_000 + PROFILE_SEEDS * 2_000 },
    async (profile) => {
      const failures: string[] = []
      for (let seed = FIRST_SEED; seed < FIRST_SEED + PROFILE_SEEDS; seed++) {
        const { failure } = await runPlan(drawPlan(seed, application, { profile }), application)
        const command = `npm run sim -- --profile ${profile} --seed ${seed}`
        if (failure !== undefined) failures.push(`${command}: ${failure.message}`)
      }
      expect(failures).toEqual([])
    },
  )
})
