// Messages that every decoder must refuse, with the path and the reason that this one gives.
//
// `beyondCddl` marks those that the CDDL cannot refuse: their bytes are not CBOR as this protocol wants
// it, or they break a rule that ties fields together.
import { assemble, hex } from '../assemble-diagnostic.mjs'
import { packedPages } from './packed-invalid.mjs'
import {
  capabilities,
  conflict,
  del,
  DIGEST,
  ENTITY,
  EPOCH,
  EPOCH_2,
  errorResponse,
  handshakeRequest,
  handshakeResponse,
  historyEntry,
  limits,
  list,
  map,
  mapInOrder,
  pulled,
  pullRequest,
  pullResponse,
  pushRequest,
  pushResponse,
  put,
  verifyRequest,
} from './parts.mjs'

const beyond = { beyondCddl: true }
const nested = (depth) => '['.repeat(depth) + ']'.repeat(depth)

/** Bytes given as bytes, for what diagnostic notation cannot say. */
const raw = (bytesAsHex) => ({ hex: bytesAsHex })
const changed = (diagnostic, from, to) => {
  const bytes = hex(assemble(diagnostic))
  if (bytes.split(from).length !== 2) throw new Error(`${from} is not once in ${bytes}`)
  return raw(bytes.replace(from, to))
}
const cut = (diagnostic, bytes) => raw(hex(assemble(diagnostic)).slice(0, -2 * bytes))

