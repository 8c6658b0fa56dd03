// What a first sync takes on the wire in both directions, headers and TLS included, over the CBOR of its entities.
import { encodeEntity } from '@entidb/core/cbor'
import { entityAt } from '../../harness/data-set.mjs'
import { countBytes } from '../byte-counter.mjs'
import { assertHolds } from '../checks.mjs'

function wireOf(name, { words, gzip, goals }) {
  return {
    name,
    rows: [
      {
        name,
        title: `bytes on the wire for a first sync of 20,000, ${words}, over the CBOR of the entities`,
        unit: 'x CBOR',
        isTimed: false,
        digits: 3,
        lessIsBetter: true,
        goals,
      },
    ],
    place: 'copy',
    size: 'small',
    scales: false,
    async run({ count, open }) {
      const stack = await open()
      const server = await stack.startServer({ gzip })
      const counter = await countBytes(server)
      const device = await stack.openDevice('device', { ...counter.server, gzip })
      await device.pull()
      const bytes = counter.bytes()
      await assertHolds(device, count)
      await stack.close()
      counter.close()
      return { [name]: bytes / cborBytes(count) }
    },
  }
}

function cborBytes(count) {
  let bytes = 0
  for (let i = 0; i < count; i++) bytes += encodeEntity(entityAt(i)).length
  return bytes
}

const LEAST_OF_ALL = { over: 'best peer', most: 1 }

export const wire = wireOf('wire', {
  ...{ words: 'uncompressed', gzip: false },
  goals: [{ most: 1.15 }, LEAST_OF_ALL],
})
export const wireCompressed = wireOf('wire-gzip', {
  ...{ words: 'compressed (gzip, or deflate of the WebSocket)', gzip: true },
  goals: [LEAST_OF_ALL],
})
