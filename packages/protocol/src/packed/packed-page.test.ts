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
import { bytesOfHex } from '../vectors.test-kit.ts'
import { KEY_BYTES_MAX, SHAPE_KEYS_MAX, SHAPES_MAX } from './entity-shapes.ts'
import { packOperations } from './pack-operations.ts'
import { PACKED_OPS_MAX, type PackedOperations, packedOperations } from './packed-operations.ts'

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

const value = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.uint8Array({ maxLength: 300 }),
  fc.boolean(),
  fc.constantFrom(null, {}, [], new Date(5), 2n ** 70n, [{ id: 'n1' }], { id: { id: [[], {}] } }),
)
/** Keys that come again, so that entities have shapes in common, and others. */
const key = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom('a', 'b', 'id', 'text', 'ü', '') },
  { weight: 1, arbitrary: fc.string({ maxLength: 30 }) },
)
const bytesOfMap = fc.dictionary(key, value, { maxKeys: 6 }).map((fields) => encodeEntity(fields))
/** Not what a server would have taken, but what a page can hold. */
const otherBytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  bytesOfMap.map((bytes) => bytes.subarray(0, -1)),
  bytesOfMap.map((bytes) => Uint8Array.of(...bytes, 0xf6)),
  fc.constantFrom(
    ...[
      'b90000', // {} with a longer head
      'a1780161f6', // {"a": null} with a longer head of the key
      'a161611805', // {"a": 5} with a longer head of the value
      'a2616101616102', // {"a": 1, "a": 2}
      'a2616201616102', // {"b": 1, "a": 2}
      'a101f6', // {1: null}
      'a161fff6', // A key that is not UTF-8
      'bf6161f6ff', // No definite length
      'a16161f800', // A reserved encoding
      'a16269649f01ff',
      'a2626964781a6e31',
      `a16161${'81'.repeat(64)}f6`,
      `a16161${'81'.repeat(65)}f6`,
      '80',
      '',
    ].map(bytesOfHex),
  ),
)
/** Of an operation with the id that it is given. */
const entity = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(fc.constantFrom({}, { a: 1 }, { a: [{ id: 'n1' }], b: 'n1' }), value).map(
      ([before, text]) =>
        (id: string) =>
          encodeEntity({ ...before, id, text }),
    ),
  },
  { weight: 2, arbitrary: bytesOfMap.map((bytes) => () => bytes) },
  { weight: 1, arbitrary: otherBytes.map((bytes) => () => bytes) },
)

