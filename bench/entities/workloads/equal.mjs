// All entities of one status, a fifth of them all, by the index.
import { Checksum, Tally } from '../../harness/checks.mjs'
import { STATUSES } from '../../harness/data-set.mjs'
import { READ_VARIANTS } from '../engines.mjs'
import { newestByStatus } from '../orders.mjs'

export const equal = {
  name: 'equal',
  rows: [
    {
      name: 'equal',
      title: 'indexed equality returning a fifth of all, decoded',
      unit: 'entities/s',
      goals: [
        { over: 'better-sqlite3', least: 2 },
        { over: 'best peer', least: 1 },
      ],
    },
  ],
  variants: READ_VARIANTS,
  place: 'unchanged',
  async run({ count, effort, timer, open }) {
    const engine = await open()
    const statuses = Array.from({ length: effort.equals }, (_, k) => STATUSES[k % STATUSES.length])
    const seenBefore = new Checksum()
    for (const status of statuses) await engine.withStatus(status, seenBefore.visit)
    const seen = new Tally()
    const ms = await timer.time(async () => {
      for (const status of statuses) await engine.withStatus(status, seen.visit)
    })
    const byStatus = newestByStatus(count)
    const numbers = statuses.flatMap((status) => byStatus.get(status))
    seenBefore.assertIs('the equalities of the warm-up', numbers)
    seen.assertIs('the equalities', numbers)
    await engine.close()
    return { equal: (numbers.length / ms) * 1000 }
  },
}
