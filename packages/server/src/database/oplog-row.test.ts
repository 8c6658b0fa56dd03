import { decodeEntity, encodeEntity } from '@entidb/core/cbor'
import { describe, expect, test } from 'vitest'
import { readPulledRow } from './oplog-row.ts'

const row = {
  id: '0000000000000007',
  serverCursor: 7,
  dbId: 'db',
  collection: 'items',
  entityId: 'x',
  opType: 'PUT',
  sourceDeviceId: 'device-a',
  sourceOpId: 3,
  operationCbor: Uint8Array.of(1, 2, 3),
}

function withoutOpId() {
  const { sourceOpId: _, ...rest } = row
  return rest
}

describe('readPulledRow', () => {
  test.each([
    ['as pushed', row],
    ['of a group', { ...row, tx: 12 }],
    ['that replaces another', { ...row, replaces: 5 }],
    ['of the server itself', { ...withoutOpId(), sourceDeviceId: 'server' }],
    ['of a later version of the server', { ...row, compactedAt: 5 }],
    ['with long names', { ...row, entityId: 'x'.repeat(512), collection: 'y'.repeat(64) }],
  ])('a row %s -> what decoding it would give', (_, stored) => {
    const bytes = encodeEntity(stored)
    const decoded = decodeEntity(bytes)
    for (let times = 0; times < 2; times++) expect(decoded).toMatchObject(readPulledRow(bytes))
    expect(readPulledRow(bytes).tx).toBe('tx' in stored ? stored.tx : undefined)
    expect(readPulledRow(bytes).replaces).toBe('replaces' in stored ? stored.replaces : undefined)
    expect(readPulledRow(bytes).operationCbor).toEqual(row.operationCbor)
  })

  test('rows of several collections and devices in turn -> each its own', () => {
    for (const name of ['a', 'b', 'b', 'a']) {
      const bytes = encodeEntity({ ...row, collection: name, sourceDeviceId: `of-${name}` })
      expect(readPulledRow(bytes)).toMatchObject({ collection: name, sourceDeviceId: `of-${name}` })
    }
  })
})