/** Operations as servers have them: few authors and collections, entities with their ids and others, numbers that grow. */
const likely = fc
  .record({
    deviceId: fc.constantFrom('phone-1', 'laptop-2', 'server'),
    collection: fc.constantFrom('notes', 'tags'),
    entityId: fc.oneof(fc.constantFrom('n1', 'ü', 'x'.repeat(300)), fc.uuid()),
    entity: fc.option(entity),
    step: fc.integer({ min: 1, max: 300 }),
    group: fc.option(fc.nat({ max: 3 })),
    timestampMs: fc.option(fc.integer({ min: 1_763_928_000_000, max: 1_763_929_000_000 })),
    schemaVersion: fc.option(fc.constantFrom(1, 2)),
  })
  .map((made) => (opId: number, entityVersion: number): SyncOperation => {
    const { deviceId, collection, entityId, entity, group } = made
    const entityCbor = entity?.(entityId) ?? null
    const opType = entityCbor === null ? 'DELETE' : 'PUT'
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

  test('entities of one collection -> their keys once, and their ids', () => {
    const ops = Array.from({ length: 100 }, (_, i) => put(i + 1))
    const { shapes, shapeIndexes, entities } = packOperations(ops.map(encodeSyncOperation))
    const milk = encodeEntity('milk')
    const values = new Uint8Array(ops.length * milk.length).map((_, i) => milk[i % 5] ?? 0)
    expect(shapes).toEqual([
      { keys: ['id', 'text'], idIndex: 0, values: [new Uint8Array(0), values] },
    ])
    expect(shapeIndexes).toEqual(new Uint8Array(ops.length).fill(1))
    expect(entities).toBe(undefined)
  })

  test.each<[string, object, number]>([
    ['as many keys as a shape may have', keysOf(SHAPE_KEYS_MAX), 1],
    ['one key more', keysOf(SHAPE_KEYS_MAX + 1), 0],
    ['no keys', {}, 1],
  ])('an entity of %s -> taken apart where it may be, and read back', (_, fields, shapes) => {
    const page = pageOf([put(1, { entityCbor: encodeEntity(fields) })])
    expect(packOperations(page.ops.map(encodeSyncOperation)).shapes ?? []).toHaveLength(shapes)
    expect(decodePullResponse(packed(page))).toEqual(page)
  })

  test('more shapes than a page may have -> the entities of the others as they are', () => {
    const ops = Array.from({ length: 2 * SHAPES_MAX + 2 }, (_, i) =>
      put(i + 1, { entityCbor: encodeEntity({ [`k${i >> 1}`]: i }) }),
    )
    const made = packOperations(ops.map(encodeSyncOperation))
    expect(made.shapes).toHaveLength(SHAPES_MAX)
    expect(made.entitySizes).toHaveLength(2)
    expect(decodePullResponse(packed(pageOf(ops))).ops).toEqual(ops)
  })

  test('as many bytes of keys as a page may put back -> taken apart; the entities behind them -> as they are', () => {
    // With the heads of the map and the key, and the value.
    const keyBytes = KEY_BYTES_MAX / 16
    const entityCbor = encodeEntity({ ['k'.repeat(keyBytes - 6)]: 1 })
    expect(entityCbor).toHaveLength(keyBytes + 1)
    const ops = Array.from({ length: 17 }, (_, i) =>
      encodeSyncOperation(put(i + 1, { entityCbor })),
    )
    const made = packOperations(ops)
    expect(made.shapeIndexes).toEqual(Uint8Array.of(...new Array(16).fill(1), 0))
    const other = encodeSyncOperation(put(18))
    expect(packOperations([...ops, other]).shapes).toHaveLength(1)
    const page = { ops, nextCursor: ops.length, hasMore: false }
    const read = decodePullResponse(encodePackedPullPage(page))
    expect(
      read.ops.every((op) => Buffer.compare(op.entityCbor ?? Buffer.of(), entityCbor) === 0),
    ).toBe(true)
  })

  test('more bytes of keys than a page may put back -> refused before they are', () => {
    // With the head of the map and its own, 4 KiB.
    const shape = { keys: ['k'.repeat(4092)], idIndex: 0, values: [new Uint8Array(0)] }
    const puts = (count: number) =>
      pageByHand(count, 'PUT', { shapes: [shape], shapeIndexes: ones(count) })
    const most = KEY_BYTES_MAX / 4096
    expect(decodePullResponse(puts(most)).ops).toHaveLength(most)
    expect(() => decodePullResponse(puts(most + 1))).toThrow(
      expect.objectContaining({
        details: expect.objectContaining({
          path: `packed.shapeIndexes[${most}]`,
          reason: 'wrong_length',
        }),
      }),
    )
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
  return pageByHand(count, 'DELETE', {})
}

function ones(count: number): Uint8Array {
  return new Uint8Array(count).fill(1)
}

/** Of so many operations on an entity `a`. */
function pageByHand(
  count: number,
  opType: 'PUT' | 'DELETE',
  entities: Partial<PackedOperations>,
): Uint8Array {
  const writer = new CborWriter()
  packedOperations.write(writer, {
    kinds: [{ dbId: 'notes', deviceId: 'phone-1', collection: 'notes', opType }],
    kindIndexes: new Uint8Array(count),
    revisions: ones(count),
    opIds: ones(count),
    entityIdSizes: ones(count),
    entityIds: new Uint8Array(count).fill(0x61),
    ...entities,
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

function keysOf(count: number): object {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, i]))
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