export const invalid = [
  // What is not CBOR as the protocol wants it.
  ['PullRequest', 'no bytes', raw(''), '', 'truncated', beyond],
  ['PullRequest', 'trailing byte', raw(`${hex(assemble(pullRequest()))}00`), '', 'trailing_bytes', beyond],
  ['PullRequest', 'cut in the last value', cut(pullRequest({ sinceCursor: 1000 }), 1), 'sinceCursor', 'truncated', beyond],
  ['PullRequest', 'cut in a key', cut(pullRequest(), 3), '', 'length_exceeds_input', beyond],
  ['PullRequest', 'one pair less than announced', changed(pullRequest(), 'a2', 'a3'), '', 'truncated', beyond],
  ['PullRequest', 'more pairs announced than bytes', raw('bb0000000100000000'), '', 'length_exceeds_input', beyond],
  ['PullRequest', 'array announced larger than the input', changed(pullRequest({ collections: '[]' }), '80', '9affffffff'), 'collections', 'length_exceeds_input', beyond],
  ['PushRequest', 'array announced with 2^64 - 1 items', changed(pushRequest([]), '80', '9bffffffffffffffff'), 'ops', 'integer_out_of_range', beyond],
  ['PullRequest', 'map of indefinite length', '{_ "dbId": "notes", "sinceCursor": 0}', '', 'indefinite_length', beyond],
  ['PullRequest', 'array of indefinite length', pullRequest({ collections: '[_ "notes"]' }), 'collections', 'indefinite_length', beyond],
  ['PullRequest', 'text of indefinite length', pullRequest({ dbId: '(_ "no", "tes")' }), 'dbId', 'indefinite_length', beyond],
  ['SyncOperation', 'bytes of indefinite length', put({ entityCbor: "(_ h'a0')" }), 'entityCbor', 'indefinite_length', beyond],
  ['PullRequest', 'indefinite length in an unknown value', pullRequest({ unknown: '[_ 1]' }), '', 'indefinite_length', beyond],
  ['PullRequest', 'unknown value nested 65 deep', pullRequest({ unknown: nested(65) }), '', 'too_deep', beyond],
  ['PullRequest', 'unknown value that is not well-formed', changed(pullRequest({ unknown: 1000 }), '1903e8', '1c03e8'), '', 'reserved_encoding', beyond],
  ['PullRequest', 'duplicate key', mapInOrder([['dbId', '"notes"'], ['dbId', '"notes"'], ['sinceCursor', 0]]), 'dbId', 'duplicate_key', beyond],
  ['PullRequest', 'duplicate key out of order', mapInOrder([['sinceCursor', 0], ['dbId', '"notes"'], ['sinceCursor', 0]]), 'sinceCursor', 'duplicate_key', beyond],
  ['PullRequest', 'duplicate unknown key', mapInOrder([['dbId', '"notes"'], ['x', 1], ['sinceCursor', 0], ['x', 2]]), '', 'duplicate_key', beyond],
  ['PullRequest', 'key that is not text', '{1: 2, "dbId": "notes", "sinceCursor": 0}', '', 'unexpected_type'],
  ['PullRequest', 'key of bytes', `{h'64626964': "notes", "sinceCursor": 0}`, '', 'unexpected_type'],
  ['PullRequest', 'integer not in its shortest form', pullRequest({ sinceCursor: '5_0' }), 'sinceCursor', 'not_shortest', beyond],
  ['PullRequest', 'length not in its shortest form', changed(pullRequest(), '656e6f746573', '78056e6f746573'), 'dbId', 'not_shortest', beyond],
  ['PullRequest', 'text that is not UTF-8', changed(pullRequest({ dbId: '"qqqqq"' }), '6571717171', '65717171c3'), 'dbId', 'invalid_utf8', beyond],
  ['PullRequest', 'text with an encoded surrogate', changed(pullRequest({ collections: '["qqq"]' }), '63717171', '63eda080'), 'collections[0]', 'invalid_utf8', beyond],
  ['PullRequest', 'tagged value', pullRequest({ sinceCursor: '1(5)' }), 'sinceCursor', 'unexpected_type'],
  ['PullRequest', 'tagged message', `55799(${pullRequest()})`, '', 'unexpected_type'],

  // Types.
  ['PullRequest', 'an array for a map', '["notes", 0]', '', 'unexpected_type'],
  ['PullRequest', 'null for the message', 'null', '', 'unexpected_type'],
  ['PullRequest', 'float for an integer', pullRequest({ sinceCursor: '5.0_3' }), 'sinceCursor', 'unexpected_type'],
  ['PullRequest', 'negative integer', pullRequest({ sinceCursor: -1 }), 'sinceCursor', 'unexpected_type'],
  ['PullRequest', 'integer of 2^53', pullRequest({ sinceCursor: '9007199254740992' }), 'sinceCursor', 'integer_out_of_range'],
  ['PullRequest', 'text for an integer', pullRequest({ sinceCursor: '"0"' }), 'sinceCursor', 'unexpected_type'],
  ['PullRequest', 'null for an optional field', pullRequest({ limit: 'null' }), 'limit', 'unexpected_type'],
  ['PullRequest', 'undefined for an optional field', pullRequest({ limit: 'undefined' }), 'limit', 'unexpected_type'],
  ['PullRequest', 'bytes for text', pullRequest({ dbId: "h'6e6f746573'" }), 'dbId', 'unexpected_type'],
  ['PullRequest', 'missing field', map({ dbId: '"notes"' }), 'sinceCursor', 'missing_field'],
  ['PullRequest', 'packed 0', pullRequest({ packed: 0 }), 'packed', 'out_of_range'],
  ['PullRequest', 'limit 0', pullRequest({ limit: 0 }), 'limit', 'out_of_range'],
  ['PullRequest', 'epoch of 15 bytes', pullRequest({ epoch: `h'${'00'.repeat(15)}'` }), 'epoch', 'wrong_length'],
  ['PullRequest', 'replicaId of 17 bytes', pullRequest({ replicaId: `h'${'00'.repeat(17)}'` }), 'replicaId', 'wrong_length'],
  ['PullRequest', 'epoch as text', pullRequest({ epoch: '"0123456789abcdef"' }), 'epoch', 'unexpected_type'],
  ['PullRequest', 'deviceId of the server', pullRequest({ deviceId: '"server"' }), 'deviceId', 'reserved_device_id'],
  ['PullRequest', 'collection that starts with _', pullRequest({ collections: '["notes", "_sync"]' }), 'collections[1]', 'invalid_collection'],

  // Names.
  ['PullRequest', 'empty dbId', pullRequest({ dbId: '""' }), 'dbId', 'invalid_db_id'],
  ['PullRequest', 'dbId that leads out of a folder', pullRequest({ dbId: '"../x"' }), 'dbId', 'invalid_db_id'],
  ['PullRequest', 'dbId that starts with a dot', pullRequest({ dbId: '".notes"' }), 'dbId', 'invalid_db_id'],
  ['PullRequest', 'dbId of 129 characters', pullRequest({ dbId: `"${'d'.repeat(129)}"` }), 'dbId', 'invalid_db_id'],
  ['PullRequest', 'dbId with a letter outside ASCII', pullRequest({ dbId: '"nötes"' }), 'dbId', 'invalid_db_id'],
  ['PullRequest', 'dbId with a line break at its end', pullRequest({ dbId: '"notes\\n"' }), 'dbId', 'invalid_db_id'],
  ['HandshakeRequest', 'deviceId with a space', handshakeRequest({ deviceId: '"my phone"' }), 'deviceId', 'invalid_device_id'],
  ['HandshakeRequest', 'deviceId of the server', handshakeRequest({ deviceId: '"server"' }), 'deviceId', 'reserved_device_id'],
  ['HandshakeRequest', 'missing deviceId', map({ dbId: '"notes"' }), 'deviceId', 'missing_field'],
  ['HandshakeRequest', 'clientInfo is not a map', handshakeRequest({ clientInfo: '"web"' }), 'clientInfo', 'unexpected_type'],
  ['HandshakeRequest', 'platform is not text', handshakeRequest({ clientInfo: map({ platform: 7 }) }), 'clientInfo.platform', 'unexpected_type'],
  ['HandshakeRequest', 'protocol of one number', handshakeRequest({ protocol: '[1]' }), 'protocol', 'wrong_length'],
  ['HandshakeRequest', 'protocol of three numbers', handshakeRequest({ protocol: '[1, 0, 0]' }), 'protocol', 'wrong_length'],
  ['HandshakeRequest', 'protocol with a negative number', handshakeRequest({ protocol: '[1, -1]' }), 'protocol[1]', 'unexpected_type'],

  // Operations.
  ['SyncOperation', 'put without bytes', put({ entityCbor: 'null' }), 'entityCbor', 'put_without_entity'],
  ['SyncOperation', 'delete with bytes', del({ entityCbor: ENTITY }), 'entityCbor', 'delete_with_entity'],
  ['SyncOperation', 'entity as a nested item', put({ entityCbor: '{"id": "n1"}' }), 'entityCbor', 'unexpected_type'],
  ['SyncOperation', 'entity in tag 24', put({ entityCbor: `24(${ENTITY})` }), 'entityCbor', 'unexpected_type'],
  ['SyncOperation', 'missing entityCbor', del({ entityCbor: undefined }), 'entityCbor', 'missing_field'],
  ['SyncOperation', 'unknown opType', put({ opType: '"PATCH"' }), 'opType', 'unexpected_value'],
  ['SyncOperation', 'opType in small letters', put({ opType: '"put"' }), 'opType', 'unexpected_value'],
  ['SyncOperation', 'empty entityId', put({ entityId: '""' }), 'entityId', 'invalid_entity_id'],
  ['SyncOperation', 'entityId of 513 bytes', put({ entityId: `"${'é'.repeat(256)}x"` }), 'entityId', 'invalid_entity_id'],
  ['SyncOperation', 'opId 0 of a device', put({ opId: 0 }), 'opId', 'out_of_range'],
  ['SyncOperation', 'tx of 2^32', put({ tx: 4294967296 }), 'tx', 'out_of_range'],
  ['SyncOperation', 'timestampMs of -2^53', put({ timestampMs: '-9007199254740992' }), 'timestampMs', 'integer_out_of_range'],
  ['SyncOperation', 'timestampMs as a float', put({ timestampMs: '1763928000000.5_3' }), 'timestampMs', 'unexpected_type'],
  ['SyncOperation', 'collection of 65 characters', put({ collection: `"${'c'.repeat(65)}"` }), 'collection', 'invalid_collection'],
  ['SyncOperation', 'collection with a dot', put({ collection: '"my.notes"' }), 'collection', 'invalid_collection'],

  // Pushes.
  ['PushRequest', 'bad field in the second operation', pushRequest([put(), put({ opId: 2, entityId: '"n2"', entityVersion: '1.5_3' })]), 'ops[1].entityVersion', 'unexpected_type'],
  ['PushRequest', 'operation is not a map', pushRequest(['1']), 'ops[0]', 'unexpected_type'],
  ['PushRequest', 'ops is a map', pushRequest([], { ops: '{}' }), 'ops', 'unexpected_type'],
  ['PushRequest', 'missing ops', pushRequest([], { ops: undefined }), 'ops', 'missing_field'],
  ['PushRequest', 'deviceId of the server', pushRequest([], { deviceId: '"server"' }), 'deviceId', 'reserved_device_id'],
  ['PushRequest', 'sinceCursor below 0', pushRequest([], { sinceCursor: -1 }), 'sinceCursor', 'unexpected_type'],
  ['PushRequest', 'opIds that repeat', pushRequest([put(), put({ entityId: '"n2"' })]), 'ops[1].opId', 'not_increasing', beyond],
  ['PushRequest', 'opIds that fall', pushRequest([put({ opId: 2 }), put({ entityId: '"n2"' })]), 'ops[1].opId', 'not_increasing', beyond],
  ['PushRequest', 'two operations on one entity', pushRequest([put(), del({ opId: 2 })]), 'ops[1].entityId', 'entity_repeated', beyond],
  ['PushRequest', 'operation of another database', pushRequest([put({ dbId: '"other"' })]), 'ops[0].dbId', 'differs_from_request', beyond],
  ['PushRequest', 'operation of another device', pushRequest([put({ deviceId: '"phone-2"' })]), 'ops[0].deviceId', 'differs_from_request', beyond],

  // Responses.
  ['HandshakeResponse', 'missing capabilities', handshakeResponse({ capabilities: undefined }), 'capabilities', 'missing_field'],
  ['HandshakeResponse', 'capability that is not a boolean', handshakeResponse({ capabilities: capabilities({ pull: 1 }) }), 'capabilities.pull', 'unexpected_type'],
  ['HandshakeResponse', 'missing limit', handshakeResponse({ limits: limits({ maxDepth: undefined }) }), 'limits.maxDepth', 'missing_field'],
  ['HandshakeResponse', 'limit of 0', handshakeResponse({ limits: limits({ maxPullOps: 0 }) }), 'limits.maxPullOps', 'out_of_range'],
  ['HandshakeResponse', 'history that is not in order', handshakeResponse({ history: list(historyEntry(EPOCH, 5), historyEntry(EPOCH_2, 5)) }), 'history[1].firstCursor', 'not_increasing', beyond],
  ['HandshakeResponse', 'history with a short epoch', handshakeResponse({ history: list(historyEntry("h'00'", 1)) }), 'history[0].epoch', 'wrong_length'],
  ['HandshakeResponse', 'count of a collection with a bad name', handshakeResponse({ counts: map({ _sync: 1 }) }), 'counts', 'invalid_collection'],
  ['HandshakeResponse', 'count that is negative', handshakeResponse({ counts: map({ notes: -1 }) }), 'counts.notes', 'unexpected_type'],
  ['HandshakeResponse', 'count of one collection twice', handshakeResponse({ counts: mapInOrder([['notes', 1], ['notes', 2]]) }), 'counts', 'duplicate_key', beyond],
  ['PullResponse', 'missing hasMore', pullResponse([], { hasMore: undefined }), 'hasMore', 'missing_field'],
  ['PullResponse', 'hasMore as a number', pullResponse([], { hasMore: 1 }), 'hasMore', 'unexpected_type'],
  ['PullResponse', 'operation with opId 0 that is not of the server', pullResponse([pulled(7, { opId: 0 })], { nextCursor: 7 }), 'ops[0].opId', 'out_of_range'],
  ['PullResponse', 'operation without a revision', pullResponse([pulled(0)]), 'ops[0].entityVersion', 'not_increasing'],
  ['PullResponse', 'operations out of cursor order', pullResponse([pulled(8), pulled(7)], { nextCursor: 8 }), 'ops[1].entityVersion', 'not_increasing', beyond],
  ['PullResponse', 'nextCursor before the last operation', pullResponse([pulled(8)], { nextCursor: 7 }), 'nextCursor', 'out_of_range', beyond],
  ...packedPages,
  ['PushResponse', 'missing conflicts', pushResponse({ conflicts: undefined }), 'conflicts', 'missing_field'],
  ['PushResponse', 'conflicts is null', pushResponse({ conflicts: 'null' }), 'conflicts', 'unexpected_type'],
  ['PushResponse', 'conflict with an absent entity that has bytes', pushResponse({ conflicts: list(conflict({ serverState: map({ entityVersion: 0, entityCbor: ENTITY }) })) }), 'conflicts[0].serverState.entityCbor', 'absent_with_entity'],
  ['PushResponse', 'conflict with an unknown reason', pushResponse({ conflicts: list(conflict({ reason: '"because"' })) }), 'conflicts[0].reason', 'unexpected_value'],
  ['PushResponse', 'conflict that names another entity', pushResponse({ conflicts: list(conflict({ entityId: '"n2"' })) }), 'conflicts[0].entityId', 'differs_from_client_op', beyond],
  ['PushResponse', 'conflict that names another collection', pushResponse({ conflicts: list(conflict({ collection: '"tags"' })) }), 'conflicts[0].collection', 'differs_from_client_op', beyond],
  ['PushResponse', 'committed out of order', pushResponse({ committed: list(map({ opId: 2, entityVersion: 8 }), map({ opId: 1, entityVersion: 9 })) }), 'committed[1].opId', 'not_increasing', beyond],
  ['PushResponse', 'operation in two lists', pushResponse({ conflicts: list(conflict()), committed: list(map({ opId: 1, entityVersion: 8 })) }), 'committed[0].opId', 'op_repeated', beyond],
  ['PushResponse', 'rejected operation without a code', pushResponse({ rejected: list(map({ opId: 1, message: '"no"' })) }), 'rejected[0].code', 'missing_field'],
  ['VerifyRequest', 'digest of 31 bytes', verifyRequest({ digest: `h'${'00'.repeat(31)}'` }), 'digest', 'wrong_length'],
  ['VerifyRequest', 'missing cursor', verifyRequest({ cursor: undefined }), 'cursor', 'missing_field'],
  ['VerifyResponse', 'match with collections', map({ match: true, collections: map({ notes: DIGEST }) }), 'collections', 'unexpected_field'],
  ['VerifyResponse', 'no match without collections', map({ match: false }), 'collections', 'missing_field'],
  ['ErrorResponse', 'missing message', errorResponse({ message: undefined }), 'message', 'missing_field'],
  ['ErrorResponse', 'negative delay', errorResponse({ retryAfterMs: -1 }), 'retryAfterMs', 'unexpected_type'],
  ['ErrorResponse', 'details is not a map', errorResponse({ details: '[]' }), 'details', 'unexpected_type'],
  ['ErrorResponse', 'history in details is not a list', errorResponse({ details: map({ history: '{}' }) }), 'details.history', 'unexpected_type'],
]
