/** What an entity may be made of: section 4.1. */
import type { Bench } from '../bench.ts'
import { bytesOf, encodeItem, type Item, joined, longHead, Pairs, Raw, raw } from '../cbor-item.ts'
import type { Device } from '../device.ts'
import { expectEqual, forEachCase } from '../expectations.ts'
import { entityOf, type Operation } from '../operation.ts'
import type { Rule } from '../rule.ts'

/** An entity of so many levels, itself included. */
function nested(levels: number): Uint8Array {
  const arrays = joined(new Uint8Array(levels - 2).fill(0x81), bytesOf('80'))
  return entityOf('e1', { v: new Raw(arrays) })
}

const withValue = (hex: string): Uint8Array => entityOf('e1', { v: raw(hex) })

const GOOD = entityOf('e1')

const REFUSED: Readonly<Record<string, Uint8Array>> = {
  'no bytes': new Uint8Array(0),
  'a cut map': GOOD.subarray(0, -1),
  'a byte behind it': joined(GOOD, bytesOf('00')),
  'another id': entityOf('e2'),
  'no id': encodeItem({ text: 'e1' }),
  'an id of bytes': encodeItem({ id: new Uint8Array(Buffer.from('e1')) }),
  'an array': encodeItem(['id', 'e1']),
  null: bytesOf('f6'),
  'tag 24': joined(bytesOf('d8 18'), encodeItem(GOOD)),
  'a tagged map': joined(bytesOf('c1'), GOOD),
  'keys out of order': encodeItem(
    new Pairs([
      ['text', 'a'],
      ['id', 'e1'],
    ]),
  ),
  'keys out of order inside': entityOf('e1', {
    v: new Pairs([
      ['b', 1],
      ['a', 2],
    ]),
  }),
  'a key twice': encodeItem(
    new Pairs([
      ['id', 'e1'],
      ['id', 'e1'],
    ]),
  ),
  'a key that is no text': encodeItem(
    new Pairs([
      ['id', 'e1'],
      [5, 1],
    ]),
  ),
  'an indefinite map': joined(bytesOf('bf'), GOOD.subarray(1), bytesOf('ff')),
  'an indefinite text': withValue('7f 61 61 ff'),
  'an indefinite array': withValue('9f ff'),
  'a length that is not shortest': joined(bytesOf('b8 01'), GOOD.subarray(1)),
  'an integer that is not shortest': withValue('18 17'),
  'a float that holds an integer': withValue('f9 3c00'),
  'a float that is too long': withValue('fa 3fc00000'),
  'another NaN': withValue('f9 7e01'),
  undefined: withValue('f7'),
  'a simple value': withValue('f0'),
  'an unknown tag': withValue('c0 61 61'),
  'a big integer with a leading zero': withValue('c2 42 0001'),
  'a date of text': withValue('c1 61 61'),
  'a date of whole seconds as float': withValue('c1 fb 3ff0000000000000'),
  'text that is not UTF-8': withValue('61 ff'),
  'a length beyond its end': entityOf('e1', { v: new Raw(longHead(2, 2n ** 40n)) }),
  'a map of 2^63': entityOf('e1', { v: new Raw(longHead(5, 2n ** 63n)) }),
}

const KINDS: Readonly<Record<string, Item>> = {
  integers: [
    0,
    23,
    24,
    255,
    256,
    65_536,
    2 ** 32,
    Number.MAX_SAFE_INTEGER,
    -1,
    -25,
    -Number.MAX_SAFE_INTEGER,
  ],
  floats: [0.5, 1.1, 100_000.5, -0, Number.NaN, Infinity, -Infinity, 2 ** 53, 5e-324],
  'big integers': [
    raw('c2 47 20000000000000'),
    raw('c3 41 01'),
    raw('c2 40'),
    new Raw(longHead(0, 2n ** 63n)),
  ],
  dates: [
    raw('c1 1a 6553f100'),
    raw('c1 00'),
    raw('c1 fb bf50624dd2f1a9fc'),
    raw('c1 fb 3ff8000000000000'),
  ],
  rest: [
    null,
    true,
    false,
    '',
    'Zoë \u{1f600}',
    new Uint8Array(0),
    new Uint8Array(300),
    [],
    {},
    { '': 1 },
  ],
}

interface RefusedPut {
  readonly name: string
  readonly op: Operation
}

/** Every entity of the table, each in a collection of its own, for a few pushes. */
function* refusedPuts(bench: Bench, device: Device): Generator<readonly RefusedPut[]> {
  const refused = Object.entries(REFUSED)
  const pushMax = Math.max(1, Math.min(bench.limits.maxOpsPerPush - 1, 100))
  for (let start = 0; start < refused.length; start += pushMax) {
    yield refused.slice(start, start + pushMax).map(([name, entityCbor]) => ({
      name,
      op: device.put('e1', {}, { entityCbor, collection: bench.newCollection() }),
    }))
  }
}

