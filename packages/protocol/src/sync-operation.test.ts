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

  test('decoder: keys in another order, or unknown ones among them -> the same operation', () => {
    const bytes = encodeSyncOperation(put)
    // The map of 8 with its first key, dbId, moved to the end; then with an unknown key `x` before it.
    const dbId = bytes.subarray(1, 12)
    const rest = bytes.subarray(12)
    const turned = Uint8Array.of(0xa8, ...rest, ...dbId)
    const extended = Uint8Array.of(0xa9, 0x61, 0x78, 0xf6, ...bytes.subarray(1))
    expect(decodeSyncOperation(turned)).toEqual(put)
    expect(decodeSyncOperation(extended)).toEqual(put)
  })

  test.each([
    ['a key twice', [0xa9], [0x64, 0x64, 0x62, 0x49, 0x64, 0x61, 0x61], 'dbId', 'duplicate_key'],
    ['a key that is missing', [0xa7], [], 'dbId', 'missing_field'],
  ] as const)('decoder: %s -> its path', (_, head, extra, path, reason) => {
    const bytes = encodeSyncOperation(put)
    const body = reason === 'missing_field' ? bytes.subarray(12) : bytes.subarray(1)
    const wrong = Uint8Array.of(...head, ...body, ...extra)
    expect(() => decodeSyncOperation(wrong)).toThrow(
      expect.objectContaining({ details: expect.objectContaining({ path, reason }) }),
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
