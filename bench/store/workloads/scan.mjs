// Every entity once, decoded, in bounded memory, after a warm-up. Small collections are scanned several
// times, so that all sizes are measured in the same state of the process.
import { Checksum, numbersBetween, Tally } from '../../harness/checks.mjs'

export const scan = {
  name: 'scan',
  rows: [
    {
      name: 'scan',
      title: 'full scan, decoded',
      unit: 'entities/s',
      goals: [{ over: 'best peer', least: 1.5 }],
    },
  ],
  variants: ['entidb-uncached'],
  place: 'unchanged',
  async run({ count, effort, timer, open }) {
    const engine = await open()
    const scans = Math.ceil(effort.scanned / count)
    const scanAll = async (totals) => {
      for (const { visit } of totals) await engine.scan(visit)
    }
    const seenBefore = listOf(scans, () => new Checksum())
    await scanAll(seenBefore)
    const seen = listOf(scans, () => new Tally())
    const ms = await timer.time(() => scanAll(seen))
    const all = numbersBetween(0, count)
    for (const total of [...seenBefore, ...seen]) total.assertIs('a scan', all)
    await engine.close()
    return { scan: ((scans * count) / ms) * 1000 }
  },
}

function listOf(length, make) {
  return Array.from({ length }, make)
}
