// Packed pages that every decoder must refuse which knows them.
import { assemble, hex } from '../assemble-diagnostic.mjs'
import { ENTITY_WITHOUT_ID, joined, kind, list, MAX, map, packed, packedPullResponse, sequence, snapshot } from './parts.mjs'

const beyond = { beyondCddl: true }
const of = (fields) => packedPullResponse(packed(fields))
const page = packedPullResponse(packed())
const cut = (bytes) => ({ hex: hex(assemble(page)).slice(0, -2 * bytes) })

export const packedPages = [
  ['PackedPullResponse', 'neither form', packedPullResponse(undefined), 'ops', 'missing_field'],
  ['PackedPullResponse', 'both forms', packedPullResponse(packed(), { ops: '[]' }), 'packed', 'unexpected_field', beyond],
  ['PackedPullResponse', 'cut inside', cut(40), 'packed', 'length_exceeds_input', beyond],
  ['PackedPullResponse', 'packed is an array', packedPullResponse('[]'), 'packed', 'unexpected_type'],
  ['PackedPullResponse', 'packed is null', packedPullResponse('null'), 'packed', 'unexpected_type'],
  ['PackedPullResponse', 'missing kinds', of({ kinds: undefined }), 'packed.kinds', 'missing_field'],
  ['PackedPullResponse', 'kind without a deviceId', of({ kinds: list(kind({ deviceId: undefined })) }), 'packed.kinds[0].deviceId', 'missing_field'],
  ['PackedPullResponse', 'kind of an unknown opType', of({ kinds: list(kind({ opType: '"PATCH"' })) }), 'packed.kinds[0].opType', 'unexpected_value'],
  ['PackedPullResponse', 'kind of a bad collection', of({ kinds: list(kind(), kind({ collection: '"_x"' })) }), 'packed.kinds[1].collection', 'invalid_collection'],
  ['PackedPullResponse', 'kind with a flag that is no boolean', of({ kinds: list(kind({ hasTx: 1 })) }), 'packed.kinds[0].hasTx', 'unexpected_type'],
  ['PackedPullResponse', 'kinds announced larger than the input', { hex: hex(assemble(of({ kinds: '[]' }))).replace('656b696e647380', '656b696e64739affffffff') }, 'packed.kinds', 'length_exceeds_input', beyond],
  ['PackedPullResponse', 'index of a kind that is not there', of({ kindIndexes: sequence(0, 1) }), 'packed.kindIndexes[1]', 'out_of_range', beyond],
  ['PackedPullResponse', 'index below 0', of({ kindIndexes: sequence(-1, 0) }), 'packed.kindIndexes[0]', 'unexpected_type'],
  ['PackedPullResponse', 'column that is an array', of({ opIds: '[1, 1]' }), 'packed.opIds', 'unexpected_type'],
  ['PackedPullResponse', 'column that ends in an item', of({ opIds: "h'011901'" }), 'packed.opIds[1]', 'truncated'],
  ['PackedPullResponse', 'column with a float', of({ opIds: sequence(1, '1.0_3') }), 'packed.opIds[1]', 'unexpected_type'],
  ['PackedPullResponse', 'column with an integer not in its shortest form', of({ opIds: sequence('1_0', 1) }), 'packed.opIds[0]', 'not_shortest', beyond],
  ['PackedPullResponse', 'column with an integer of 2^53', of({ opIds: sequence(1, '9007199254740992') }), 'packed.opIds[1]', 'integer_out_of_range'],
  ['PackedPullResponse', 'column that is missing', of({ revisions: undefined }), 'packed.revisions[0]', 'truncated', beyond],
  ['PackedPullResponse', 'column with an item less', of({ revisions: sequence(268435457) }), 'packed.revisions[1]', 'truncated', beyond],
  ['PackedPullResponse', 'column with an item more', of({ revisions: sequence(268435457, 1, 1) }), 'packed.revisions', 'trailing_bytes', beyond],
  ['PackedPullResponse', 'column of what no kind has', of({ txs: sequence(1) }), 'packed.txs', 'trailing_bytes', beyond],
  ['PackedPullResponse', 'operations without kinds', of({ kindIndexes: undefined }), 'packed.revisions', 'trailing_bytes', beyond],
  ['PackedPullResponse', 'revision that is the one before', of({ revisions: sequence(268435457, 0) }), 'packed.revisions[1]', 'out_of_range'],
  ['PackedPullResponse', 'revisions that fall', of({ revisions: sequence(268435457, -1) }), 'packed.revisions[1]', 'unexpected_type'],
  ['PackedPullResponse', 'revisions beyond 2^53 - 1', of({ revisions: sequence(MAX, 1) }), 'packed.revisions[1]', 'integer_out_of_range', beyond],
  ['PackedPullResponse', 'nextCursor before the last operation', packedPullResponse(packed(), { nextCursor: 268435457 }), 'nextCursor', 'out_of_range', beyond],
  ['PackedPullResponse', 'page of a snapshot, place of no bytes', packedPullResponse(packed(), { snapshot: snapshot({ after: '""' }) }), 'snapshot.after', 'wrong_length'],
  ['PackedPullResponse', 'page of a snapshot that leads nowhere', packedPullResponse(packed(), { snapshot: snapshot({ through: undefined }) }), 'snapshot.through', 'missing_field'],
  ['PackedPullResponse', 'opId 0 of a device', of({ opIds: sequence(1, -1) }), 'packed.opIds[1]', 'out_of_range', beyond],
  ['PackedPullResponse', 'opId below 0 of the server', of({ kinds: list(kind({ deviceId: '"server"' })), opIds: sequence(0, -1) }), 'packed.opIds[1]', 'out_of_range', beyond],
  ['PackedPullResponse', 'opIds beyond 2^53 - 1', of({ opIds: sequence(MAX, 1) }), 'packed.opIds[1]', 'out_of_range', beyond],
  ['PackedPullResponse', 'tx below 0', of({ kinds: list(kind({ hasTx: true })), txs: sequence(0, -1) }), 'packed.txs[1]', 'out_of_range', beyond],
  ['PackedPullResponse', 'tx of 2^32', of({ kinds: list(kind({ hasTx: true })), txs: sequence(4294967295, 1) }), 'packed.txs[1]', 'out_of_range', beyond],
  ['PackedPullResponse', 'timestampMs beyond what it may be', of({ kinds: list(kind({ hasTimestampMs: true })), timestampsMs: sequence(`-${MAX}`, -1) }), 'packed.timestampsMs[1]', 'integer_out_of_range', beyond],
  ['PackedPullResponse', 'empty entityId', of({ entityIdSizes: sequence(4, 0) }), 'packed.entityIdSizes[1]', 'out_of_range'],
  ['PackedPullResponse', 'entityId of 513 bytes', of({ entityIdSizes: sequence(513, 2), entityIds: joined('e'.repeat(513), 'n2') }), 'packed.entityIdSizes[0]', 'out_of_range'],
  ['PackedPullResponse', 'entityIds that are cut', of({ entityIds: joined('n1', 'n') }), 'packed.entityIds[1]', 'length_exceeds_input', beyond],
  ['PackedPullResponse', 'entityIds with bytes left', of({ entityIds: joined('n1', 'n2', 'n') }), 'packed.entityIds', 'trailing_bytes', beyond],
  ['PackedPullResponse', 'entityId that ends inside a letter', of({ entityIdSizes: sequence(2, 3), entityIds: joined('xé', 'n2') }), 'packed.entityIds[0]', 'invalid_utf8', beyond],
  ['PackedPullResponse', 'entity larger than what there is', of({ entitySizes: sequence(14, MAX) }), 'packed.entitySizes[1]', 'length_exceeds_input', beyond],
  ['PackedPullResponse', 'entity without a size', of({ entitySizes: sequence(14) }), 'packed.entitySizes[1]', 'truncated', beyond],
  ['PackedPullResponse', 'bytes behind the last entity', of({ entities: joined(ENTITY_WITHOUT_ID, ENTITY_WITHOUT_ID, 'x') }), 'packed.entities', 'trailing_bytes', beyond],
  ['PackedPullResponse', 'entities without puts', of({ kinds: list(kind({ opType: '"DELETE"' })) }), 'packed.entitySizes', 'trailing_bytes', beyond],
  ['PackedPullResponse', 'id put in behind its entity', of({ idOffsets: sequence(4, 15) }), 'packed.idOffsets[1]', 'out_of_range', beyond],
  ['PackedPullResponse', 'entity without an offset', of({ idOffsets: sequence(4) }), 'packed.idOffsets[1]', 'truncated', beyond],
  ['PackedPullResponse', 'one offset too many', of({ idOffsets: sequence(4, 4, 0) }), 'packed.idOffsets', 'trailing_bytes', beyond],
  ['PackedPullResponse', 'no map inside', packedPullResponse(map({ kinds: '{}' })), 'packed.kinds', 'unexpected_type'],
]
