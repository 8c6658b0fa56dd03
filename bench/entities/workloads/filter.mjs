// A function that is asked about every entity, and lets one of a hundred through.
import { Checksum } from '../../harness/checks.mjs'
import { visitsOf } from '../../harness/data-set.mjs'
import { READ_VARIANTS } from '../engines.mjs'
import { numbersByCreatedAt } from '../orders.mjs'

const VISITS = 10
const isRarelySeen = ({ visits }) => visits < VISITS

export const filter = {
  name: 'filter',
  rows: [
    {
      name: 'filter',
      title: 'full scan with a filter function, decoded',
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
    const scanAll = async (seen) => {
      for (const { visit } of seen) await engine.filter(isRarelySeen, visit)
    }
    const scans = Math.ceil(effort.scanned / count)
    const totals = () => Array.from({ length: scans }, () => new Checksum())
    const seenBefore = totals()
    await scanAll(seenBefore)
    const seen = totals()
    const ms = await timer.time(() => scanAll(seen))
    const passing = numbersByCreatedAt(count).filter((i) => visitsOf(i) < VISITS)
    for (const total of [...seenBefore, ...seen]) total.assertIs('a filtered scan', passing)
    await engine.close()
    return { filter: ((scans * count) / ms) * 1000 }
  },
}
