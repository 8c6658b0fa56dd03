/**
 * A script in which one operation of the disk fails, each in its turn, once or from then on: reads and
 * flushes too. Whoever asked is told by a documented code; nothing that was acknowledged is lost,
 * neither in the same boot, where what a failed flush lost can still be read, nor after a power loss.
 */
import { strict as assert } from 'node:assert'
import { EntiDBError, type ErrorCode, isEntiDBError } from '../../errors/entidb-error.ts'
import { Random } from '../random.test-kit.ts'
import type { MountOptions } from '../simulated-disk.test-kit.ts'
import { openTreeStore } from '../tree-store.ts'
import { powerLosses } from './power-losses.test-kit.ts'
import { expectPromiseKept } from './promise.test-kit.ts'
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
  for (const failAt of at(failing.only)) {
    const hasFailed = await withReplay(failAt, failing.command, () =>
      failOnceAt(failAt, name, script, failing),
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
): Promise<boolean> {
  const { failure, failed } = failureAt(failAt, failing)
  const { isAsynchronous } = failing
  const run = new ScriptedRun(failAt, smallSettings(1), { failure, isAsynchronous })
  const code = await codeOf(() => script(run))
  const label = `${name}, ${failing.code} at operation ${failAt} (${failed.first}), answered ${code}`
  assert(code === undefined || CODES.includes(code), label)
  await run.store?.close().catch(() => {})
  await expectKept(run, failAt, label)
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

async function expectKept(run: ScriptedRun, seed: number, label: string): Promise<void> {
  const random = new Random(seed)
  for (const files of powerLosses(run.disk, random, 1)) {
    await expectPromiseKept(files, run, smallSettings(2), `${label}, power lost`)
  }
  await expectPromiseKept(run.disk.image(), run, smallSettings(2), `${label}, the same boot`)
  const store = await openTreeStore(run.disk.mount(), smallSettings(3))
  const { lastLsn } = store.recovery
  if (seed % 2 === 0) await store.close()
  const again = { states: run.states, acknowledged: lastLsn }
  for (const files of powerLosses(run.disk, random, 1)) {
    const where = `${label}, opened in the same boot, power lost`
    await expectPromiseKept(files, again, smallSettings(4), where)
  }
}
