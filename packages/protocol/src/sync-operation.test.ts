import { describe, expect, test } from 'vitest'
import type { SyncOperation } from './messages.ts'
import { decodeSyncOperation, encodeSyncOperation } from './sync-operation.ts'

const put: SyncOperation = {
  opId: 1,
  dbId: 'notes',
  deviceId: 'phone-1',
  collection: 'notes',
  entityId: 'n1',
  opType: 'PUT',
  entityVersion: 0,
  entityCbor: Uint8Array.of(0xa0),
}

describe('encodeSyncOperation', () => {
  test('encoder: an optional field that is undefined -> left out', () => {
    // What JavaScript callers do, though the type forbids it.
    const sloppy = { ...put, tx: undefined } as unknown as SyncOperation
    expect(encodeSyncOperation(sloppy)).toEqual(encodeSyncOperation(put))
  })

  test.each<[string, Partial<Record<keyof SyncOperation, unknown>>]>([
    ['a put without bytes', { entityCbor: null }],
    ['a delete with bytes', { opType: 'DELETE' }],
    ['a fraction', { opId: 1.5 }],
    ['a negative number', { entityVersion: -1 }],
    ['a number beyond 2^53', { entityVersion: 2 ** 53 }],
    ['a tx beyond 32 bits', { tx: 2 ** 32 }],
    ['a bad name', { collection: '_notes' }],
    ['an unknown opType', { opType: 'PATCH' }],
    ['opId 0 of a device', { opId: 0 }],
    ['a lone surrogate', { entityId: '\ud800' }],
  ])('encoder: %s -> TypeError, as no decoder would take it', (_, fields) => {
    // The point is to break the type.
    const wrong = { ...put, ...fields } as SyncOperation
    expect(() => encodeSyncOperation(wrong)).toThrow(TypeError)
    expect(decodeSyncOperation(encodeSyncOperation(put))).toEqual(put)
  })
})

describe('decodeSyncOperation', () => {
  test('decoder: entityCbor -> a view of the input, not a copy', () => {
    const bytes = encodeSyncOperation(put)
    expect(decodeSyncOperation(bytes).entityCbor?.buffer).toBe(bytes.buffer)
  })

  test('decoder: a view into a larger buffer -> reads only the view', () => {
    const bytes = encodeSyncOperation(put)
    const larger = new Uint8Array(bytes.length + 20).fill(0xff)
    larger.set(bytes, 10)
    expect(decodeSyncOperation(larger.subarray(10, 10 + bytes.length))).toEqual(put)
  })

  test('decoder: malformed, told that it is a response -> invalid_response', () => {
    expect(() => decodeSyncOperation(Uint8Array.of(0x80), 'invalid_response')).toThrow(
      expect.objectContaining({ code: 'invalid_response' }),
    )
  })

  test('decoder: malformed -> path, reason and the offset of the item', () => {
    const bytes = encodeSyncOperation(put)
    const name = Buffer.from('entityVersion')
    const offset = Buffer.from(bytes).indexOf(name) + name.length
    bytes[offset] = 0xf6
    expect(() => decodeSyncOperation(bytes)).toThrow(
      expect.objectContaining({
        code: 'invalid_request',
        message: 'Invalid request at entityVersion: unexpected type',
        details: { path: 'entityVersion', reason: 'unexpected_type', offset },
      }),
    )
  })
})
