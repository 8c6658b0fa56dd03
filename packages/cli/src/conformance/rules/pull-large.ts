/** Pages at their bounds: section 7. They write much, and come after what reads everything. */
import type { SyncOperation } from '@entidb/protocol'
import type { Device } from '../device.ts'
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
  {
    id: 'pull/race',
    section: '2',
    holds:
      'while many devices push, one that pulls sees every cursor once and in order: one is visible only when every smaller one is',
    check: async (bench) => {
      const collection = bench.newCollection()
      const reader = bench.device({ collection })
      const since = await reader.head()
      const rounds = 8
      const pushAll = async (device: Device): Promise<void> => {
        for (let i = 0; i < rounds; i++) {
          await device.push(device.put(`${device.id}-${i}-a`), device.put(`${device.id}-${i}-b`))
        }
      }
      const writers = Array.from({ length: 4 }, () => bench.device({ collection }))
      const written = Promise.all(writers.map(pushAll)).then(() => true)
      const seen: SyncOperation[] = []
      try {
        for (let cursor = since, isDone = false; ; ) {
          const page = await reader.pull(cursor, { limit: 5 })
          seen.push(...page.ops)
          cursor = page.nextCursor
          if (isDone && !page.hasMore) break
          isDone = await Promise.race([written, Promise.resolve(isDone)])
        }
      } finally {
        // The next rule begins when nobody writes any more.
        await written.catch(() => false)
      }
      const revisions = seen.map(({ entityVersion }) => entityVersion)
      const count = writers.length * rounds * 2
      const first = revisions[0] ?? 0
      const dense = Array.from({ length: count }, (_, i) => first + i)
      expectEqual('revisions, pulled meanwhile', revisions, dense)
    },
  },
]
