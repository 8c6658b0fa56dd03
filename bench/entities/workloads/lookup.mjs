// One entity by the unique index of `email`, one lookup after the other.
import { assertSequence, Tally } from '../../harness/checks.mjs'
import { emailOf, randomIndexes } from '../../harness/data-set.mjs'
import { READ_VARIANTS } from '../engines.mjs'

export const lookup = {
  name: 'lookup',
  rows: [
    {
      name: 'lookup',
      title: 'point lookup on a unique index, decoded, random',
      unit: 'lookups/s',
      goals: [
        { over: 'better-sqlite3', least: 1.2 },
        { over: 'best peer', least: 1 },
      ],
    },
  ],
  variants: READ_VARIANTS,
  place: 'unchanged',
  async run({ count, effort, timer, open }) {
    const engine = await open()
    const warmUp = randomIndexes(effort.lookups, count, 1)
    const sequence = assertSequence('the lookups of the warm-up', warmUp)
    await engine.withEmails(Array.from(warmUp, emailOf), sequence.visit)
    sequence.assertComplete()
    const numbers = randomIndexes(effort.lookups, count, 2)
    const emails = Array.from(numbers, emailOf)
    const seen = new Tally()
    const ms = await timer.time(() => engine.withEmails(emails, seen.visit))
    seen.assertIs('the lookups', numbers)
    await engine.close()
    return { lookup: (emails.length / ms) * 1000 }
  },
}
