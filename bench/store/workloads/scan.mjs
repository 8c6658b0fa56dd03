// Every entity once, decoded, in bounded memory, after a warm-up. Small collections are scanned several
// times, so that all sizes are measured in the same state of the process.
import { Checksum, numbersBetween } from '../checks.mjs'

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
    const scanAll = async (checksums) => {
      for (const { visit } of checksums) await engine.scan(visit)
    }
    await scanAll(checksumsOf(scans))
    const seen = checksumsOf(scans)
    const ms = await timer.time(() => scanAll(seen))
    for (const checksum of seen) checksum.assertIs('a scan', numbersBetween(0, count))
    await engine.close()
    return { scan: ((scans * count) / ms) * 1000 }
  },
}

function checksumsOf(scans) {
  return Array.from({ length: scans }, () => new Checksum())
}
