// Stretches of the index of `createdAt` that hold 1,000 entities each, in its order, from random places.
import { assertSequence, Tally } from '../../harness/checks.mjs'
import { createdAtOf, randomIndexes } from '../../harness/data-set.mjs'
import { READ_VARIANTS } from '../engines.mjs'
import { numbersByCreatedAt } from '../orders.mjs'

const LENGTH = 1000

export const range = {
  name: 'range',
  rows: [
    {
      name: 'range',
      title: 'indexed range of 1,000, ordered, decoded',
      unit: 'ranges/s',
      digits: 1,
      goals: [
        { over: 'better-sqlite3', least: 1.5 },
        { over: 'best peer', least: 1 },
      ],
    },
  ],
  variants: READ_VARIANTS,
  place: 'unchanged',
  async run({ count, effort, timer, open }) {
    const engine = await open()
    const ordered = numbersByCreatedAt(count)
    const stretches = (seed) =>
      Array.from(randomIndexes(effort.ranges, count - LENGTH, seed), (start) =>
        ordered.subarray(start, start + LENGTH),
      )
    const warmUp = stretches(4)
    const sequence = assertSequence('the ranges of the warm-up', numbersOf(warmUp))
    await engine.between(warmUp.map(boundsOf), sequence.visit)
    sequence.assertComplete()
    const measured = stretches(3)
    const ranges = measured.map(boundsOf)
    const seen = new Tally()
    const ms = await timer.time(() => engine.between(ranges, seen.visit))
    seen.assertIs('the ranges', numbersOf(measured))
    await engine.close()
    return { range: (ranges.length / ms) * 1000 }
  },
}

function boundsOf(numbers) {
  return { from: createdAtOf(numbers[0]), to: createdAtOf(numbers.at(-1)) }
}

function numbersOf(stretches) {
  return stretches.flatMap((numbers) => [...numbers])
}
