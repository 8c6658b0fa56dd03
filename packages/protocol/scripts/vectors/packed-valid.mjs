// Packed pages that every decoder must accept which knows them.
import { ENTITY, ENTITY_WITHOUT_ID, joined, kind, list, MAX, map, mapInOrder, packed, packedPullResponse, sequence, snapshot } from './parts.mjs'

const received = { canonical: false }
const long = `${'é'.repeat(255)}xy`

export const packedPages = [
  ['PackedPullResponse', 'two puts', packedPullResponse(packed())],
  ['PackedPullResponse', 'with more behind it', packedPullResponse(packed(), { nextCursor: 268435458, hasMore: true, head: 268435500, purgedThrough: 3 })],
  ['PackedPullResponse', 'a page of a snapshot', packedPullResponse(packed(), { nextCursor: 0, hasMore: true, head: 268435500, purgedThrough: 3, snapshot: snapshot({ after: '"notes/n2"' }) })],
  ['PackedPullResponse', 'the last page of a snapshot, with an operation newer than where it leads', packedPullResponse(packed(), { nextCursor: 268435457, hasMore: true, head: 268435458, snapshot: snapshot({ through: 268435457 }) })],
  ['PackedPullResponse', 'a put and a delete', packedPullResponse(packed({
    kinds: list(kind(), kind({ opType: '"DELETE"' })), kindIndexes: sequence(0, 1), opIds: sequence(1, 2),
    entitySizes: sequence(14), idOffsets: sequence(4), entities: ENTITY_WITHOUT_ID,
  }))],
  ['PackedPullResponse', 'deletes only', packedPullResponse(packed({
    kinds: list(kind({ opType: '"DELETE"' })), entitySizes: undefined, idOffsets: undefined, entities: undefined,
  }))],
  ['PackedPullResponse', 'two authors in turn, the server one of them, with groups, times and schema versions', packedPullResponse(map({
    kinds: list(kind({ hasTx: true, hasTimestampMs: true, schemaVersion: 3 }), kind({ deviceId: '"server"', opType: '"DELETE"' }), kind({ hasTimestampMs: true })),
    kindIndexes: sequence(0, 1, 0, 1, 0, 2), revisions: sequence(268435457, 1, 1, 10, 1, 1), opIds: sequence(7, 0, -3, 0, 1, 900),
    entityIdSizes: sequence(2, 2, 2, 2, 2, 2), entityIds: joined('n1', 'n2', 'n3', 'n4', 'n5', 'n6'),
    txs: sequence(5, 0, -1), timestampsMs: sequence(1763928000000, 0, -250, `-${MAX}`),
    entitySizes: sequence(14, 14, 14, 14), idOffsets: sequence(4, 4, 4, 4),
    entities: joined(ENTITY_WITHOUT_ID, ENTITY_WITHOUT_ID, ENTITY_WITHOUT_ID, ENTITY_WITHOUT_ID),
  }))],
  ['PackedPullResponse', 'clocks at both ends of what numbers can say', packedPullResponse(packed({
    kinds: list(kind({ hasTimestampMs: true }), kind({ hasTimestampMs: true })), kindIndexes: sequence(0, 1), opIds: sequence(1, 2),
    timestampsMs: sequence(MAX, `-${MAX}`),
  }))],
  ['PackedPullResponse', 'largest numbers', packedPullResponse(packed({
    kinds: list(kind({ hasTx: true })), revisions: sequence(1, '9007199254740990'), opIds: sequence(MAX, '-9007199254740990'), txs: sequence(4294967295, -4294967295),
  }), { nextCursor: MAX })],
  ['PackedPullResponse', 'ids of 23, 24, 256 and 512 bytes', packedPullResponse(packed({
    kindIndexes: sequence(0, 0, 0, 0), revisions: sequence(268435457, 1, 1, 1), opIds: sequence(1, 1, 1, 1),
    entityIdSizes: sequence(23, 24, 256, 512), entityIds: joined('a'.repeat(23), 'b'.repeat(24), 'c'.repeat(256), long),
    entitySizes: sequence(14, 14, 14, 14), idOffsets: sequence(4, 4, 4, 4),
    entities: joined(ENTITY_WITHOUT_ID, ENTITY_WITHOUT_ID, ENTITY_WITHOUT_ID, ENTITY_WITHOUT_ID),
  }))],
  ['PackedPullResponse', 'id behind another key, another id in the entity, bytes that are no entity', packedPullResponse(packed({
    kindIndexes: sequence(0, 0, 0, 0), revisions: sequence(268435457, 1, 1, 1), opIds: sequence(1, 1, 1, 1),
    entityIdSizes: sequence(2, 2, 2, 2), entityIds: joined('n1', 'n2', 'n3', 'n4'), entitySizes: sequence(7, 17, 1, 0), idOffsets: sequence(7, 0, 0, 0),
    // {"a": 1, "id": "n1"} without "n1"
    entities: joined("h'a2616101626964'", ENTITY, "h'ff'"),
  }))],
  ['PackedPullResponse', 'ids that were not taken out', packedPullResponse(packed({
    entitySizes: sequence(17, 17), idOffsets: sequence(0, 0), entities: joined(ENTITY, ENTITY.replace('6e31', '6e32')),
  })), received],
  ['PackedPullResponse', 'an id put in at an end', packedPullResponse(packed({
    entitySizes: sequence(4, 4), idOffsets: sequence(4, 4), entities: joined("h'a1626964'", "h'a1626964'"), kinds: list(kind(), kind()),
  })), received],
  ['PackedPullResponse', 'no operations', packedPullResponse(map({ kinds: '[]' })), received],
  ['PackedPullResponse', 'empty columns, kinds of nothing, flags that say no', packedPullResponse(packed({
    kinds: list(kind({ hasTx: false, hasTimestampMs: false }), kind({ opType: '"DELETE"' })), txs: "h''", timestampsMs: "h''",
  })), received],
  ['PackedPullResponse', 'unknown keys', packedPullResponse(packed({ zz: 'null', kinds: list(kind({ color: '"red"' })) }), { zz: '[1.5_3]' }), received],
  ['PackedPullResponse', 'keys in another order', mapInOrder([['hasMore', false], ['packed', packed()], ['nextCursor', 268435458]]), received],
]
