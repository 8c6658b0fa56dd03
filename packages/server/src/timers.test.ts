import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { systemTimers } from './timers.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('timers of the process', () => {
  test('longer than one of them can wait -> not sooner', () => {
    const callback = vi.fn()
    const delayMs = 2 ** 31 + 5
    systemTimers.set(callback, delayMs)
    vi.advanceTimersByTime(delayMs - 1)
    expect(callback).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(callback).toHaveBeenCalledTimes(1)
  })

  test('ended after a part of the time -> does not run', () => {
    const callback = vi.fn()
    const end = systemTimers.set(callback, Number.MAX_SAFE_INTEGER)
    vi.advanceTimersByTime(2 ** 32)
    end()
    expect(vi.getTimerCount()).toBe(0)
    expect(callback).not.toHaveBeenCalled()
  })
})
