/** A long random workload, crashed at random operations, several times in a row, by kill or power loss. */
import { Random } from '../random.ts'
import { SimulatedDisk } from '../simulated-disk.ts'
import { tinySettings, Workload } from '../store-workload.test-kit.ts'
import { openTreeStore } from '../tree-store.ts'
import { expectPromiseKept } from './promise.test-kit.ts'

export interface LongRunBudget {
  readonly transactions: number
  /** Runs of the workload, each ended by a crash. */
  readonly runs: number
}

/** Everything follows from the seed. A failure names the command that repeats it. */
export async function crashLongRuns(seed: number, budget: LongRunBudget): Promise<void> {
  const chance = new Random(seed)
  const isAsynchronous = chance.chance(0.5)
  const whole = await runUntil(seed, undefined, budget.transactions, isAsynchronous)
  for (let i = 0; i < budget.runs; i++) {
    const crashAt = 1 + chance.below(whole.mount.operations)
    const run = await runUntil(seed, crashAt, budget.transactions, isAsynchronous)
    const label = `seed ${seed}, run ${i}, crash at operation ${crashAt}`
    await recoverWithCrashes(run, chance, label)
  }
}

async function runUntil(
  seed: number,
  crashAt: number | undefined,
  transactions: number,
  isAsynchronous: boolean,
) {
  const random = new Random(seed)
  const disk = new SimulatedDisk(new Random(seed * 7919 + (crashAt ?? 0)))
  const mount = disk.mount({ isAsynchronous, ...(crashAt === undefined ? {} : { crashAt }) })
  const workload = new Workload(random)
  try {
    const store = await openTreeStore(mount, tinySettings(random))
    await workload.run(store, transactions)
    await store.close()
  } catch (error) {
    if (!mount.isCrashed) throw error
  }
  return { disk, mount, workload }
}

async function recoverWithCrashes(
  { disk, workload }: Awaited<ReturnType<typeof runUntil>>,
  chance: Random,
  label: string,
): Promise<void> {
  let { acknowledged } = workload
  const { states } = workload
  let what = label
  for (let crashes = chance.below(4); ; crashes--) {
    if (chance.chance(0.7)) {
      disk.losePower()
      what += ', power lost'
    }
    await expectPromiseKept(disk.image(), { states, acknowledged }, tinySettings(chance), what)
    if (crashes === 0) return
    const mount = disk.mount({ crashAt: 1 + chance.below(60) })
    try {
      const store = await openTreeStore(mount, tinySettings(chance))
      // What was recovered may have been read by someone.
      acknowledged = store.recovery.lastLsn
      await store.close()
    } catch (error) {
      if (!mount.isCrashed) throw new Error(`${what}: ${error}`, { cause: error })
    }
    what += `, opened, crash at operation ${mount.operations}`
  }
}
