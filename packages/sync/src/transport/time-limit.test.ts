import { describe, expect, test, vi } from 'vitest'
import { ManualTimers } from '../test-kit/manual-timers.test-kit.ts'
import { TimeLimit } from './time-limit.ts'

function limited() {
  const timers = new ManualTimers()
  const onEnd = vi.fn()
  return { timers, onEnd, limit: new TimeLimit(timers, 1_000, onEnd) }
}

describe('time limit', () => {
  test('nothing arrives: -> ends in time', async () => {
    const { timers, onEnd } = limited()
    await timers.advance(999)
    expect(onEnd).not.toHaveBeenCalled()
    await timers.advance(1)
    expect(onEnd).toHaveBeenCalledTimes(1)
  })

  test('bytes arrive: -> as long as they are enough for the time that passes', async () => {
    const { timers, onEnd, limit } = limited()
    for (let i = 0; i < 100; i++) {
      limit.arrived(8_000)
      await timers.advance(1_000)
    }
    expect(onEnd).not.toHaveBeenCalled()
    await timers.advance(1_000)
    expect(onEnd).toHaveBeenCalledTimes(1)
  })

  test('cancelled, also after it was extended: -> does not end', async () => {
    const { timers, onEnd, limit } = limited()
    limit.arrived(8_000)
    await timers.advance(1_500)
    limit.cancel()
    expect(timers.waiting).toEqual([])
    expect(onEnd).not.toHaveBeenCalled()
  })
})
