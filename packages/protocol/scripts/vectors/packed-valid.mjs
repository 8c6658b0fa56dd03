// Packed pages that every decoder must accept which knows them.
import { ENTITY, joined, kind, list, MAX, map, mapInOrder, packed, packedPullResponse, sequence, shape, snapshot } from './parts.mjs'

const received = { canonical: false }
const milk = (count) => sequence(...Array(count).fill('"milk"'))
const of = (count) => list(shape({ values: list("h''", milk(count)) }))
/** So many puts of n1, n2 and so on, each with one of `shapeIndexes`. */
const puts = (shapeIndexes, fields) => packed({
  kindIndexes: sequence(...shapeIndexes.map(() => 0)), revisions: sequence(268435457, ...shapeIndexes.slice(1).map(() => 1)), opIds: sequence(...shapeIndexes.map(() => 1)),
  entityIdSizes: sequence(...shapeIndexes.map(() => 2)), entityIds: joined(...shapeIndexes.map((_, i) => `n${i + 1}`)),
  shapeIndexes: sequence(...shapeIndexes), ...fields,
})
const wholeText = (text) => map({ keys: list('"text"'), values: list(sequence(text)) })
const long = `${'é'.repeat(255)}xy`

export const packedPages = [
  ['PackedPullResponse', 'two puts', packedPullResponse(packed())],
  ['PackedPullResponse', 'with more behind it', packedPullResponse(packed(), { nextCursor: 268435458, hasMore: true, head: 268435500, purgedThrough: 3 })],
  ['PackedPullResponse', 'a page of a snapshot', packedPullResponse(packed(), { nextCursor: 0, hasMore: true, head: 268435500, purgedThrough: 3, snapshot: snapshot({ after: '"notes/n2"' }) })],
  ['PackedPullResponse', 'the last page of a snapshot, with an operation newer than where it leads', packedPullResponse(packed(), { nextCursor: 268435457, hasMore: true, head: 268435458, snapshot: snapshot({ through: 268435457 }) })],
  ['PackedPullResponse', 'a put and a delete', packedPullResponse(packed({
    kinds: list(kind(), kind({ opType: '"DELETE"' })), kindIndexes: sequence(0, 1), opIds: sequence(1, 2),
    shapes: of(1), shapeIndexes: sequence(1),
  }))],
  ['PackedPullResponse', 'deletes only', packedPullResponse(packed({
    kinds: list(kind({ opType: '"DELETE"' })), shapes: undefined, shapeIndexes: undefined,
  }))],
  ['PackedPullResponse', 'two authors in turn, the server one of them, with groups, times and schema versions', packedPullResponse(map({
    kinds: list(kind({ hasTx: true, hasTimestampMs: true, schemaVersion: 3 }), kind({ deviceId: '"server"', opType: '"DELETE"' }), kind({ hasTimestampMs: true })),
    kindIndexes: sequence(0, 1, 0, 1, 0, 2), revisions: sequence(268435457, 1, 1, 10, 1, 1), opIds: sequence(7, 0, -3, 0, 1, 900),
    entityIdSizes: sequence(2, 2, 2, 2, 2, 2), entityIds: joined('n1', 'n2', 'n3', 'n4', 'n5', 'n6'),
    txs: sequence(5, 0, -1), timestampsMs: sequence(1763928000000, 0, -250, `-${MAX}`),
    shapes: of(4), shapeIndexes: sequence(1, 1, 1, 1),
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
    shapes: of(4), shapeIndexes: sequence(1, 1, 1, 1),
  }))],
  ['PackedPullResponse', 'no entity, another id in the entity, no bytes, a map of no keys', packedPullResponse(puts([0, 1, 0, 2], {
    shapes: list(map({ keys: list('"id"', '"text"'), values: list(sequence('"n1"'), milk(1)) }), map({ keys: '[]', values: '[]' })),
    entitySizes: sequence(1, 0), entities: "h'ff'",
  }))],
  ['PackedPullResponse', 'id behind another key, id in one entity that is not the one of the other', packedPullResponse(puts([1, 2], {
    shapes: list(
      map({ keys: list('"a"', '"id"'), idIndex: 1, values: list(sequence(1), "h''") }),
      map({ keys: list('"a"', '"id"'), values: list(sequence(1), sequence('"n1"')) }),
    ),
  }))],
  ['PackedPullResponse', 'values of every kind, heads that are longer than needed, keys in no order', packedPullResponse(puts([1, 1, 1, 1, 1, 1], {
    shapes: list(map({ keys: list('"b"', '"a"'), values: list(
      sequence(1, -500, '1.5_3', "h'ff'", '[]', '{"id": {"id": [1, "n1"]}}'), sequence('1_3', '0("x")', 'simple(255)', 'null', '1.5_2', 'true'),
    ) })),
  }))],
  ['PackedPullResponse', 'a value that is nested 64 deep', packedPullResponse(puts([1], {
    shapes: list(wholeText(`${'['.repeat(64)}${']'.repeat(64)}`)),
  }))],
  ['PackedPullResponse', 'ids that were not taken out', packedPullResponse(packed({
    shapes: list(map({ keys: list('"id"', '"text"'), values: list(sequence('"n1"', '"n2"'), milk(2)) })),
  })), received],
  ['PackedPullResponse', 'entities as they are', packedPullResponse(packed({
    shapes: undefined, shapeIndexes: sequence(0, 0), entitySizes: sequence(17, 17), entities: joined(ENTITY, ENTITY.replace('6e31', '6e32')),
  })), received],
  ['PackedPullResponse', 'an id under another key, under the same key twice', packedPullResponse(puts([1, 2], {
    shapes: list(
      map({ keys: list('"text"'), idIndex: 0, values: list("h''") }),
      map({ keys: list('"id"', '"id"'), idIndex: 1, values: list(sequence('"n2"'), "h''") }),
    ),
  })), received],
  ['PackedPullResponse', 'shapes of nothing, one twice, unknown keys in one', packedPullResponse(puts([2, 3], {
    shapes: list(shape({ values: list("h''", "h''") }), shape({ values: list("h''", milk(1)), zz: 1 }), shape({ values: list("h''", milk(1)) })),
  })), received],
  ['PackedPullResponse', 'as many keys and shapes as may be', packedPullResponse(puts([128], {
    shapes: list(...Array(127).fill(map({ keys: '[]', values: '[]' })), map({
      keys: list(...Array.from({ length: 128 }, (_, i) => `"${String.fromCharCode(97 + (i >> 4))}${(i & 15).toString(16)}"`)), values: list(...Array(128).fill(sequence(0))),
    })),
  })), received],
  ['PackedPullResponse', 'no operations', packedPullResponse(map({ kinds: '[]' })), received],
  ['PackedPullResponse', 'empty columns, kinds of nothing, flags that say no', packedPullResponse(packed({
    kinds: list(kind({ hasTx: false, hasTimestampMs: false }), kind({ opType: '"DELETE"' })), txs: "h''", timestampsMs: "h''",
  })), received],
  ['PackedPullResponse', 'unknown keys', packedPullResponse(packed({ zz: 'null', kinds: list(kind({ color: '"red"' })) }), { zz: '[1.5_3]' }), received],
  ['PackedPullResponse', 'keys in another order', mapInOrder([['hasMore', false], ['packed', packed()], ['nextCursor', 268435458]]), received],
]
