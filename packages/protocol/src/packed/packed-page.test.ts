/** Packed pages, from operations to operations: nothing changes, however the page is sent. */
import { isEntiDBError } from '@entidb/core'
import { CborWriter, encodeEntity } from '@entidb/core/cbor'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PullResponse, SyncOperation } from '../messages.ts'
import { createRandom, mutated } from '../mutations.test-kit.ts'
import {
  decodePullResponse,
  encodePackedPullPage,
  encodePullPage,
  encodeSnapshotPage,
} from '../pull.ts'
import { encodeSyncOperation } from '../sync-operation.ts'
import { packOperations } from './pack-operations.ts'
import { PACKED_OPS_MAX, packedOperations } from './packed-operations.ts'

const MUTATIONS = 10_000
const SEED = 20_261_127

function pageOf(ops: readonly SyncOperation[]): PullResponse {
  return { ops, nextCursor: ops.at(-1)?.entityVersion ?? 0, hasMore: false }
}

function plain(page: PullResponse): Uint8Array {
  return encodePullPage({ ...page, ops: page.ops.map(encodeSyncOperation) })
}

function packed(page: PullResponse): Uint8Array {
  return encodePackedPullPage({ ...page, ops: page.ops.map(encodeSyncOperation) })
}

function put(entityVersion: number, fields: Partial<SyncOperation> = {}): SyncOperation {
  const entityId = `n${entityVersion}`
  return {
    opId: entityVersion,
    dbId: 'notes',
    deviceId: 'phone-1',
    collection: 'notes',
    entityId,
    opType: 'PUT',
    entityVersion,
    entityCbor: encodeEntity({ id: entityId, text: 'milk' }),
    ...fields,
  }
}

/** Operations as servers have them: few authors and collections, entities with their ids, numbers that grow. */
const likely = fc
  .record({
    deviceId: fc.constantFrom('phone-1', 'laptop-2', 'server'),
    collection: fc.constantFrom('notes', 'tags'),
    entityId: fc.oneof(fc.constantFrom('n1', 'ü', 'x'.repeat(300)), fc.uuid()),
    before: fc.constantFrom({}, { a: 1 }, { a: [{ id: 'n1' }], b: 'n1' }),
    isPut: fc.boolean(),
    step: fc.integer({ min: 1, max: 300 }),
    group: fc.option(fc.nat({ max: 3 })),
    timestampMs: fc.option(fc.integer({ min: 1_763_928_000_000, max: 1_763_929_000_000 })),
    schemaVersion: fc.option(fc.constantFrom(1, 2)),
  })
  .map((made) => (opId: number, entityVersion: number): SyncOperation => {
    const { deviceId, collection, entityId, before, isPut, group } = made
    const entityCbor = isPut ? encodeEntity({ ...before, id: entityId, opId }) : null
    const opType = isPut ? 'PUT' : 'DELETE'
    const operation = { opId, dbId: 'notes', deviceId, collection, entityId, entityVersion }
    return {
      ...operation,
      ...{ opType, entityCbor },
      ...(group === null ? {} : { tx: group }),
      ...(made.timestampMs === null ? {} : { timestampMs: made.timestampMs }),
      ...(made.schemaVersion === null ? {} : { schemaVersion: made.schemaVersion }),
    }
  })

const likelyPage = fc
  .array(fc.tuple(likely, fc.integer({ min: 1, max: 300 })), { minLength: 1, maxLength: 30 })
  .map((made) => {
    let revision = 0
    return pageOf(
      made.map(([make, step], i) => {
        revision += step
        return make(i + 1, revision)
      }),
    )
  })

