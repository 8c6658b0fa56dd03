/**
 * The promise of the store: acknowledged commits are a subset of the recovered ones, these are a
 * prefix of the commits in order, and each is whole. Random workloads; `proof/crash-everywhere.test.ts`
 * has small ones and every outcome of a power loss. A failure prints its seed and how to repeat it.
 */
import { describe, expect, test } from 'vitest'
import { DATA_FILE } from './format.ts'
import { crashLongRuns } from './proof/long-run.test-kit.ts'
import { Random } from './random.ts'
import { SimulatedDisk } from './simulated-disk.ts'
import { SimulatedCrash } from './simulated-mount.ts'
import { assertSameState, assertSpaceAccounted, readState } from './store-check.test-kit.ts'
import { tinySettings, Workload } from './store-workload.test-kit.ts'
import { openTreeStore } from './tree-store.ts'

const SEEDS = (process.env.ENTIDB_SEEDS ?? '1,2').split(',').map(Number)
const TRANSACTIONS = 30
const FILE = 'packages/core/src/store/crash.test.ts'

const replayOf = (seed: number): string => `replay: ENTIDB_SEEDS=${seed} npx vitest run ${FILE}`

interface Run {
  readonly disk: SimulatedDisk
  readonly random: Random
  readonly workload: Workload
  readonly operations: number
  readonly checkpoints: number
  /** It died in a flush of the data file: what was written before can be read, but is not durable. */
  readonly diedInDataFlush: boolean
}

/** Runs the workload on an empty disk until it ends or dies at operation `crashAt`. */
async function runUntil(seed: number, crashAt: number, isAsynchronous: boolean): Promise<Run> {
  const random = new Random(seed)
  const disk = new SimulatedDisk(new Random(seed * 7919 + crashAt))
  const mount = disk.mount({ crashAt, isAsynchronous })
  const workload = new Workload(random)
  let checkpoints = 0
  try {
    const store = await openTreeStore(mount, tinySettings(random))
    await workload.run(store, TRANSACTIONS)
    checkpoints = store.stats().checkpoints
    await store.close()
  } catch (error) {
    if (!mount.isCrashed) throw error
  }
  const { operations, last, isCrashed } = mount
  const diedInDataFlush = isCrashed && last[0] === 'flush' && last[1] === DATA_FILE
  return { disk, random, workload, operations, checkpoints, diedInDataFlush }
}

/** Opens what is left, compares, closes, and checks the files whole. */
async function expectPromiseKept({ disk, random, workload }: Run, label: string): Promise<void> {
  const mount = disk.mount()
  const store = await openTreeStore(mount, tinySettings(random)).catch((error) => {
    throw new Error(`${label}: cannot be opened: ${error.message}`, { cause: error })
  })
  const { lastLsn } = store.recovery
  expect(lastLsn, `${label}: acknowledged`).toBeGreaterThanOrEqual(workload.acknowledged)
  expect(lastLsn, `${label}: issued`).toBeLessThanOrEqual(workload.issued)
  const snapshot = store.snapshot()
  assertSameState(await readState(snapshot), workload.states[lastLsn], label)
  snapshot.release()
  await store.close()
  await assertSpaceAccounted(mount)
}

/** Opens and closes, dying at operation `crashAt` if it comes that far. */
async function dieInRecovery({ disk, random }: Run, crashAt: number): Promise<void> {
  const mount = disk.mount({ crashAt })
  try {
    const store = await openTreeStore(mount, tinySettings(random))
    await store.close()
  } catch (error) {
    if (!mount.isCrashed) throw error
  }
}

describe.each(SEEDS)('crash, seed %i', (seed) => {
  test('store: no crash -> every commit is there, and checkpoints happened', async () => {
    const run = await runUntil(seed, 0, false)
    expect(run.workload.acknowledged).toBe(TRANSACTIONS)
    expect(run.checkpoints).toBeGreaterThan(0)
    await expectPromiseKept(run, replayOf(seed))
  })

  test.each([
    ['a file system that answers at once', false],
    ['a file system that answers later', true],
  ])(
    'store: power lost at each operation, on %s -> a prefix with all acknowledged',
    async (_, isAsynchronous) => {
      const { operations } = await runUntil(seed, 0, isAsynchronous)
      for (let crashAt = 1; crashAt <= operations; crashAt++) {
        const run = await runUntil(seed, crashAt, isAsynchronous)
        run.disk.losePower()
        await expectPromiseKept(run, `power lost at ${crashAt}; ${replayOf(seed)}`)
      }
    },
  )

  test('store: killed at each operation, then power lost -> a prefix with all acknowledged', async () => {
    const { operations } = await runUntil(seed, 0, false)
    for (let crashAt = 1; crashAt <= operations; crashAt += 3) {
      const run = await runUntil(seed, crashAt, false)
      await expectPromiseKept(run, `killed at ${crashAt}; ${replayOf(seed)}`)
      run.disk.losePower()
      await expectPromiseKept(run, `killed at ${crashAt}, then power lost; ${replayOf(seed)}`)
    }
  })

  test('recovery: dies anywhere after a crash anywhere, by kill or power loss -> same promise', async () => {
    const chance = new Random(seed)
    const { operations } = await runUntil(seed, 0, false)
    for (let crashAt = 1; crashAt <= operations; crashAt++) {
      let attempts = 1
      for (let attempt = 0; attempt < attempts; attempt++) {
        const run = await runUntil(seed, crashAt, false)
        // Where recovery meets what is not durable, more often.
        if (run.diedInDataFlush) attempts = 25
        if (chance.chance(0.3)) run.disk.losePower()
        const inRecovery = 1 + chance.below(50)
        await dieInRecovery(run, inRecovery)
        if (chance.chance(0.8)) run.disk.losePower()
        await expectPromiseKept(
          run,
          `crash at ${crashAt}, in recovery at ${inRecovery}; ${replayOf(seed)}`,
        )
      }
    }
  })
})

test.each(SEEDS.map((seed) => seed + 1000))(
  'store: a long workload, seed %i, crashed by chance, and again while recovering -> the same promise',
  async (seed) => {
    try {
      await crashLongRuns(seed, { transactions: 300, runs: 50 })
    } catch (error) {
      throw new Error(`${error}\n${replayOf(seed - 1000)}`, { cause: error })
    }
  },
)

test('simulated disk: crashed -> refuses everything', async () => {
  const mount = new SimulatedDisk(new Random(1)).mount({ crashAt: 1 })
  await expect(mount.list()).rejects.toThrow(SimulatedCrash)
  await expect(mount.flushDirectory()).rejects.toThrow(SimulatedCrash)
})
