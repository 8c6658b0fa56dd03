import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { defaultEnvironment } from './environment.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe("the host's timers", () => {
  test('longer than one of them can wait -> not sooner', () => {
    const run = vi.fn()
    const delayMs = 2 ** 31 + 5
    defaultEnvironment().timers.after(delayMs, run)
    vi.advanceTimersByTime(delayMs - 1)
    expect(run).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(run).toHaveBeenCalledTimes(1)
  })

  test('Infinity -> never', () => {
    const run = vi.fn()
    defaultEnvironment().timers.after(Number.POSITIVE_INFINITY, run)
    vi.advanceTimersByTime(2 ** 33)
    expect(run).not.toHaveBeenCalled()
  })

  test('ended, also after a part of the time -> does not run', () => {
    const run = vi.fn()
    const cancel = defaultEnvironment().timers.after(2 ** 33, run)
    vi.advanceTimersByTime(2 ** 32)
    cancel()
    vi.advanceTimersByTime(2 ** 33)
    expect(run).not.toHaveBeenCalled()
    expect(vi.getTimerCount()).toBe(0)
  })
})
