/**
 * A script cut short at every operation, the power lost in every way that is thought of, and now and
 * then once more while recovering from it.
 */
import type { Files } from '../format-reader/read-store.test-kit.ts'
import type { Durability } from '../key-value-store.ts'
import { Random } from '../random.test-kit.ts'
import { diskWith } from '../simulated-disk.test-kit.ts'
import { openTreeStore } from '../tree-store.ts'
import { digestOf, powerLosses } from './power-losses.test-kit.ts'
import { expectPromiseKept, type Promised } from './promise.test-kit.ts'
import { at, withReplay } from './replay.test-kit.ts'
import { type Script, ScriptedRun } from './scripted-run.test-kit.ts'
import { smallSettings } from './small-files.test-kit.ts'

export interface CrashBudget {
  readonly durability: Durability
  readonly isAsynchronous: boolean
  /** Power losses by chance beside the systematic ones, for each operation. */
  readonly samples: number
  /** Of so many different outcomes, one is recovered with a crash at every operation of recovery. */
  readonly recoveryStride: number
  /** Repeats it, with the number of the operation before it. */
  readonly command: string
  /** Only the crash at this operation. */
  readonly only?: number
}

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
      const run = await runUntil(script, crashAt, budget)
      await verifyOutcomes(run, `${name}, crash at operation ${crashAt}`, budget, verified, tally)
      return run.mount.isCrashed
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

/** What a killed process leaves, then what a power loss may leave. */
async function verifyOutcomes(
  run: ScriptedRun,
  where: string,
  { samples, recoveryStride }: CrashBudget,
  verified: Verified,
  tally: CrashTally,
): Promise<void> {
  const random = new Random(run.mount.operations)
  const label = `${where} (${run.mount.last.join(' ')})`
  const { states, resolved } = run
  const outcomes: (readonly [Files, Promised, string])[] = [
    [run.disk.image(), { states, acknowledged: resolved }, `${label}, killed`],
  ]
  for (const files of powerLosses(run.disk, random, samples)) {
    outcomes.push([files, run, `${label}, power loss ${outcomes.length}`])
  }
  for (const [files, promised, what] of outcomes) {
    if (!verified.isNews(files, promised)) continue
    tally.outcomes++
    await expectPromiseKept(files, promised, smallSettings(2), what)
    if (tally.outcomes % recoveryStride !== 0) continue
    tally.crashesInRecovery += await crashInRecovery(files, promised, random, what)
  }
}

/** Dies at each operation of opening and closing. The answer is how often. */
async function crashInRecovery(
  files: Files,
  promised: Promised,
  random: Random,
  label: string,
): Promise<number> {
  const verified = new Verified()
  for (const crashAt of at(undefined)) {
    const disk = diskWith(new Random(crashAt), files)
    const mount = disk.mount({ crashAt })
    let { acknowledged } = promised
    try {
      const store = await openTreeStore(mount, smallSettings(3))
      // What was recovered may have been read by someone.
      acknowledged = store.recovery.lastLsn
      await store.close()
    } catch (error) {
      if (!mount.isCrashed) throw new Error(`${label}: ${error}`, { cause: error })
    }
    const again = { states: promised.states, acknowledged }
    const where = `${label}, crash at operation ${crashAt} of recovery (${mount.last.join(' ')})`
    for (const left of [disk.image(), ...powerLosses(disk, random, 1)]) {
      if (!verified.isNews(left, again)) continue
      await expectPromiseKept(left, again, smallSettings(4), where)
    }
    if (!mount.isCrashed) return crashAt - 1
  }
  return 0
}

/** Remembers what was verified: the same files, with no more to be there, need not be again. */
class Verified {
  readonly #acknowledgedByFiles = new Map<string, number>()

  isNews(files: Files, { states, acknowledged }: Promised): boolean {
    const key = `${digestOf(files)} ${states.length}`
    const before = this.#acknowledgedByFiles.get(key)
    if (before !== undefined && before >= acknowledged) return false
    this.#acknowledgedByFiles.set(key, acknowledged)
    return true
  }
}
