/** What a body may be made of: section 4. */

import { isEntiDBError } from '@entidb/core'
import { assertDeterministicEntity } from '@entidb/core/cbor'
import type { Bench } from '../bench.ts'
import {
  bytesOf,
  encodeItem,
  type Item,
  type ItemMap,
  joined,
  longHead,
  Pairs,
  Raw,
  raw,
  sortedPairs,
} from '../cbor-item.ts'
import { expectEqual, forEachCase, RuleFailure } from '../expectations.ts'
import type { Rule } from '../rule.ts'
import type { WireAnswer } from '../wire.ts'

type Pair = readonly [Item, Item]

/** The pairs of a good pull, with `more` behind them. */
function pullPairs({ dbId, announced }: Bench, ...more: readonly Pair[]): Pair[] {
  return [['dbId', dbId], ['sinceCursor', announced.serverCursor], ...more]
}

function pullWith(bench: Bench, ...more: readonly Pair[]): Uint8Array {
  return encodeItem(new Pairs(pullPairs(bench, ...more)))
}

const withUnknown = (bench: Bench, item: Uint8Array): Uint8Array =>
  pullWith(bench, ['unknown', new Raw(item)])

const refuseEach = (bench: Bench, bodies: Readonly<Record<string, Uint8Array>>): Promise<void> =>
  forEachCase(bodies, async (body) => {
    await bench.api.refused('pull', body, 'invalid_request')
  })

const repeated = (hex: string, times: number): Uint8Array =>
  new Uint8Array(Buffer.from(hex.repeat(times), 'hex'))

/** `levels` arrays in each other, the innermost empty. */
const nestedArrays = (levels: number): Uint8Array =>
  joined(repeated('81', levels - 1), bytesOf('80'))

