// Runs of 1,000 entities in the order of `createdAt`, from random places of the index, decoded.
import { assertEqual, Checksum, Tally } from '../../harness/checks.mjs'
import { createdAtOf, randomIndexes } from '../../harness/data-set.mjs'

const LENGTH = 1000

export const range = {
  name: 'range',
  rows: [
    {
      name: 'range',
      title: 'range scan of 1,000 by index, decoded',
      unit: 'ranges/s',
      digits: 1,
      goals: [{ over: 'best peer', least: 1.5 }],
    },
  ],
  variants: ['entidb-uncached'],
  place: 'unchanged',
  async run({ count, effort, timer, open }) {
    const engine = await open()
    const ordered = Uint32Array.from({ length: count }, (_, i) => i)
    ordered.sort((a, b) => createdAtOf(a) - createdAtOf(b))
    const starts = randomIndexes(effort.ranges, count - LENGTH, 3)
    await warmUp(engine, ordered, randomIndexes(effort.ranges, count - LENGTH, 4))
    const froms = Array.from(starts, (start) => createdAtOf(ordered[start]))
    const seen = new Tally()
    const ms = await timer.time(async () => {
      for (const from of froms) await engine.range(from, LENGTH, seen.visit)
    })
    seen.assertIs('the ranges', numbersOf(ordered, starts))
    await engine.close()
    return { range: (effort.ranges / ms) * 1000 }
  },
}

/** Also the check that entities come in the order of the index. */
async function warmUp(engine, ordered, starts) {
  const seen = new Checksum()
  for (const start of starts) {
    let rank = start
    await engine.range(createdAtOf(ordered[start]), LENGTH, (entity) => {
      assertEqual('the next createdAt', entity.createdAt, createdAtOf(ordered[rank++]))
      seen.visit(entity)
    })
  }
  seen.assertIs('the ranges of the warm-up', numbersOf(ordered, starts))
}

function numbersOf(ordered, starts) {
  return [...starts].flatMap((start) => [...ordered.subarray(start, start + LENGTH)])
}
