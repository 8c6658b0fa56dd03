/** Small scripts, a crash at every operation, every outcome that a power loss may have. */
import { describe, expect, test } from 'vitest'
import { crashEverywhere } from './crash-everywhere.test-kit.ts'
import { isReplay, replayed } from './replay.test-kit.ts'
import { scripts } from './scripts.test-kit.ts'

const FILE = 'packages/core/src/store/proof/crash-everywhere.test.ts'

/** `npm run soak` has time for every crash in recovery. */
const isSoak = process.env.ENTIDB_SOAK !== undefined
const budget = isSoak
  ? { samples: 10, recoveryStride: 1, sameBootStride: 1 }
  : { samples: 3, recoveryStride: 40, sameBootStride: 4 }

describe.each([
  ['strict, files that answer at once', 'strict', false],
  ['strict, files that answer later', 'strict', true],
  ['relaxed, files that answer at once', 'relaxed', false],
] as const)(
  'crash, %s',
  { timeout: isSoak ? 1_200_000 : 60_000 },
  (how, durability, isAsynchronous) => {
    test.each(Object.entries(scripts))(
      'script %s: at every operation, and in recovery -> a prefix with all acknowledged',
      async (name, script) => {
        const tally = await crashEverywhere(name, script, {
          durability,
          isAsynchronous,
          ...budget,
          command: `npx vitest run ${FILE} -t '${how} script ${name}'`,
          ...replayed(),
        })
        if (isReplay) return
        expect(tally.crashes).toBeGreaterThan(30)
        expect(tally.outcomes).toBeGreaterThan(30)
        expect(tally.crashesInRecovery).toBeGreaterThan(15)
      },
    )
  },
)
