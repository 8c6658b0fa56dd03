/** Names and numbers: section 2. */
import { encodeItem, type Item, longHead, Raw } from '../cbor-item.ts'
import { expectEqual, forEachCase } from '../expectations.ts'
import type { Rule } from '../rule.ts'
import { expectError } from '../sync-api.ts'

const BAD_NAMES = [
  '',
  '.',
  '..',
  '.hidden',
  '../x',
  'a/b',
  'a\\b',
  '%2e%2e',
  'a b',
  'a\u0000b',
  'a\n',
]
const MORE_BAD_NAMES = ['ä', '\uff0e\uff0e', 'a:b', '*', '~', 'x'.repeat(129)]
const badNames = casesOf([...BAD_NAMES, ...MORE_BAD_NAMES])

/** Up to 2^53 - 1 is allowed. */
const BEYOND_INTEGERS: Readonly<Record<string, Item>> = {
  '2^53': new Raw(longHead(0, 2n ** 53n)),
  '2^64 - 1': new Raw(longHead(0, 2n ** 64n - 1n)),
  '-1': -1,
}

export const nameRules: readonly Rule[] = [
  {
    id: 'names/db-id',
    section: '2',
    holds: 'a dbId that is no name is invalid_request in every endpoint',
    check: async ({ api }) => {
      await forEachCase(badNames, async (name) => {
        await api.refused('handshake', { dbId: name, deviceId: 'd' }, 'invalid_request')
        await api.refused('pull', { dbId: name, sinceCursor: 0 }, 'invalid_request')
        await api.refused('push', { dbId: name, deviceId: 'd', ops: [] }, 'invalid_request')
        const digest = new Uint8Array(32)
        await api.refused('verify', { dbId: name, cursor: 0, digest }, 'invalid_request')
      })
    },
  },
  {
    id: 'names/device-id',
    section: '2',
    holds:
      'a deviceId that is no name, or is server, is invalid_request in every endpoint that takes one',
    check: async (bench) => {
      const { api, dbId } = bench
      await forEachCase({ ...badNames, server: 'server' }, async (deviceId) => {
        await api.refused('handshake', { dbId, deviceId }, 'invalid_request')
        if (bench.knowsExtensions) {
          await api.refused('pull', { dbId, sinceCursor: 0, deviceId }, 'invalid_request')
        }
        await api.refused('push', { dbId, deviceId, ops: [] }, 'invalid_request')
      })
    },
  },
  {
    id: 'names/collection',
    section: '2',
    holds: 'a collection that is no name is invalid_request, in pushes and in the filter of pulls',
    check: async (bench) => {
      const { api, dbId } = bench
      const device = bench.device()
      const cases = casesOf(['', '_x', 'a.b', 'a b', 'ä', 'c'.repeat(65)])
      await forEachCase(cases, async (collection) => {
        await device.refused('invalid_request', [device.put('e1', {}, { collection })])
        const pull = { dbId, sinceCursor: 0, collections: [collection] }
        if (bench.knowsExtensions) await api.refused('pull', pull, 'invalid_request')
      })
    },
  },
  {
    id: 'names/entity-id',
    section: '2',
    holds: 'an entityId of 0 or of more than 512 bytes of UTF-8 is invalid_request',
    check: async (bench) => {
      const device = bench.device()
      const ids = {
        'no bytes': '',
        '513 bytes': 'x'.repeat(513),
        '513 bytes of UTF-8': `${'é'.repeat(256)}x`,
      }
      await forEachCase(ids, async (entityId) => {
        await device.refused('invalid_request', [device.put(entityId)])
      })
    },
  },
  {
    id: 'names/longest',
    section: '2',
    holds: 'names of the greatest lengths are accepted and come back as they were sent',
    check: async (bench) => {
      const collection = bench.newCollection(64)
      const deviceId = `cf-${'D.-_9'.repeat(25)}`.slice(0, 112) + bench.device().id.slice(3)
      const device = bench.device({ collection, deviceId })
      const since = await device.head()
      const ops = ['x'.repeat(512), 'é'.repeat(256), '\u{1f600}'.repeat(128)].map((id) =>
        device.put(id),
      )
      const pushed = await device.push(...ops)
      pushed.expectCommitted(...ops)
      const pulled = await device.pullOwn(since)
      const names = pulled.map(({ entityId, deviceId: author }) => [entityId, author])
      expectEqual(
        'entityId and deviceId, pulled',
        names,
        ops.map((op) => [op.entityId, deviceId]),
      )
    },
  },
  {
    id: 'names/unicode',
    section: '2',
    holds: 'entityIds are compared byte by byte and never normalised',
    check: async (bench) => {
      const device = bench.device()
      const since = await device.head()
      const odd = [
        '\u00e9',
        'e\u0301',
        '\ufeffx',
        'x',
        'X',
        '\u0000',
        '__proto__',
        'constructor',
        ' x',
        'a/"b"',
      ]
      const ops = odd.map((id) => device.put(id))
      const pushed = await device.push(...ops)
      pushed.expectCommitted(...ops)
      const pulled = await device.pullOwn(since)
      expectEqual(
        'entityIds, pulled',
        pulled.map(({ entityId }) => entityId),
        odd,
      )
    },
  },
  {
    id: 'names/integers',
    section: '2',
    holds: 'an integer below 0 or above 2^53 - 1 is invalid_request',
    check: async (bench) => {
      const { api, dbId } = bench
      const device = bench.device()
      await forEachCase(BEYOND_INTEGERS, async (value) => {
        await api.refused('pull', { dbId, sinceCursor: value }, 'invalid_request')
        await device.refused('invalid_request', [{ ...device.put('e1'), opId: value }])
        await device.refused('invalid_request', [{ ...device.put('e1'), entityVersion: value }])
        if (!bench.knowsExtensions) return
        await device.refused('invalid_request', [{ ...device.put('e1'), schemaVersion: value }])
        await device.refused('invalid_request', [], { sinceCursor: value })
      })
    },
  },
  {
    id: 'names/largest-integers',
    section: '2',
    holds: 'an opId and a schemaVersion of 2^53 - 1 and a tx of 2^32 - 1 are accepted',
    check: async (bench) => {
      const device = bench.device()
      const largest = { opId: Number.MAX_SAFE_INTEGER, schemaVersion: Number.MAX_SAFE_INTEGER }
      const op = device.put('e1', {}, { ...largest, tx: 2 ** 32 - 1 })
      expectEqual('outcome', (await device.push(op)).outcomeOf(op), 'committed')
    },
  },
  {
    id: 'names/op-id',
    section: '2',
    holds: 'an opId of 0 is invalid_request in a push',
    check: async (bench) => {
      const device = bench.device()
      await device.refused('invalid_request', [device.put('e1', {}, { opId: 0 })])
    },
  },
  {
    id: 'names/op-id-per-device',
    section: '2',
    holds: 'opIds are per device: the same opId of another device is another operation',
    check: async (bench) => {
      const one = bench.device()
      const two = bench.device({ collection: one.collection })
      const [first, second] = [one.put('e1'), two.put('e2')]
      expectEqual('outcome of the first', (await one.push(first)).outcomeOf(first), 'committed')
      expectEqual('outcome of the second', (await two.push(second)).outcomeOf(second), 'committed')
    },
  },
  {
    id: 'names/tx',
    section: '2',
    holds: 'a tx beyond 2^32 - 1 or below 0 is invalid_request',
    needs: ['extensions'],
    check: async (bench) => {
      const device = bench.device()
      await forEachCase({ '2^32': 2 ** 32, '-1': -1 }, async (tx) => {
        await device.refused('invalid_request', [device.put('e1', {}, { tx })])
      })
    },
  },
  {
    id: 'names/timestamp',
    section: '2',
    holds: 'timestampMs goes from -(2^53 - 1) to 2^53 - 1; anything else is invalid_request',
    check: async (bench) => {
      const device = bench.device()
      const max = Number.MAX_SAFE_INTEGER
      const ops = [-max, -1, 0, max].map((ms) => device.put(`e${ms}`, {}, { timestampMs: ms }))
      const pushed = await device.push(...ops)
      pushed.expectCommitted(...ops)
      const cases = { '2^53': longHead(0, 2n ** 53n), '-(2^53)': longHead(1, 2n ** 53n - 1n) }
      await forEachCase({ ...cases, 'a float': encodeItem(1.5) }, async (bytes) => {
        const timestampMs = new Raw(bytes)
        await device.refused('invalid_request', [{ ...device.put('e9'), timestampMs }])
      })
    },
  },
  {
    id: 'names/ids-of-16-bytes',
    section: '2',
    holds: 'an epoch or replicaId of other than 16 bytes is invalid_request',
    needs: ['extensions'],
    check: async (bench) => {
      const { api, dbId } = bench
      const device = bench.device()
      const wrong = {
        '15 bytes': new Uint8Array(15),
        '17 bytes': new Uint8Array(17),
        text: 'x'.repeat(16),
      }
      await forEachCase(wrong, async (id) => {
        for (const key of ['epoch', 'replicaId']) {
          const named = { deviceId: device.id, [key]: id }
          await api.refused('handshake', { dbId, ...named }, 'invalid_request')
          await api.refused('pull', { dbId, sinceCursor: 0, ...named }, 'invalid_request')
          await device.refused('invalid_request', [], { [key]: id })
        }
      })
    },
  },
  {
    id: 'names/stream',
    section: '13',
    holds: 'a stream without a dbId, or with one that is no name when decoded, is invalid_request',
    check: async ({ api }) => {
      const queries = [
        '',
        '?',
        '?dbId',
        '?dbid=x',
        '?dbId=',
        '?dbId=%2e%2e',
        '?dbId=..%2Fx',
        '?dbId=a%20b',
      ]
      await forEachCase(casesOf(queries), async (query) => {
        const path = `/v1/stream${query}`
        const answer = await api.exchange({ method: 'GET', path, headers: [api.authorization] })
        expectError(answer, 'invalid_request')
      })
    },
  },
]

/** Each value under itself, as a report shows it. */
function casesOf(values: readonly string[]): Record<string, string> {
  return Object.fromEntries(values.map((value) => [JSON.stringify(value), value]))
}
