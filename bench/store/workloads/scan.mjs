// Every entity once, decoded, in bounded memory; the second scan of the process.
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
  async run({ count, timer, open }) {
    const engine = await open()
    const warmUp = new Checksum()
    await engine.scan(warmUp.visit)
    const seen = new Checksum()
    const ms = await timer.time(() => engine.scan(seen.visit))
    seen.assertIs('the scan', numbersBetween(0, count))
    await engine.close()
    return { scan: (count / ms) * 1000 }
  },
}
