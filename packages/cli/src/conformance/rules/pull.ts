/** Pages: section 7. */
import type { Bench } from '../bench.ts'
import type { Device } from '../device.ts'
import { expectEqual, expectThat, forEachCase } from '../expectations.ts'
import { type Operation, opIdsOf } from '../operation.ts'
import { known } from '../pushed.ts'
import type { Rule } from '../rule.ts'

interface Written {
  readonly device: Device
  readonly since: number
  readonly ops: readonly Operation[]
}

/** A device that has written this many entities, each an operation of its own. */
async function writtenBy(bench: Bench, count: number): Promise<Written> {
  const device = bench.device()
  const since = await device.head()
  const ops = Array.from({ length: count }, (_, i) => device.put(`e${i}`, { v: i }))
  await device.push(...ops)
  return { device, since, ops }
}

export const pullRules: readonly Rule[] = [
  {
    id: 'pull/operations',
    section: '7',
    holds:
      'a pull gives every operation after the cursor as it was pushed, own ones too, with its revision',
    check: async (bench) => {
      const { device, since, ops } = await writtenBy(bench, 3)
      const pulled = await device.pullOwn(since, { deviceId: device.id })
      const asPushed = pulled.map((op) => ({ ...op, entityVersion: 0 }))
      expectEqual('operations, pulled', asPushed, ops)
    },
  },
  {
    id: 'pull/order',
    section: '7',
    holds: 'pages of any limit give the same operations in cursor order, each once',
    check: async (bench) => {
      const { device, since, ops } = await writtenBy(bench, 7)
      for (const limit of [1, 2, 3, 6, 7, 8]) {
        expectEqual(
          `opIds by ${limit}`,
          opIdsOf(await device.pullOwn(since, { limit })),
          opIdsOf(ops),
        )
      }
    },
  },
  {
    id: 'pull/limit',
    section: '7',
    holds: 'a page of operations without groups has at most limit of them',
    check: async (bench) => {
      const { device, since } = await writtenBy(bench, 7)
      for (const limit of [1, 2, 3, 6]) {
        const { ops } = await device.pull(since, { limit })
        expectThat(ops.length <= limit, `at most ${limit} operations`, ops.length)
      }
    },
  },
  {
    id: 'pull/limit-zero',
    section: '7',
    holds: 'a limit of 0, below 0 or that is no integer is invalid_request',
    check: async ({ api, dbId }) => {
      await forEachCase({ '0': 0, '-1': -1, '1.5': 1.5, text: '1' }, async (limit) => {
        await api.refused('pull', { dbId, sinceCursor: 0, limit }, 'invalid_request')
      })
    },
  },
  {
    id: 'pull/next-cursor',
    section: '7',
    holds:
      'nextCursor is the last cursor examined: the next page begins behind it and none is left out',
    check: async (bench) => {
      const { device, since, ops } = await writtenBy(bench, 5)
      const pages = await device.pullPages(since, { limit: 2 })
      for (const page of pages) {
        const last = page.ops.at(-1)?.entityVersion ?? since
        expectThat(page.nextCursor >= last, `nextCursor from ${last} on`, page.nextCursor)
      }
      const seen = pages
        .flatMap((page) => page.ops)
        .filter((op) => op.collection === device.collection)
      expectEqual('opIds of all pages', opIdsOf(seen), opIdsOf(ops))
      const last = pages.at(-1)?.nextCursor
      expectEqual('nextCursor of the last page', last, await device.head())
    },
  },
  {
    id: 'pull/has-more',
    section: '7',
    holds: 'hasMore says whether nextCursor is smaller than the head',
    check: async (bench) => {
      const { device, since } = await writtenBy(bench, 5)
      const head = await device.head()
      for (const limit of [1, 2, 4, 5, 6]) {
        for (const page of await device.pullPages(since, { limit })) {
          expectEqual(
            `hasMore at ${page.nextCursor} of ${head}`,
            page.hasMore,
            page.nextCursor < head,
          )
        }
      }
    },
  },
  {
    id: 'pull/head',
    section: '7',
    holds: 'the head in a page is the head',
    check: async (bench) => {
      const { device, since } = await writtenBy(bench, 2)
      const page = await device.pull(since, { limit: 1 })
      expectEqual('head', known(page.head, 'head'), await device.head())
    },
  },
  {
    id: 'pull/at-head',
    section: '7',
    holds: 'a pull at the head is empty, with nextCursor the head and nothing more',
    check: async (bench) => {
      const device = bench.device()
      const head = await device.head()
      const { ops, nextCursor, hasMore } = await device.pull(head)
      expectEqual('ops, nextCursor, hasMore', [ops.length, nextCursor, hasMore], [0, head, false])
    },
  },
  {
    id: 'pull/repeated',
    section: '7',
    holds: 'a pull is stateless: repeated, also by another device, it gives the same page',
    check: async (bench) => {
      const { device, since } = await writtenBy(bench, 4)
      const first = await device.pull(since, { limit: 3, deviceId: device.id })
      const other = { deviceId: bench.device().id }
      expectEqual(
        'the same page',
        await device.pull(since, { limit: 3, deviceId: device.id }),
        first,
      )
      expectEqual(
        'the page of another device',
        await device.pull(since, { limit: 3, ...other }),
        first,
      )
      expectEqual('the page without a device', await device.pull(since, { limit: 3 }), first)
    },
  },
  {
    id: 'pull/delete',
    section: '7',
    holds: 'a delete is pulled as DELETE with entityCbor null and its own revision',
    check: async (bench) => {
      const device = bench.device()
      const since = await device.commit(device.put('e1'))
      const died = await device.commit(device.delete('e1', since))
      const [pulled] = await device.pullOwn(since)
      const seen = [pulled?.opType, pulled?.entityCbor, pulled?.entityVersion]
      expectEqual('opType, entityCbor, entityVersion', seen, ['DELETE', null, died])
    },
  },
  {
    id: 'pull/timestamp',
    section: '7',
    holds:
      'timestampMs is passed on as pushed, also when it is negative, and is absent when it was',
    check: async (bench) => {
      const device = bench.device()
      const since = await device.head()
      const times = [-Number.MAX_SAFE_INTEGER, 0, 1_763_928_000_000, undefined]
      const ops = times.map((timestampMs, i) =>
        device.put(`e${i}`, {}, timestampMs === undefined ? {} : { timestampMs }),
      )
      await device.push(...ops)
      const pulled = await device.pullOwn(since)
      expectEqual(
        'timestampMs, pulled',
        pulled.map(({ timestampMs }) => timestampMs),
        times,
      )
    },
  },
  {
    id: 'pull/schema-version',
    section: '7',
    holds: 'schemaVersion is passed on as pushed; 1 and absent are the same',
    needs: ['extensions'],
    check: async (bench) => {
      const device = bench.device()
      const since = await device.head()
      const versions = [2, Number.MAX_SAFE_INTEGER, 1, undefined]
      const ops = versions.map((schemaVersion, i) =>
        device.put(`e${i}`, {}, schemaVersion === undefined ? {} : { schemaVersion }),
      )
      await device.push(...ops)
      const pulled = (await device.pullOwn(since)).map(({ schemaVersion }) => schemaVersion ?? 1)
      expectEqual(
        'schemaVersion, pulled',
        pulled,
        versions.map((version) => version ?? 1),
      )
    },
  },
  {
    id: 'pull/collections',
    section: '7',
    holds: 'collections leaves out all others, and the cursor moves over them to the head',
    needs: ['collections'],
    check: async (bench) => {
      const device = bench.device()
      const other = bench.device()
      const since = await device.head()
      for (let i = 0; i < 3; i++) {
        await device.push(device.put(`e${i}`))
        await other.push(other.put(`e${i}`))
      }
      const pages = await device.pullPages(since, { collections: [device.collection], limit: 1 })
      const seen = pages.flatMap(({ ops }) => ops).map(({ collection }) => collection)
      expectEqual('collections pulled', seen, Array(3).fill(device.collection))
      expectEqual('the last nextCursor', pages.at(-1)?.nextCursor, await device.head())
    },
  },
  {
    id: 'pull/no-collections',
    section: '7',
    holds: 'an empty list of collections gives no operations and a cursor at the head',
    needs: ['collections'],
    check: async (bench) => {
      const { device, since } = await writtenBy(bench, 2)
      const pages = await device.pullPages(since, { collections: [] })
      expectEqual('operations', pages.flatMap(({ ops }) => ops).length, 0)
      expectEqual('the last nextCursor', pages.at(-1)?.nextCursor, await device.head())
    },
  },
  {
    id: 'pull/cursor-ahead',
    section: '7',
    holds:
      'a cursor past the head is cursor_ahead in pulls and pushes, under the epoch or without one',
    check: async (bench) => {
      const device = bench.device()
      // A server that was just started begins an epoch for such a cursor; after a push it has.
      const { head } = await device.push(device.put('e1'))
      const { epoch } = await device.handshake()
      const epochs = epoch === undefined ? [{}] : [{}, { epoch }]
      for (const named of epochs) {
        const ahead = { sinceCursor: head + 1, ...named }
        await bench.api.refused('pull', { dbId: bench.dbId, ...ahead }, 'cursor_ahead')
        await device.refused('cursor_ahead', [device.put('e2')], ahead)
      }
      await device.pushWith({ sinceCursor: head })
    },
  },
  {
    id: 'pull/cursor-expired',
    section: '7',
    holds:
      'a cursor from 1 to before purgedThrough is cursor_expired; 0 and purgedThrough are served',
    check: async (bench) => {
      const device = bench.device()
      const purgedThrough = known((await device.handshake()).purgedThrough, 'purgedThrough')
      await device.pull(0, { limit: 1 })
      await device.pull(purgedThrough, { limit: 1 })
      if (purgedThrough < 2) return bench.skip('nothing was purged from this database yet')
      for (const sinceCursor of [1, purgedThrough - 1]) {
        await bench.api.refused('pull', { dbId: bench.dbId, sinceCursor }, 'cursor_expired')
      }
    },
  },
]
