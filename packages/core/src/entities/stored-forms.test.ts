import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeFeedRow, encodeFeedRow, feedKey, opIdOfKey } from './feed-row.ts'
import {
  decodeRecord,
  encodeRecord,
  entityBytes,
  HEADER_BYTES_MAX,
  writeHeaderBefore,
} from './record.ts'
import { decodeReplicaRow, encodeReplicaRow } from './replica-row.ts'

const numbers = fc.oneof(fc.nat(300), fc.maxSafeNat())
const bytes = fc.uint8Array({ maxLength: 20 })

describe('records', () => {
  const headers = fc
    .record({
      pending: fc.boolean(),
      revision: numbers,
      schemaVersion: fc.nat(300),
      stamp: numbers,
    })
    .chain((header) =>
      fc
        .nat(Math.min(300, Number.MAX_SAFE_INTEGER - header.stamp))
        .map((touched) => ({ ...header, opId: header.pending ? header.stamp + touched : 0 })),
    )

  test('any header and entity -> read back, whole or written before the entity', () => {
    fc.assert(
      fc.property(headers, bytes, (header, entity) => {
        const stored = decodeRecord(encodeRecord(header, entity))
        expect(stored).toMatchObject(header)
        expect(entityBytes(stored)).toEqual(entity)
        const buffer = new Uint8Array(HEADER_BYTES_MAX + entity.length)
        buffer.set(entity, HEADER_BYTES_MAX)
        const start = writeHeaderBefore(buffer, HEADER_BYTES_MAX, HEADER_BYTES_MAX, header)
        if (start === undefined) return
        expect(buffer.subarray(start)).toEqual(encodeRecord(header, entity))
      }),
    )
  })
})

describe('replica rows', () => {
  test('any -> read back', () => {
    const row = fc.record({
      kind: fc.constantFrom('tombstone' as const, 'base' as const, 'pendingDelete' as const),
      state: fc.record({ version: numbers, schemaVersion: numbers, bytes: fc.option(bytes) }),
      opId: numbers,
    })
    fc.assert(
      fc.property(row, (one) => {
        expect(decodeReplicaRow(encodeReplicaRow(one))).toEqual(one)
      }),
    )
  })
})

describe('feed rows', () => {
  test('any -> read back', () => {
    const entry = fc.record({
      opId: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      collection: fc.constantFrom('a', 'people'),
      entityId: fc.constantFrom('x', 'é\u{1f30d}', '\ufeffbom', 'x'.repeat(500)),
      payload: fc.option(bytes),
      entityVersion: numbers,
      schemaVersion: numbers,
      timestampMs: fc.double({ noNaN: true }),
      origin: fc.constantFrom('local', 'sync', ''),
      transactionId: numbers,
      transactionLast: fc.boolean(),
      staleBase: fc.boolean(),
    })
    fc.assert(
      fc.property(entry, (one) => {
        const row = encodeFeedRow(one, one.transactionLast)
        expect(decodeFeedRow(opIdOfKey(feedKey(one.opId)), row)).toEqual(one)
      }),
    )
  })
})