describe('packed pages', () => {
  test('any page: plain and packed -> decode to the same', () => {
    fc.assert(
      fc.property(likelyPage, (page) => {
        const read = decodePullResponse(packed(page))
        expect(read).toEqual(decodePullResponse(plain(page)))
        expect(read).toEqual(page)
      }),
      { numRuns: 300 },
    )
  })

  test('any states: packed from their fields -> the bytes of the packed operations', () => {
    fc.assert(
      fc.property(likelyPage, ({ ops, ...page }) => {
        const withoutGroups = ops.map(({ tx: _, ...op }) => op)
        const snapshot = { through: 7, after: 'notes/n1' }
        const states = withoutGroups.map(({ entityVersion, entityCbor, entityId, ...op }) => {
          const { deviceId, collection, schemaVersion } = op
          const kind = {
            deviceId,
            collection,
            ...(schemaVersion === undefined ? {} : { schemaVersion }),
          }
          return {
            kind,
            opId: op.opId,
            revision: entityVersion,
            entityId: encodeEntity(entityId),
            entity: entityCbor,
            timestampMs: op.timestampMs,
          }
        })
        const bytes = encodeSnapshotPage({ ...page, dbId: 'notes', states, snapshot })
        expect(bytes).toEqual(packed({ ...page, ops: withoutGroups, snapshot }))
        expect(decodePullResponse(bytes).ops).toEqual(withoutGroups)
      }),
      { numRuns: 300 },
    )
  })

  test('states in no order -> TypeError; none -> plain', () => {
    const state = {
      kind: { deviceId: 'phone-1', collection: 'notes' },
      opId: 1,
      revision: 3,
      entityId: encodeEntity('n1'),
      entity: null,
      timestampMs: undefined,
    }
    const page = { dbId: 'notes', nextCursor: 0, hasMore: true, snapshot: { through: 7 } }
    expect(() => encodeSnapshotPage({ ...page, states: [state, state] })).toThrow(TypeError)
    const { dbId: _, ...rest } = page
    expect(encodeSnapshotPage({ ...page, states: [] })).toEqual(plain({ ...rest, ops: [] }))
  })

  test('many like operations -> a few bytes for each beside its entity', () => {
    const ops = Array.from({ length: 1000 }, (_, i) => put(i + 1, { tx: 7, timestampMs: 1e12 + i }))
    const entities = ops.reduce((sum, { entityCbor }) => sum + (entityCbor?.length ?? 0), 0)
    expect(packed(pageOf(ops)).length).toBeLessThan(entities + 9 * ops.length + 300)
    expect(plain(pageOf(ops)).length).toBeGreaterThan(entities + 120 * ops.length)
  })

  test('no operations -> plain', () => {
    const page = { ops: [], nextCursor: 5, hasMore: false, head: 7, purgedThrough: 1 }
    expect(packed(page)).toEqual(plain(page))
  })

  test('as many operations as may be packed -> packed; one more -> plain, and refused packed', () => {
    const fields = { opType: 'DELETE', entityCbor: null } as const
    const ops = Array.from({ length: PACKED_OPS_MAX + 1 }, (_, i) =>
      encodeSyncOperation(put(i + 1, fields)),
    )
    const page = { nextCursor: ops.length, hasMore: false }
    const most = encodePackedPullPage({ ...page, ops: ops.slice(1) })
    expect(decodePullResponse(most).ops).toHaveLength(PACKED_OPS_MAX)
    const plainly = Buffer.from(encodePullPage({ ...page, ops }))
    expect(plainly.equals(encodePackedPullPage({ ...page, ops }))).toBe(true)
    expect(decodePullResponse(deletesOf(PACKED_OPS_MAX)).ops).toHaveLength(PACKED_OPS_MAX)
    expect(() => decodePullResponse(deletesOf(PACKED_OPS_MAX + 1))).toThrow(
      expect.objectContaining({
        details: expect.objectContaining({
          path: `packed.kindIndexes[${PACKED_OPS_MAX}]`,
          reason: 'wrong_length',
        }),
      }),
    )
  })

  test('operations out of order, or of keys in another order -> TypeError', () => {
    expect(() => packed(pageOf([put(2), put(1)]))).toThrow(TypeError)
    expect(() => packed(pageOf([put(1), put(1)]))).toThrow(TypeError)
    const bytes = encodeSyncOperation(put(1))
    // The first two pairs, "dbId" and "opId", in turn.
    const turned = Uint8Array.of(0xa8, ...bytes.subarray(12, 18), ...bytes.subarray(1, 12))
    const ops = [Uint8Array.of(...turned, ...bytes.subarray(18))]
    expect(() => encodePackedPullPage({ ops, nextCursor: 1, hasMore: false })).toThrow(TypeError)
  })

  test('entityCbor -> views of one buffer, which is not the message', () => {
    const bytes = packed(pageOf([put(1), put(2)]))
    const [first, second] = decodePullResponse(bytes).ops
    expect(first?.entityCbor?.buffer).toBe(second?.entityCbor?.buffer)
    expect(first?.entityCbor?.buffer).not.toBe(bytes.buffer)
  })

  test('a message that is a view into a larger buffer -> read, and a fault named by its place in the message', () => {
    const bytes = packed(pageOf([put(1), put(2)]))
    const at = Buffer.from(bytes).indexOf(Buffer.from('revisions')) + 'revisions'.length
    const larger = new Uint8Array(bytes.length + 20)
    larger.set(bytes, 10)
    const view = larger.subarray(10, 10 + bytes.length)
    expect(decodePullResponse(view).ops).toHaveLength(2)
    // 42 01 01: the second revision becomes the first again.
    view[at + 2] = 0
    expect(() => decodePullResponse(view)).toThrow(
      expect.objectContaining({
        details: { path: 'packed.revisions[1]', reason: 'out_of_range', offset: at + 2 },
      }),
    )
  })

  test(`${MUTATIONS} mutated pages, seed ${SEED} -> the error, or operations that any page may have`, () => {
    const random = createRandom(SEED)
    const corpus = fc.sample(likelyPage, { numRuns: 50, seed: SEED }).map(packed)
    const outcomes = { message: 0, error: 0 }
    for (let i = 0; i < MUTATIONS; i++) {
      const bytes = mutated(corpus[i % corpus.length] ?? expect.fail('no corpus'), random)
      outcomes[outcomeOf(bytes)]++
    }
    expect(outcomes.message).toBeGreaterThan(MUTATIONS / 100)
    expect(outcomes.error).toBeGreaterThan(MUTATIONS / 10)
  })
})

/** A packed page by hand, of so many deletes of an entity `a`. */
function deletesOf(count: number): Uint8Array {
  const { kinds } = packOperations([
    encodeSyncOperation(put(1, { opType: 'DELETE', entityCbor: null })),
  ])
  const ones = new Uint8Array(count).fill(1)
  const writer = new CborWriter()
  packedOperations.write(writer, {
    kinds,
    kindIndexes: new Uint8Array(count),
    revisions: ones,
    opIds: ones,
    entityIdSizes: ones,
    entityIds: new Uint8Array(count).fill(0x61),
  })
  const packedMap = writer.take()
  writer.writeMapHeader(3)
  writer.writeText('packed')
  writer.writeRaw(packedMap)
  writer.writeText('hasMore')
  writer.writeBoolean(false)
  writer.writeText('nextCursor')
  writer.writeUint(count)
  return writer.take()
}

function outcomeOf(bytes: Uint8Array): 'message' | 'error' {
  let page: PullResponse
  try {
    page = decodePullResponse(bytes)
  } catch (error) {
    if (isEntiDBError(error, 'invalid_response')) return 'error'
    throw error
  }
  // The encoders refuse what decoders of plain pages would.
  expect(decodePullResponse(plain(page))).toEqual(page)
  return 'message'
}
