import { expect, test } from 'vitest'
import { Backoff } from './backoff.ts'

function delays(random: number, count: number): number[] {
  const backoff = new Backoff({ baseMs: 500, capMs: 60_000, random: () => random })
  return Array.from({ length: count }, () => backoff.next())
}

test('backoff: failures in a row -> ceiling doubles up to the cap', () => {
  expect(delays(0.999999999, 10)).toEqual([
    500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000,
  ])
})

test('backoff: full jitter -> anything from zero to the ceiling', () => {
  expect(delays(0, 3)).toEqual([0, 0, 0])
  expect(delays(0.5, 3)).toEqual([250, 500, 1000])
})

test('backoff: the server names a delay -> never sooner', () => {
  const backoff = new Backoff({ baseMs: 500, capMs: 60_000, random: () => 0 })
  expect(backoff.next(7_000)).toBe(7_000)
})

test('backoff: the server names a delay without end -> an hour', () => {
  const backoff = new Backoff({ baseMs: 500, capMs: 60_000, random: () => 0 })
  expect(backoff.next(Number.MAX_SAFE_INTEGER)).toBe(3_600_000)
})

test('backoff: reset -> starts over', () => {
  const backoff = new Backoff({ baseMs: 500, capMs: 60_000, random: () => 0.999999999 })
  backoff.next()
  backoff.next()
  backoff.reset()
  expect(backoff.next()).toBe(500)
})
