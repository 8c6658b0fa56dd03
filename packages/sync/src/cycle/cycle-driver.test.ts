import { EntiDBError } from '@entidb/core'
import { describe, expect, test } from 'vitest'
import type { CycleState } from '../machine/cycle-machine.ts'
import { ManualTimers, settle } from '../test-kit/manual-timers.test-kit.ts'
import type { Cycle } from './cycle.ts'
import { CycleDriver } from './cycle-driver.ts'

/** A driver of cycles that do nothing but `work`; `atEnd` runs when one has succeeded. */
function driverOf(
  atEnd: (driver: CycleDriver, cycles: number) => void,
  work: (driver: CycleDriver, cycles: number) => unknown = () => {},
) {
  const timers = new ManualTimers()
  const signals: AbortSignal[] = []
  let cycles = 0
  let head = 0
  const state: CycleState = 'idle'
  const cycle: Pick<Cycle, 'run' | 'call' | 'state' | 'isInVain'> = {
    state,
    isInVain: false,
    call: () => {},
    run: async (signal) => {
      cycles += 1
      signals.push(signal)
      head = 0
      await Promise.resolve()
      await work(driver, cycles)
      return { pulled: 0, pushed: 0, conflicts: 0, rejected: 0 }
    },
  }
  const driver: CycleDriver = new CycleDriver({
    // The driver uses nothing else of it.
    cycle: cycle as Cycle,
    timers,
    random: () => 0.5,
    pollIntervalMs: 60_000,
    turn: () => new Promise((resolve) => setImmediate(resolve)),
    isBehind: () => head > 0,
    onSuccess: () => atEnd(driver, cycles),
    onFailure: () => {},
  })
  const hear = (): void => {
    head = 1
    driver.wakeIfBehind()
  }
  return { driver, hear, timers, signals, cycles: () => cycles }
}

describe('superseded under the name of before', () => {
  test('renamed meanwhile -> the next cycle begins at once; otherwise none', async () => {
    const { driver, timers, cycles } = driverOf(
      () => {},
      (own, count) => {
        if (count === 1) own.online()
        throw new EntiDBError('device_conflict', 'superseded')
      },
    )
    driver.start()
    await settle()
    expect(cycles()).toBe(1)
    await timers.advance(0)
    expect(cycles()).toBe(2)
    await timers.advance(600_000)
    expect(cycles()).toBe(2)
    await driver.stop()
  })
})

describe('woken in the moment in which a cycle ends', () => {
  test('by a commit -> the next cycle begins at once', async () => {
    const { driver, cycles } = driverOf((own, count) => {
      if (count === 1) queueMicrotask(() => own.wake())
    })
    driver.start()
    await settle()
    expect(cycles()).toBe(2)
    await driver.stop()
  })

  test('by the stream -> the next cycle begins at once', async () => {
    const { driver, hear, cycles } = driverOf((_, count) => {
      if (count === 1) queueMicrotask(hear)
    })
    driver.start()
    await settle()
    expect(cycles()).toBe(2)
    await driver.stop()
  })

  test('not at all -> none', async () => {
    const { driver, cycles } = driverOf(() => {})
    driver.start()
    await settle()
    expect(cycles()).toBe(1)
    await driver.stop()
  })
})

describe('stopped while a cycle runs', () => {
  const untilTold = () => {
    let tell = (): void => {}
    const told = new Promise<void>((resolve) => {
      tell = resolve
    })
    return { told, tell }
  }

  test('that was asked for before start -> it is told to end', async () => {
    const { told, tell } = untilTold()
    const { driver, signals } = driverOf(
      () => {},
      () => told,
    )
    const asked = driver.run()
    driver.start()
    const stopped = driver.stop()
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
    tell()
    await Promise.all([asked, stopped])
  })

  test('by a task that began before a pause -> the task begins no other cycle', async () => {
    const { told, tell } = untilTold()
    const { driver, cycles } = driverOf(() => {})
    const task = driver.exclusively(async ({ cycle }) => {
      await told
      return cycle()
    })
    const pause = driver.pause()
    driver.start()
    tell()
    await expect(task).rejects.toMatchObject({ code: 'sync_stopped' })
    await pause
    await settle()
    expect(cycles()).toBe(0)
    await driver.stop()
  })
})
