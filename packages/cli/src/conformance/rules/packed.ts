/** Packed pages: section 7.1. */
import { CborReader } from '@entidb/core/cbor'
import { PACKED_FORM, UNKNOWN_DEPTH_MAX } from '@entidb/protocol'
import type { Bench } from '../bench.ts'
import type { ItemMap } from '../cbor-item.ts'
import type { Device } from '../device.ts'
import { expectEqual, expectThat, forEachCase } from '../expectations.ts'
import type { Rule } from '../rule.ts'

const asked = { packed: PACKED_FORM }

/** The answer to a pull as it came: its form, and what it says. */
async function pulled(bench: Bench, sinceCursor: number, more: ItemMap) {
  const answer = await bench.api.post('pull', { dbId: bench.dbId, sinceCursor, ...more })
  const page = bench.api.read('pull', answer)
  return { page, isPacked: keysOf(answer.body).includes('packed') }
}

function keysOf(message: Uint8Array): string[] {
  const reader = new CborReader(message)
  return Array.from({ length: reader.readMapHeader() }, () => {
    const key = reader.readText()
    reader.skip(UNKNOWN_DEPTH_MAX)
    return key
  })
}

/** Every page from `since` on, in both forms. Skips the rule when the server does not pack. */
async function expectSamePages(bench: Bench, since: number, more: ItemMap): Promise<void> {
  let packedPages = 0
  for (let cursor = since; ; ) {
    const plain = await pulled(bench, cursor, more)
    const packed = await pulled(bench, cursor, { ...more, ...asked })
    packedPages += Number(packed.isPacked)
    expectEqual(`the page after ${cursor}, packed`, packed.page, plain.page)
    const { hasMore, nextCursor } = plain.page
    if (!hasMore || nextCursor <= cursor) break
    cursor = nextCursor
  }
  if (packedPages === 0) bench.skip('the server answers as if packed pages were not asked for')
}

/** What operations can differ in, and where an entity can have its id. */
async function writeAllKinds(device: Device, other: Device): Promise<void> {
  await device.push(
    device.put('e1', { text: 'milk' }),
    device.put('e2', { a: [{ id: 'e2' }], b: 'e2' }, { timestampMs: -1, schemaVersion: 3 }),
    device.put('ü'.repeat(256), {}, { tx: 0, timestampMs: Number.MAX_SAFE_INTEGER }),
    device.put('e4', {}, { tx: 0, timestampMs: -Number.MAX_SAFE_INTEGER }),
  )
  const born = other.put('e5', {}, { tx: 0 })
  const base = (await other.push(born)).revisionOf(born)
  await device.push(device.put('e6', {}, { tx: 0, schemaVersion: 3 }))
  await other.push(other.delete('e5', base, { tx: 0 }), other.put('e7', {}, { tx: 0 }))
}

export const packedRules: readonly Rule[] = [
  {
    id: 'packed/same',
    section: '7.1',
    holds: 'a packed page has the same operations and says the same as the plain one',
    check: async (bench) => {
      const device = bench.device()
      const other = bench.device()
      const since = await device.head()
      await writeAllKinds(device, other)
      await forEachCase({ 'limit 1': 1, 'limit 3': 3, 'limit 30': 30 }, async (limit) => {
        await expectSamePages(bench, since, { limit })
      })
    },
  },
  {
    id: 'packed/unasked',
    section: '7.1',
    holds: 'a page is packed only for a request that asks for it, and for no older form',
    check: async (bench) => {
      const device = bench.device()
      const since = await device.head()
      await device.push(device.put('e1'), device.put('e2'))
      for (const deviceId of [device.id, bench.device().id]) {
        await pulled(bench, since, { deviceId, ...asked })
        for (const plain of [{}, { packed: PACKED_FORM - 1 }]) {
          const { isPacked } = await pulled(bench, since, { deviceId, ...plain })
          expectThat(!isPacked, 'a page with ops', 'a packed one')
        }
      }
    },
  },
  {
    id: 'packed/value',
    section: '7.1',
    holds: 'packed that is no integer of at least 1 is invalid_request; a later form is answered',
    check: async (bench) => {
      const device = bench.device()
      const since = await device.head()
      await device.push(device.put('e1'), device.put('e2'))
      if (!(await pulled(bench, since, asked)).isPacked) {
        bench.skip('the server answers as if packed pages were not asked for')
      }
      const pull = { dbId: bench.dbId, sinceCursor: since }
      await forEachCase({ '0': 0, '-1': -1, '1.5': 1.5, true: true }, async (packed) => {
        await bench.api.refused('pull', { ...pull, packed }, 'invalid_request')
      })
      const later = await bench.api.post('pull', { ...pull, packed: Number.MAX_SAFE_INTEGER })
      expectEqual('status for a later form', later.status, 200)
    },
  },
]
