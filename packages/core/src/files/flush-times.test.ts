import { expect, test } from 'vitest'
import { FlushTimes } from './flush-times.ts'

test('flush times: while another file of the directory is being flushed -> none may block', () => {
  const times = new FlushTimes()
  expect(times.mayBlock()).toBe(true)
  times.begin()
  times.begin()
  expect(times.mayBlock()).toBe(false)
  times.end()
  expect(times.mayBlock()).toBe(false)
  times.end()
  expect(times.mayBlock()).toBe(true)
})
