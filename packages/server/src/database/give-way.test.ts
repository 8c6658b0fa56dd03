import { expect, test } from 'vitest'
import { GiveWay } from './give-way.ts'

function createGiveWay() {
  const clock = { nowMs: 1_700_000_000_000 }
  return { clock, giveWay: new GiveWay(() => clock.nowMs) }
}

test('no request -> no pause', () => {
  const { clock, giveWay } = createGiveWay()
  const startMs = clock.nowMs
  clock.nowMs += 10
  expect(giveWay.pauseAfter(startMs)).toBe(0)
})

test('a request a moment ago -> four times what the step took', () => {
  const { clock, giveWay } = createGiveWay()
  giveWay.noteRequest()
  const startMs = clock.nowMs
  clock.nowMs += 10
  expect(giveWay.pauseAfter(startMs)).toBe(40)
})

test('the last request long ago -> no pause', () => {
  const { clock, giveWay } = createGiveWay()
  giveWay.noteRequest()
  clock.nowMs += 250
  expect(giveWay.pauseAfter(clock.nowMs - 10)).toBe(0)
})

test('a clock that is set in the middle of a step -> never a long pause', () => {
  const { clock, giveWay } = createGiveWay()
  const startMs = clock.nowMs
  clock.nowMs += 3_600_000
  giveWay.noteRequest()
  expect(giveWay.pauseAfter(startMs)).toBe(200)
  clock.nowMs = startMs - 3_600_000
  expect(giveWay.pauseAfter(startMs)).toBe(0)
  giveWay.noteRequest()
  expect(giveWay.pauseAfter(startMs)).toBe(0)
})