export const byteRules: readonly Rule[] = [
  {
    id: 'bytes/order-of-keys',
    section: '4',
    holds: 'keys of a received map may come in any order, at every level',
    check: async (bench) => {
      const device = bench.device()
      const op = device.put('e1', {}, { timestampMs: 1, tx: 0, schemaVersion: 2 })
      const body = encodeItem(reversed(device.request([op], { sinceCursor: await device.head() })))
      const answer = await bench.api.call('push', body)
      expectEqual('conflicts', answer.conflicts, [])
      expectEqual('acknowledgedUpToOpId', answer.acknowledgedUpToOpId, op.opId)
    },
  },
  {
    id: 'bytes/unknown-keys',
    section: '4',
    holds: 'unknown keys are ignored whatever well-formed value they have, at every level',
    check: async (bench) => {
      await forEachCase(UNKNOWN_VALUES, async (hex) => {
        await bench.api.call('pull', withUnknown(bench, bytesOf(hex)))
      })
      const nested = {
        '64 arrays': nestedArrays(64),
        '64 tags': joined(repeated('c1', 64), bytesOf('00')),
      }
      const maps = joined(repeated('a100', 63), bytesOf('a0'))
      await forEachCase({ ...nested, '64 maps': maps }, async (item) => {
        await bench.api.call('pull', withUnknown(bench, item))
      })
      const device = bench.device()
      const op = { ...device.put('e1'), '': 1.5, unknown: { a: [null] } }
      expectEqual('conflicts', (await device.call('push', device.request([op]))).conflicts, [])
    },
  },
  {
    id: 'bytes/unknown-depth',
    section: '4',
    holds: 'an unknown value that nests deeper than 64 is invalid_request, however deep it is',
    check: (bench) =>
      refuseEach(bench, {
        '65 arrays': withUnknown(bench, nestedArrays(65)),
        '10,000 arrays': withUnknown(bench, nestedArrays(10_000)),
        '10,000 maps': withUnknown(bench, joined(repeated('a100', 10_000), bytesOf('00'))),
        '10,000 tags': withUnknown(bench, joined(repeated('c1', 10_000), bytesOf('00'))),
        '10,000 open arrays': withUnknown(bench, repeated('9f', 10_000)),
      }),
  },
  {
    id: 'bytes/duplicate-keys',
    section: '4',
    holds: 'a key that comes twice is invalid_request, known or unknown, at every level',
    check: async (bench) => {
      await refuseEach(bench, {
        'a known key': pullWith(bench, ['sinceCursor', 0]),
        'an unknown key': pullWith(bench, ['x', 1], ['x', 1]),
      })
      const device = bench.device()
      const op = new Pairs([...sortedPairs(device.put('e1')), ['opId', 1]])
      const push = device.request([], { ops: [op] })
      await bench.api.refused('push', push, 'invalid_request')
    },
  },
  {
    id: 'bytes/indefinite-lengths',
    section: '4',
    holds: 'an indefinite length is invalid_request, also inside an ignored value',
    check: (bench) => {
      const good = pullWith(bench)
      return refuseEach(bench, {
        'the message': joined(bytesOf('bf'), good.subarray(1), bytesOf('ff')),
        'a text': encodeItem({
          dbId: new Raw(joined(bytesOf('7f'), encodeItem(bench.dbId), bytesOf('ff'))),
          sinceCursor: 0,
        }),
        'an array': pullWith(bench, ['collections', raw('9f ff')]),
        'an unknown value': withUnknown(bench, bytesOf('9f ff')),
        'inside an unknown value': withUnknown(bench, bytesOf('81 5f ff')),
      })
    },
  },
  {
    id: 'bytes/shortest',
    section: '4',
    holds: 'an integer or length that is not in its shortest form is invalid_request',
    check: (bench) => {
      const { dbId } = bench
      const longText = joined(bytesOf('79 00'), new Uint8Array([dbId.length]), Buffer.from(dbId))
      return refuseEach(bench, {
        'an integer': encodeItem({ dbId, sinceCursor: raw('18 00') }),
        'an integer of eight bytes': encodeItem({ dbId, sinceCursor: new Raw(longHead(0, 0n)) }),
        'the length of a text': encodeItem({ dbId: new Raw(longText), sinceCursor: 0 }),
        'the length of the message': joined(bytesOf('b8 02'), pullWith(bench).subarray(1)),
      })
    },
  },
  {
    id: 'bytes/tags-and-floats',
    section: '4',
    holds: 'a tag, a float for an integer or undefined is invalid_request',
    check: (bench) => {
      const { dbId } = bench
      const cursor = (item: Item): Uint8Array => encodeItem({ dbId, sinceCursor: item })
      return refuseEach(bench, {
        'a whole float': cursor(raw('f9 00 00')),
        'a float': cursor(raw('f9 3e 00')),
        'a big integer': cursor(raw('c2 41 00')),
        'a tagged integer': cursor(raw('c1 00')),
        undefined: cursor(raw('f7')),
        'a tagged message': joined(bytesOf('d9 d9f7'), pullWith(bench)),
      })
    },
  },
  {
    id: 'bytes/null',
    section: '4',
    holds: 'null anywhere but as entityCbor is invalid_request',
    check: async (bench) => {
      const { dbId } = bench
      await refuseEach(bench, {
        'a required field': encodeItem({ dbId, sinceCursor: null }),
        'an optional field': pullWith(bench, ['limit', null]),
      })
      const device = bench.device()
      await device.refused('invalid_request', [{ ...device.put('e1'), timestampMs: null }])
      await device.refused('invalid_request', [{ ...device.put('e1'), entityId: null }])
    },
  },
  {
    id: 'bytes/types',
    section: '4',
    holds: 'a field of another type, or a missing one, is invalid_request',
    check: async (bench) => {
      const { dbId } = bench
      await refuseEach(bench, {
        'bytes for text': encodeItem({ dbId: new Uint8Array(Buffer.from(dbId)), sinceCursor: 0 }),
        'text for an integer': encodeItem({ dbId, sinceCursor: '0' }),
        'a boolean for an integer': encodeItem({ dbId, sinceCursor: false }),
        'a field less': encodeItem({ dbId }),
        'another spelling': encodeItem({ dbid: dbId, sinceCursor: 0 }),
        'no fields': encodeItem({}),
      })
      const device = bench.device()
      await bench.api.refused('push', device.request([], { ops: {} }), 'invalid_request')
      for (const key of ['opId', 'entityId', 'opType', 'entityVersion', 'entityCbor']) {
        const op: ItemMap = { ...device.put('e1'), [key]: undefined }
        await forEachCase({ [`no ${key}`]: op }, async (item) => {
          await device.refused('invalid_request', [item])
        })
      }
    },
  },
  {
    id: 'bytes/utf-8',
    section: '4',
    holds: 'text that is not UTF-8 is invalid_request',
    check: async (bench) => {
      const device = bench.device()
      const cases = {
        'a cut sequence': '61 c3',
        'an overlong form': '62 c080',
        'a surrogate': '63 eda080',
      }
      await forEachCase(
        { ...cases, 'no lead byte': '61 80', 'beyond U+10FFFF': '64 f4908080' },
        async (hex) => {
          await device.refused('invalid_request', [{ ...device.put('e1'), entityId: raw(hex) }])
        },
      )
      await bench.api.refused('pull', pullWith(bench, [raw('61 ff'), 1]), 'invalid_request')
    },
  },
  {
    id: 'bytes/one-map',
    section: '4',
    holds: 'a body that is not one well-formed map and nothing behind it is invalid_request',
    check: (bench) => {
      const good = pullWith(bench)
      return refuseEach(bench, {
        'no bytes': new Uint8Array(0),
        'a cut map': good.subarray(0, -1),
        'a byte behind it': joined(good, bytesOf('00')),
        'the map twice': joined(good, good),
        'an array': bytesOf('80'),
        null: bytesOf('f6'),
        text: encodeItem('pull'),
        JSON: new Uint8Array(Buffer.from(`{"dbId":"${bench.dbId}","sinceCursor":0}`)),
        zeros: new Uint8Array(100),
        'break only': bytesOf('ff'),
        'a reserved head': bytesOf('bc'),
        'a key that is no text': pullWith(bench, [1, 1]),
        'a key of bytes': pullWith(bench, [bytesOf('78'), 1]),
        'an unknown value that is not well-formed': withUnknown(bench, bytesOf('f8 10')),
      })
    },
  },
  {
    id: 'bytes/declared-lengths',
    section: '4',
    holds: 'a length or count beyond the bytes that follow is invalid_request, at once',
    check: async (bench) => {
      const { dbId } = bench
      const huge = 2n ** 40n
      await refuseEach(bench, {
        'a text of 2^40': encodeItem({ dbId: new Raw(longHead(3, huge)), sinceCursor: 0 }),
        'unknown bytes of 2^40': withUnknown(bench, longHead(2, huge)),
        'an unknown array of 2^40': withUnknown(bench, longHead(4, huge)),
        'an unknown map of 2^63': withUnknown(bench, longHead(5, 2n ** 63n)),
        'a list of 2^40': pullWith(bench, ['collections', new Raw(longHead(4, huge))]),
        'a message of 2^40': longHead(5, huge),
        'a message of 2^31': joined(bytesOf('ba 80000000'), encodeItem('dbId'), encodeItem(dbId)),
      })
      const device = bench.device()
      const push = device.request([], { ops: new Raw(longHead(4, huge)) })
      await bench.api.refused('push', push, 'invalid_request')
    },
  },
  {
    id: 'bytes/answers',
    section: '4',
    holds:
      'answers and errors are written as the page says: keys in order, no key twice, shortest forms, definite lengths',
    check: async (bench) => {
      const { api, dbId } = bench
      const device = bench.device()
      const born = device.put('e1', { v: 1 }, { timestampMs: -1, tx: 3, schemaVersion: 2 })
      const bad = device.put('e2', {}, { entityCbor: bytesOf('ff') })
      const stale = device.put('e3', {}, { entityVersion: 7 })
      const since = await device.head()
      await forEachCase(
        {
          handshake: await api.post('handshake', { dbId, deviceId: device.id }),
          push: await api.post('push', device.request([born, bad, stale])),
          pull: await api.post('pull', { dbId, sinceCursor: since }),
          'an error': await api.post('pull', { dbId, sinceCursor: 0, limit: 0 }),
        },
        async (answer) => expectWrittenWell(answer),
      )
    },
  },
]

