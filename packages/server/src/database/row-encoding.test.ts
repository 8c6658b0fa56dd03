import { encodeEntity } from '@entidb/core/cbor'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AcceptedOpRow, EntityRow, OplogRow } from './collections.ts'
import { encodeAcceptedOpRow, encodeEntityRow, encodeOplogRow } from './row-encoding.ts'

const text = fc.string({ unit: 'grapheme', maxLength: 40 })
const uint = fc.nat({ max: Number.MAX_SAFE_INTEGER })
const bytes = fc.uint8Array({ maxLength: 300 })

const entityRow: fc.Arbitrary<EntityRow> = fc.record(
  {
    id: text,
    collection: text,
    entityId: text,
    entityVersion: uint,
    entityCbor: fc.option(bytes),
    deleted: fc.boolean(),
    updatedByDevice: text,
    schemaVersion: uint,
    sourceOpId: uint,
    timestampMs: fc.maxSafeInteger(),
  },
  {
    requiredKeys: [
      'id',
      'collection',
      'entityId',
      'entityVersion',
      'entityCbor',
      'deleted',
      'updatedByDevice',
      'schemaVersion',
    ],
  },
)

const oplogRow: fc.Arbitrary<OplogRow> = fc.record(
  {
    id: text,
    serverCursor: uint,
    dbId: text,
    collection: text,
    entityId: text,
    opType: fc.constantFrom('PUT', 'DELETE'),
    sourceDeviceId: text,
    sourceOpId: uint,
    tx: uint,
    replaces: uint,
    operationCbor: bytes,
  },
  {
    requiredKeys: [
      'id',
      'serverCursor',
      'dbId',
      'collection',
      'entityId',
      'opType',
      'sourceDeviceId',
      'operationCbor',
    ],
  },
)

const acceptedRow: fc.Arbitrary<AcceptedOpRow> = fc.record({
  id: text,
  contentHash: bytes,
  revision: uint,
  noop: fc.boolean(),
})

test('rows of a push: any values -> the bytes that any entity gets', () => {
  fc.assert(
    fc.property(entityRow, oplogRow, acceptedRow, (entity, oplog, accepted) => {
      expect(encodeEntityRow(entity)).toEqual(encodeEntity(entity))
      expect(encodeOplogRow(oplog)).toEqual(encodeEntity(oplog))
      expect(encodeAcceptedOpRow(accepted)).toEqual(encodeEntity(accepted))
    }),
  )
})
