/** The stream of wake-ups: section 13. */
import type { Bench } from '../bench.ts'
import { EventStream } from '../event-stream.ts'
import { expectEqual, expectThat, forEachCase } from '../expectations.ts'
import type { Rule } from '../rule.ts'
import { expectError } from '../sync-api.ts'

const accepted = ['Accept', 'text/event-stream'] as const
/** Silence that long after a request that wrote nothing is silence. */
const QUIET_MS = 300

/** Opens a stream of the database and closes it, whatever `work` does. */
async function withStream(
  bench: Bench,
  work: (events: EventStream) => Promise<void>,
): Promise<void> {
  const stream = await bench.api.openStream(`?dbId=${bench.dbId}`, accepted)
  const events = new EventStream(stream, bench.eventMsMax)
  try {
    expectEqual('status', stream.status, 200)
    await work(events)
  } finally {
    events.close()
  }
}

export const streamRules: readonly Rule[] = [
  {
    id: 'stream/media-type',
    section: '13',
    holds: 'the stream is text/event-stream',
    needs: ['sse'],
    check: async (bench) => {
      const stream = await bench.api.openStream(`?dbId=${bench.dbId}`, accepted)
      stream.close()
      const type = stream.headers.get('content-type')?.split(';')[0]?.trim()
      expectEqual('status and Content-Type', [stream.status, type], [200, 'text/event-stream'])
    },
  },
  {
    id: 'stream/on-connect',
    section: '13',
    holds: 'the first event is cursor with data and id the head in decimal, and retry is 1000',
    needs: ['sse'],
    check: async (bench) => {
      const device = bench.device()
      const { head } = await device.push(device.put('e1'))
      await withStream(bench, async (events) => {
        const text = String(head)
        expectEqual('event', await events.next(), { event: 'cursor', id: text, data: text })
        expectEqual('retry', events.retry, '1000')
      })
    },
  },
  {
    id: 'stream/wake-up',
    section: '13',
    holds: 'each commit is followed by an event with a head at least as great',
    needs: ['sse'],
    check: async (bench) => {
      const device = bench.device()
      await withStream(bench, async (events) => {
        await events.next()
        for (const id of ['e1', 'e2', 'e3']) {
          const { head } = await device.push(device.put(id), device.put(`${id}-2`))
          await events.until(head)
        }
      })
    },
  },
  {
    id: 'stream/two',
    section: '13',
    holds: 'two streams are woken alike, and one that leaves disturbs no other',
    needs: ['sse'],
    check: async (bench) => {
      const device = bench.device()
      await withStream(bench, async (stays) => {
        await stays.next()
        await withStream(bench, async (leaves) => {
          await leaves.next()
          const { head } = await device.push(device.put('e1'))
          await stays.until(head)
          await leaves.until(head)
        })
        const { head } = await device.push(device.put('e2'))
        await stays.until(head)
      })
    },
  },
  {
    id: 'stream/quiet',
    section: '13',
    holds: 'requests that write nothing are followed by no event',
    needs: ['sse'],
    check: async (bench) => {
      const device = bench.device()
      const born = device.put('e1')
      const { head } = await device.push(born)
      await withStream(bench, async (events) => {
        await events.until(head)
        await device.push(born)
        await device.push(device.put('e1', { v: 2 }, { entityVersion: 7 }))
        await device.push()
        // Of the event that was read a last empty line may be left.
        const quiet = (await events.isQuietFor(QUIET_MS)) && (await events.isQuietFor(QUIET_MS))
        expectThat(quiet, 'no event', 'an event')
      })
    },
  },
  {
    id: 'stream/errors',
    section: '13',
    holds:
      'errors before the stream begins are CBOR: no token, an Accept without text/event-stream',
    needs: ['sse'],
    check: async (bench) => {
      const { api, dbId } = bench
      const get = { method: 'GET', path: `/v1/stream?dbId=${dbId}` }
      expectError(await api.exchange({ ...get, headers: [] }), 'unauthenticated')
      const wrong = ['application/cbor', 'text/html', 'text/event-stream;q=0']
      await forEachCase(Object.fromEntries(wrong.map((value) => [value, value])), async (value) => {
        const headers = [api.authorization, ['Accept', value] as const]
        expectError(await api.exchange({ ...get, headers }), 'not_acceptable')
      })
    },
  },
  {
    id: 'stream/encoded',
    section: '13',
    holds: 'the dbId in the query is percent-decoded',
    needs: ['sse'],
    check: async (bench) => {
      const encoded = [...Buffer.from(bench.dbId)].map((byte) => `%${byte.toString(16)}`).join('')
      const stream = await bench.api.openStream(`?dbId=${encoded}`, accepted)
      stream.close()
      expectEqual('status', stream.status, 200)
    },
  },
  {
    id: 'stream/heartbeat',
    section: '13',
    holds: 'after 15 s without a byte there comes a comment',
    needs: ['sse'],
    check: async (bench) => {
      await withStream(bench, async (events) => {
        await events.next()
        const line = await events.nextLine(bench.heartbeatMsMax)
        const seconds = bench.heartbeatMsMax / 1_000
        expectThat(
          line?.startsWith(':') === true,
          `a comment within ${seconds} s`,
          line ?? 'silence',
        )
      })
    },
  },
]
