/** Pages at their bounds: section 7. They write much, and come after what reads everything. */
import { expectEqual, expectThat, forEachCase } from '../expectations.ts'
import type { Rule } from '../rule.ts'

export const largePullRules: readonly Rule[] = [
  {
    id: 'pull/limit-max',
    section: '7',
    holds: 'a limit that is absent or larger than maxPullOps means maxPullOps',
    check: async (bench) => {
      const { maxPullOps, maxOpsPerPush } = bench.limits
      const count = bench.entitiesUpTo(maxPullOps + 1)
      const device = bench.device()
      const since = await device.head()
      for (let left = count; left > 0; left -= maxOpsPerPush) {
        const part = Array.from({ length: Math.min(left, maxOpsPerPush) }, () =>
          device.put(`e${left}-${device.opId}`),
        )
        await device.push(...part)
      }
      await forEachCase({ 'no limit': {}, 'a larger one': { limit: count + 5 } }, async (more) => {
        const { ops, hasMore } = await device.pull(since, more)
        expectEqual('operations and hasMore', [ops.length, hasMore], [maxPullOps, true])
      })
    },
  },
  {
    id: 'pull/bytes',
    section: '7',
    holds:
      'a page is bounded in bytes, too: large entities come in several pages and none is left out',
    check: async (bench) => {
      const { maxEntityBytes, maxPullOps } = bench.limits
      const count = Math.min(32, maxPullOps - 1)
      bench.bodyBytesUpTo(count * maxEntityBytes)
      const device = bench.device()
      const since = await device.head()
      const filling = { v: new Uint8Array(maxEntityBytes - 64) }
      for (let i = 0; i < count; i++) await device.push(device.put(`e${i}`, filling))
      const pages = await device.pullPages(since)
      const seen = pages
        .flatMap(({ ops }) => ops)
        .filter((op) => op.collection === device.collection)
      expectEqual('operations of all pages', seen.length, count)
      expectThat(pages.length > 1, `more pages than one for ${count} large entities`, pages.length)
    },
  },
]
