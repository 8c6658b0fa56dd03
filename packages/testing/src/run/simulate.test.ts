import { expect, test } from 'vitest'
import { smallNotes } from '../application/small-notes.ts'
import { simulate } from './simulate.ts'

test.each([0, -1, Number.NaN, 0.5])(
  '%d seeds -> refused, instead of no failures',
  async (seeds) => {
    await expect(simulate(smallNotes, { seeds })).rejects.toThrow(TypeError)
  },
)