export const entityRules: readonly Rule[] = [
  {
    id: 'entities/refused',
    section: '4.1',
    holds:
      'an entity that breaks a rule of 4.1 is rejected as invalid_entity; the operations around it are committed',
    needs: ['rejections'],
    check: async (bench) => {
      const device = bench.device()
      for (const bad of refusedPuts(bench, device)) {
        const good = device.put(`good ${device.opId}`)
        const pushed = await device.push(...bad.map(({ op }) => op), good)
        await forEachCase(Object.fromEntries(bad.map(({ name, op }) => [name, op])), async (op) => {
          expectEqual('outcome', pushed.reasons(op), ['invalid_entity'])
        })
        expectEqual('outcome of a good one', pushed.reasons(good), ['committed'])
      }
    },
  },
  {
    id: 'entities/not-stored',
    section: '4.1',
    holds: 'an entity that breaks a rule of 4.1 is not stored',
    check: async (bench) => {
      const device = bench.device()
      const since = await device.head()
      for (const bad of refusedPuts(bench, device)) await device.push(...bad.map(({ op }) => op))
      const pages = await device.pullPages(since)
      const stored = pages.flatMap(({ ops }) => ops).filter((op) => op.deviceId === device.id)
      expectEqual('operations in the log', stored.length, 0)
    },
  },
  {
    id: 'entities/values',
    section: '4.1',
    holds: 'every kind of value is stored and pulled byte for byte',
    check: async (bench) => {
      const device = bench.device()
      const since = await device.head()
      const op = device.put('e1', KINDS)
      const pushed = await device.push(op)
      expectEqual('outcome', pushed.reasons(op), ['committed'])
      const pulled = await device.pullOwn(since)
      expectEqual(
        'entityCbor, pulled',
        pulled.map(({ entityCbor }) => entityCbor),
        [op.entityCbor],
      )
    },
  },
  {
    id: 'entities/depth',
    section: '4.1',
    holds:
      'an entity of maxDepth levels is stored; one level more, or thousands, is invalid_entity',
    needs: ['rejections'],
    check: async (bench) => {
      const { maxDepth, maxEntityBytes } = bench.limits
      const device = bench.device()
      const fits = device.put('e1', {}, { entityCbor: nested(maxDepth) })
      expectEqual('outcome', (await device.push(fits)).reasons(fits), ['committed'])
      const deepest = Math.min(10_000, maxEntityBytes - 100)
      await forEachCase({ [maxDepth + 1]: maxDepth + 1, [deepest]: deepest }, async (levels) => {
        const deep = device.put('e1', {}, { entityCbor: nested(levels) })
        expectEqual('outcome', (await device.push(deep)).reasons(deep), ['invalid_entity'])
      })
    },
  },
  {
    id: 'entities/size',
    section: '4.1',
    holds: 'an entity of maxEntityBytes is stored; one byte more is rejected as too_large',
    needs: ['rejections'],
    check: async (bench) => {
      const { maxEntityBytes, maxBodyBytes } = bench.limits
      bench.bodyBytesUpTo(maxEntityBytes)
      const device = bench.device()
      const sized = (id: string, bytes: number): Uint8Array => {
        const around = entityOf(id, { v: new Uint8Array(bytes) }).length - bytes
        return entityOf(id, { v: new Uint8Array(bytes - around) })
      }
      const fits = device.put('e1', {}, { entityCbor: sized('e1', maxEntityBytes) })
      expectEqual('outcome at the limit', (await device.push(fits)).reasons(fits), ['committed'])
      if (maxBodyBytes < maxEntityBytes + 1_024) return
      const large = device.put('e2', {}, { entityCbor: sized('e2', maxEntityBytes + 1) })
      expectEqual('outcome beyond it', (await device.push(large)).reasons(large), ['too_large'])
    },
  },
  {
    id: 'entities/delete',
    section: '4.1',
    holds: 'a PUT without bytes, a DELETE with bytes and bytes that are a map are invalid_request',
    check: async (bench) => {
      const device = bench.device()
      await device.refused('invalid_request', [device.put('e1', {}, { entityCbor: null })])
      await device.refused('invalid_request', [device.delete('e1', 0, { entityCbor: GOOD })])
      await device.refused('invalid_request', [{ ...device.put('e1'), entityCbor: { id: 'e1' } }])
      const tagged = new Raw(joined(bytesOf('d8 18'), encodeItem(GOOD)))
      await device.refused('invalid_request', [{ ...device.put('e1'), entityCbor: tagged }])
      await device.refused('invalid_request', [{ ...device.put('e1'), opType: 'PATCH' }])
      await device.refused('invalid_request', [{ ...device.put('e1'), opType: 'put' }])
    },
  },
]
