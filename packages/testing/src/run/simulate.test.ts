import { expect, test } from 'vitest'
import { smallNotes } from '../application/small-notes.ts'
import { type SimulateOptions, simulate } from './simulate.ts'

test.each([0, -1, Number.NaN, 0.5])(
  '%d seeds -> refused, instead of no failures',
  async (seeds) => {
    await expect(simulate(smallNotes, { seeds })).rejects.toThrow(TypeError)
  },
)

test.each([
  { stepMax: 5 },
  { stepsMax: 0 },
  { stepsMax: Number.NaN },
  { stepsMax: '20' },
  { profile: 'chaos' },
  { firstSeed: 0.5 },
  { seeds: '5' },
])('options: %o -> refused, instead of another run than was meant', async (options) => {
  await expect(simulate(smallNotes, { seeds: 1, ...options } as SimulateOptions)).rejects.toThrow(
    TypeError,
  )
})
