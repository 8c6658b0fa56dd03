/**
 * A script cut short at every operation, the power lost in every way that is thought of, and now and
 * then once more while recovering from it.
 */
import type { Files } from '../format-reader/read-store.test-kit.ts'
import type { Durability } from '../key-value-store.ts'
import { Random } from '../random.ts'
import { diskWith, type SimulatedDisk } from '../simulated-disk.ts'
import { hex, type State } from '../store-check.test-kit.ts'
import { bytesOf, write } from '../store-conformance-support.ts'
import { openTreeStore } from '../tree-store.ts'
import { powerLosses } from './power-losses.test-kit.ts'
import { expectPromiseKept, type Promised, Verified } from './promise.test-kit.ts'
import { at, withReplay } from './replay.test-kit.ts'
import { type Script, ScriptedRun } from './scripted-run.test-kit.ts'
import { smallSettings } from './small-files.test-kit.ts'

export interface CrashBudget {
  readonly durability: Durability
  readonly isAsynchronous: boolean
  /** Power losses by chance beside the systematic ones, for each operation. */
  readonly samples: number
  /**
   * Of so many different outcomes, one is recovered with a crash at every operation of recovery. For a
   * process that died while the data file or the directory was being flushed it is always done, at one
   * operation in `sameBootStride`: the next process reads what is not durable.
   */
  readonly recoveryStride: number
  readonly sameBootStride: number
  /** Repeats it, with the number of the operation before it. */
  readonly command: string
  /** Only the crash at this operation. */
  readonly only?: number
}

const NOT_YET_DURABLE = ['flush data.entidb', 'flushDirectory']

export interface CrashTally {
  crashes: number
  outcomes: number
  crashesInRecovery: number
}

export async function crashEverywhere(
  name: string,
  script: Script,
  budget: CrashBudget,
): Promise<CrashTally> {
  const tally: CrashTally = { crashes: 0, outcomes: 0, crashesInRecovery: 0 }
  const verified = new Verified()
  for (const crashAt of at(budget.only)) {
    const hasCrashed = await withReplay(crashAt, budget.command, async () => {
      const rerun = (): Promise<ScriptedRun> => runUntil(script, crashAt, budget)
      const label = `${name}, crash at operation ${crashAt}`
      return verifyOutcomes(rerun, label, budget, verified, tally)
    })
    if (!hasCrashed) break
    tally.crashes++
  }
  return tally
}

/** Runs until the script ends or dies at operation `crashAt`. */
async function runUntil(
  script: Script,
  crashAt: number,
  { durability, isAsynchronous }: CrashBudget,
): Promise<ScriptedRun> {
  const settings = { ...smallSettings(1), durability }
  const run = new ScriptedRun(crashAt, settings, { crashAt, isAsynchronous })
  try {
    await script(run)
  } catch (error) {
    if (!run.mount.isCrashed) throw error
  }
  return run
}

/** What a killed process leaves, then what a power loss may leave. False when it ran to its end. */
async function verifyOutcomes(
  rerun: () => Promise<ScriptedRun>,
  where: string,
  { samples, recoveryStride, sameBootStride }: CrashBudget,
  verified: Verified,
  tally: CrashTally,
): Promise<boolean> {
  const run = await rerun()
  const random = new Random(run.mount.operations)
  const label = `${where} (${run.mount.last.join(' ')})`
  const verify = async (
    files: Files,
    promised: Promised,
    what: string,
    disk: () => Promise<SimulatedDisk>,
  ): Promise<void> => {
    if (!verified.isNews(files, promised)) return
    tally.outcomes++
    await expectPromiseKept(files, promised, smallSettings(2), what)
    if (tally.outcomes % recoveryStride === 0) {
      tally.crashesInRecovery += await crashInRecovery(disk, run, random, what, 1, verified)
    }
  }
  const killed = { states: run.states, acknowledged: run.resolved }
  const sameBoot = async (): Promise<SimulatedDisk> => (await rerun()).disk
  await verify(run.disk.image(), killed, `${label}, killed`, sameBoot)
  if (NOT_YET_DURABLE.includes(run.mount.last.join(' ').trim())) {
    const what = `${label}, killed`
    const stride = sameBootStride
    tally.crashesInRecovery += await crashInRecovery(sameBoot, run, random, what, stride, verified)
  }
  let losses = 0
  for (const files of powerLosses(run.disk, random, samples)) {
    losses++
    const disk = async (): Promise<SimulatedDisk> => diskWith(new Random(losses), files)
    await verify(files, run, `${label}, power loss ${losses}`, disk)
  }
  return run.mount.isCrashed
}

/**
 * Dies at each operation of opening, a commit and closing, or at one in `stride`: what opening puts off is
 * done by the first commit. The answer is how often.
 */
async function crashInRecovery(
  diskAfterCrash: () => Promise<SimulatedDisk>,
  promised: Promised,
  random: Random,
  label: string,
  stride: number,
  verified: Verified,
): Promise<number> {
  let crashes = 0
  for (let crashAt = 1 + random.below(stride); ; crashAt += stride) {
    const disk = await diskAfterCrash()
    const mount = disk.mount({ crashAt })
    let { states, acknowledged } = promised
    try {
      const store = await openTreeStore(mount, smallSettings(3))
      // What was recovered may have been read by someone.
      acknowledged = store.recovery.lastLsn
      states = [...states.slice(0, acknowledged + 1), withEntry(states[acknowledged])]
      await write(store, (tx) => tx.put(ENTRY.table, bytesOf(ENTRY.key), bytesOf(ENTRY.value)))
      acknowledged++
      await store.close()
    } catch (error) {
      if (!mount.isCrashed) throw new Error(`${label}: ${error}`, { cause: error })
    }
    const again = { states, acknowledged }
    const where = `${label}, crash at operation ${crashAt} of recovery (${mount.last.join(' ')})`
    for (const left of [disk.image(), ...powerLosses(disk, random, 1)]) {
      if (!verified.isNews(left, again)) continue
      await expectPromiseKept(left, again, smallSettings(4), where)
    }
    if (!mount.isCrashed) return crashes
    crashes++
  }
}

const ENTRY = { table: 'recovered', key: 'key', value: 'value' }

function withEntry(state: State | undefined): State {
  const { table, key, value } = ENTRY
  return new Map(state).set(table, new Map([[hex(bytesOf(key)), hex(bytesOf(value))]]))
}