const UNKNOWN_VALUES: Readonly<Record<string, string>> = {
  'a float': 'f9 3c00',
  'a tag': 'c1 19 03e8',
  undefined: 'f7',
  null: 'f6',
  'a simple value': 'f8 ff',
  'an integer that is not shortest': '1b 0000000000000001',
  'a length that is not shortest': '59 0001 61',
  'keys that are no text': 'a2 01 02 80 03',
  'a key twice': 'a2 61 61 01 61 61 02',
  'text that is not UTF-8': '61 ff',
}

/** The rules for entities are the same and allow more values; what a field may hold was checked by reading it. */
function expectWrittenWell({ body }: WireAnswer): void {
  try {
    assertDeterministicEntity(body)
  } catch (error) {
    if (!isEntiDBError(error)) throw error
    throw new RuleFailure('deterministic CBOR', error.message)
  }
}

/** The same message with every map in reverse order. */
function reversed(item: Item | undefined): Item {
  if (item === undefined) return null
  if (Array.isArray(item)) return item.map((inner: Item) => reversed(inner))
  if (typeof item !== 'object' || item === null || item instanceof Uint8Array) return item
  if (item instanceof Raw || item instanceof Pairs) return item
  const pairs = sortedPairs(item as ItemMap).map(([key, value]) => [key, reversed(value)] as const)
  return new Pairs(pairs.reverse())
}
