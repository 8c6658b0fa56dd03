import { describe, expect, test } from 'vitest'
import type { PullResponse, SyncOperation } from './messages.ts'
import { decodePullResponse, encodePullPage, encodePullResponse } from './pull.ts'
import { encodeSyncOperation } from './sync-operation.ts'

function pulled(entityVersion: number): SyncOperation {
  return {
    opId: entityVersion,
    dbId: 'notes',
    deviceId: 'phone-1',
    collection: 'notes',
    entityId: `n${entityVersion}`,
    opType: 'DELETE',
    entityVersion,
    entityCbor: null,
  }
}

describe('encodePullPage', () => {
  test('encoder: stored operations -> the bytes of encodePullResponse', () => {
    const response: PullResponse = {
      ops: [pulled(7), pulled(9)],
      nextCursor: 12,
      hasMore: true,
      head: 20,
      purgedThrough: 3,
    }
    const page = { ...response, ops: response.ops.map(encodeSyncOperation) }
    expect(encodePullPage(page)).toEqual(encodePullResponse(response))
    expect(decodePullResponse(encodePullPage(page))).toEqual(response)
  })

  test('encoder: a page without operations -> an empty list', () => {
    const page = { ops: [], nextCursor: 5, hasMore: false }
    expect(decodePullResponse(encodePullPage(page))).toEqual(page)
  })
})

describe('encodePullResponse', () => {
  test.each<[string, PullResponse]>([
    ['out of order', { ops: [pulled(9), pulled(7)], nextCursor: 9, hasMore: false }],
    ['beyond nextCursor', { ops: [pulled(9)], nextCursor: 8, hasMore: false }],
    ['without a revision', { ops: [{ ...pulled(0), opId: 1 }], nextCursor: 0, hasMore: false }],
  ])('encoder: operations %s -> TypeError', (_, response) => {
    expect(() => encodePullResponse(response)).toThrow(TypeError)
  })
})
