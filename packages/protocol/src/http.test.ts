import { describe, expect, test } from 'vitest'
import { DEFAULT_LIMITS, httpStatusOf, isWireErrorCode } from './http.ts'
import { encodePushRequest } from './push-request.ts'

describe('httpStatusOf', () => {
  test.each([
    ['invalid_request', 400],
    ['unsupported_protocol', 400],
    ['unauthenticated', 401],
    ['forbidden', 403],
    ['unknown_database', 404],
    ['not_found', 404],
    ['method_not_allowed', 405],
    ['not_acceptable', 406],
    ['unsupported_media_type', 415],
    ['op_id_reused', 409],
    ['device_conflict', 409],
    ['epoch_mismatch', 409],
    ['cursor_moved', 409],
    ['cursor_expired', 410],
    ['too_large', 413],
    ['cursor_ahead', 422],
    ['rate_limited', 429],
    ['internal', 500],
    ['unavailable', 503],
  ] as const)('status: %s -> %i', (code, status) => {
    expect(httpStatusOf(code)).toBe(status)
    expect(isWireErrorCode(code)).toBe(true)
  })
})

describe('isWireErrorCode', () => {
  test.each(['corrupt', 'sync_stopped', 'constructor', ''])(
    'code: %j -> not of the wire',
    (code) => {
      expect(isWireErrorCode(code)).toBe(false)
    },
  )
})

describe('DEFAULT_LIMITS', () => {
  test('limits: one entity of the largest size, all names at their longest -> fits a body', () => {
    const dbId = 'd'.repeat(128)
    const deviceId = 'v'.repeat(128)
    const body = encodePushRequest({
      dbId,
      deviceId,
      epoch: new Uint8Array(16),
      replicaId: new Uint8Array(16),
      ops: [
        {
          opId: Number.MAX_SAFE_INTEGER,
          dbId,
          deviceId,
          collection: 'c'.repeat(64),
          entityId: 'e'.repeat(512),
          opType: 'PUT',
          entityVersion: Number.MAX_SAFE_INTEGER,
          entityCbor: new Uint8Array(DEFAULT_LIMITS.maxEntityBytes),
          timestampMs: Number.MAX_SAFE_INTEGER,
        },
      ],
    })
    expect(body.length).toBeLessThan(DEFAULT_LIMITS.maxBodyBytes)
  })
})
