/**
 * A script in which one operation of the disk fails, each in its turn, once or from then on: reads and
 * flushes too. Whoever asked is told by a documented code; nothing that was acknowledged is lost,
 * neither in the same boot, where what a failed flush lost can still be read, nor after a power loss.
 */
import { strict as assert } from 'node:assert'
import { EntiDBError, type ErrorCode, isEntiDBError } from '../../errors/entidb-error.ts'
import type { Files } from '../format-reader/read-store.test-kit.ts'
import { Random } from '../random.ts'
import type { MountOptions } from '../simulated-mount.ts'
import { openTreeStore } from '../tree-store.ts'
import { powerLosses } from './power-losses.test-kit.ts'
import { expectPromiseKept, type Promised, Verified } from './promise.test-kit.ts'
import { at, withReplay } from './replay.test-kit.ts'
import { type Script, ScriptedRun } from './scripted-run.test-kit.ts'
import { smallSettings } from './small-files.test-kit.ts'

export interface Failing {
  /** What the disk says. A flush may be the first to find that there is no space. */
  readonly code: 'io_failed' | 'disk_full'
  readonly operations: readonly string[]
  /** Once, or from then on. */
  readonly duration: number
  readonly isAsynchronous: boolean
  /** Repeats it, with the number of the operation before it. */
  readonly command: string
  readonly only?: number
}

const CODES: readonly ErrorCode[] = ['io_failed', 'disk_full', 'commit_unknown', 'database_failed']

/** The answer is how many operations were made to fail. */
export async function failEverywhere(
  name: string,
  script: Script,
  failing: Failing,
): Promise<number> {
  const verified = new Verified()
  for (const failAt of at(failing.only)) {
    const hasFailed = await withReplay(failAt, failing.command, () =>
      failOnceAt(failAt, name, script, failing, verified),
    )
    if (!hasFailed) return failAt - 1
  }
  return 0
}

async function failOnceAt(
  failAt: number,
  name: string,
  script: Script,
  failing: Failing,
  verified: Verified,
): Promise<boolean> {
  const { failure, failed } = failureAt(failAt, failing)
  const { isAsynchronous } = failing
  const run = new ScriptedRun(failAt, smallSettings(1), { failure, isAsynchronous })
  const code = await codeOf(() => script(run))
  const label = `${name}, ${failing.code} at operation ${failAt} (${failed.first}), answered ${code}`
  assert(code === undefined || CODES.includes(code), label)
  const random = new Random(failAt)
  const verify = async (files: Files, promised: Promised, what: string): Promise<void> => {
    if (!verified.isNews(files, promised)) return
    await expectPromiseKept(files, promised, smallSettings(2), `${label}, ${what}`)
  }
  const verifyPowerLosses = async (promised: Promised, what: string): Promise<void> => {
    for (const files of powerLosses(run.disk, random, 1)) await verify(files, promised, what)
  }
  // Before closing, which may write again what was lost.
  await verifyPowerLosses(run, 'power lost')
  await run.store?.close().catch(() => {})
  await verifyPowerLosses(run, 'closed, power lost')
  await verify(run.disk.image(), run, 'the same boot')
  const store = await openTreeStore(run.disk.mount(), smallSettings(3))
  // What was recovered may have been read by someone.
  const again = { states: run.states, acknowledged: store.recovery.lastLsn }
  if (random.chance(0.5)) await store.close()
  await verifyPowerLosses(again, 'opened in the same boot, power lost')
  return failed.count > 0
}

function failureAt(failAt: number, { code, operations, duration }: Failing) {
  const failed = { count: 0, seen: 0, first: '' }
  const failure: MountOptions['failure'] = (operation, file) => {
    if (!operations.includes(operation)) return undefined
    failed.seen++
    if (failed.seen < failAt || failed.seen >= failAt + duration) return undefined
    failed.count++
    failed.first ||= `${operation} ${file}`
    return new EntiDBError(code, `simulated ${code}`, { details: { file, operation } })
  }
  return { failure, failed }
}

async function codeOf(action: () => Promise<void>): Promise<ErrorCode | undefined> {
  try {
    await action()
    return undefined
  } catch (error) {
    if (isEntiDBError(error)) return error.code
    throw error
  }
}
