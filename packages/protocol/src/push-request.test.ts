import { describe, expect, test } from 'vitest'
import type { PushRequest, SyncOperation } from './messages.ts'
import {
  assertPushRequest,
  decodePushRequest,
  encodePushRequest,
  encodePushRequestFromOps,
} from './push-request.ts'
import { encodeSyncOperation } from './sync-operation.ts'

function put(opId: number, fields: Partial<SyncOperation> = {}): SyncOperation {
  return {
    opId,
    dbId: 'notes',
    deviceId: 'phone-1',
    collection: 'notes',
    entityId: `n${opId}`,
    opType: 'PUT',
    entityVersion: 0,
    entityCbor: Uint8Array.of(0xa0),
    ...fields,
  }
}

function push(...ops: readonly SyncOperation[]): PushRequest {
  return { dbId: 'notes', deviceId: 'phone-1', ops }
}

describe('encodePushRequestFromOps', () => {
  test('encoder: operations encoded before -> the bytes of encodePushRequest', () => {
    const request = { ...push(put(1), put(2)), epoch: new Uint8Array(16), sinceCursor: 7 }
    const encoded = { ...request, ops: request.ops.map(encodeSyncOperation) }
    expect(encodePushRequestFromOps(encoded)).toEqual(encodePushRequest(request))
  })
})

describe('decodePushRequest', () => {
  test('decoder: 5,000 operations -> all of them, their bytes views of the input', () => {
    const request = push(...Array.from({ length: 5_000 }, (_, index) => put(index + 1)))
    const bytes = encodePushRequest(request)
    const decoded = decodePushRequest(bytes)
    expect(decoded).toEqual(request)
    expect(decoded.ops.every(({ entityCbor }) => entityCbor?.buffer === bytes.buffer)).toBe(true)
  })

  test('decoder: rules across operations -> left to assertPushRequest', () => {
    const request = push(put(2), put(1))
    const decoded = decodePushRequest(encodePushRequest(request))
    expect(() => assertPushRequest(decoded)).toThrow(
      expect.objectContaining({ code: 'invalid_request' }),
    )
  })
})

describe('assertPushRequest', () => {
  test('rules: nothing, or increasing opIds on different entities -> nothing thrown', () => {
    assertPushRequest(push())
    assertPushRequest(push(put(1), put(5), put(6)))
    assertPushRequest(push(put(1, { collection: 'a', entityId: 'x' }), put(2, { entityId: 'x' })))
  })

  test('rules: a slash in an entityId -> no other entity', () => {
    const [a, b] = [put(1, { collection: 'a', entityId: 'b/c' }), put(2, { entityId: 'a/b/c' })]
    assertPushRequest(push(a, b))
  })

  test.each<[string, PushRequest, string, string]>([
    ['an opId twice', push(put(1), put(1, { entityId: 'x' })), 'ops[1].opId', 'not_increasing'],
    ['opIds that fall', push(put(2), put(1)), 'ops[1].opId', 'not_increasing'],
    ['opId 0', push(put(0)), 'ops[0].opId', 'not_increasing'],
    [
      'an entity twice',
      push(put(1), put(2, { entityId: 'n1' })),
      'ops[1].entityId',
      'entity_repeated',
    ],
    ['another dbId', push(put(1, { dbId: 'x' })), 'ops[0].dbId', 'differs_from_request'],
    [
      'another deviceId',
      push(put(1, { deviceId: 'x' })),
      'ops[0].deviceId',
      'differs_from_request',
    ],
  ])('rules: %s -> invalid_request with the path', (_, request, path, reason) => {
    expect(() => assertPushRequest(request)).toThrow(
      expect.objectContaining({ code: 'invalid_request', details: { path, reason } }),
    )
  })
})
