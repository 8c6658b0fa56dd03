// Messages that every decoder must accept. `canonical: false` marks those that no encoder writes.
import { packedPages } from './packed-valid.mjs'
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
  MAX,
  map,
  mapInOrder,
  pulled,
  pullRequest,
  pullResponse,
  pushRequest,
  pushResponse,
  put,
  REPLICA,
  verifyRequest,
} from './parts.mjs'

const received = { canonical: false }
const nested = (depth) => '['.repeat(depth) + ']'.repeat(depth)

export const valid = [
  ['SyncOperation', 'put with the fields of every client', put({ timestampMs: 1763928000000 })],
  ['SyncOperation', 'put without the optional fields', put()],
  ['SyncOperation', 'delete', del({ entityVersion: 268435457 })],
  ['SyncOperation', 'extension fields', put({ tx: 7, schemaVersion: 3 })],
  ['SyncOperation', 'largest numbers', put({ opId: MAX, entityVersion: MAX, tx: 4294967295, timestampMs: MAX })],
  ['SyncOperation', 'smallest timestamp', put({ timestampMs: `-${MAX}` })],
  ['SyncOperation', 'entityId of 512 bytes', put({ entityId: `"${'é'.repeat(256)}"` })],
  ['SyncOperation', 'entityId with a slash, a quote and an emoji', put({ entityId: '"a/\\"b\\" \u{1f600}"' })],
  ['SyncOperation', 'entityId with a byte order mark, kept', put({ entityId: '"\ufeffx"' })],
  ['SyncOperation', 'entityCbor is not looked at', put({ entityCbor: "h'ff'" })],
  ['SyncOperation', 'empty entityCbor is not looked at', put({ entityCbor: "h''" })],
  ['SyncOperation', 'longest names', put({ dbId: `"${'d'.repeat(128)}"`, deviceId: `"${'v'.repeat(128)}"`, collection: `"${'c'.repeat(64)}"` })],
  ['SyncOperation', 'names with every kind of character', put({ dbId: '"_A-z.0"', deviceId: '"-A_z.9"', collection: '"-A_z9"' })],
  ['SyncOperation', 'written by the server', put({ opId: 0, deviceId: '"server"', entityVersion: 268435457 })],
  ['SyncOperation', 'keys in another order', mapInOrder([['opType', '"DELETE"'], ['entityCbor', 'null'], ['schemaVersion', 1], ['opId', 1], ['entityVersion', 5], ['dbId', '"notes"'], ['collection', '"notes"'], ['entityId', '"n1"'], ['deviceId', '"phone-1"']]), received],
  ['SyncOperation', 'unknown keys of every type', put({ a: '[1.5_3, -1.5_2]', b: "1(1763928000)", c: 'undefined', d: '{1: [null, simple(255)]}', e: MAX.replace(/1$/, '3'), f: '18446744073709551615', g: '5_3' }), received],
  ['SyncOperation', 'unknown value nested 64 deep', put({ unknown: nested(64) }), received],
  ['SyncOperation', 'unknown key like a prototype', put({ ['__proto__']: 1, constructor: 2 }), received],

  ['HandshakeRequest', 'minimal', handshakeRequest()],
  ['HandshakeRequest', 'with clientInfo', handshakeRequest({ clientInfo: map({ platform: '"web"', appVersion: '"1.0.0"' }) })],
  ['HandshakeRequest', 'empty clientInfo', handshakeRequest({ clientInfo: '{}' })],
  ['HandshakeRequest', 'extension fields', handshakeRequest({ protocol: '[1, 0]', replicaId: REPLICA, lastOpId: 41, epoch: EPOCH })],
  ['HandshakeRequest', 'unknown keys in clientInfo', handshakeRequest({ clientInfo: map({ platform: '"ios"', locale: '["de", "AT"]' }) }), received],
  ['HandshakeRequest', 'a later protocol version', handshakeRequest({ protocol: '[2, 7]' })],

  ['HandshakeResponse', 'minimal', handshakeResponse()],
  ['HandshakeResponse', 'a server without a stream', handshakeResponse({ serverCursor: 268435461, capabilities: capabilities({ sse: false }) })],
  ['HandshakeResponse', 'extension fields', handshakeResponse({
    serverCursor: 536870921, protocol: '[1, 0]', epoch: EPOCH_2, lastOpId: 12, purgedThrough: 268435470, scope: '"all"',
    history: list(historyEntry(EPOCH, 1), historyEntry(EPOCH_2, 268435501)), limits: limits(),
    counts: map({ notes: 40, tags: 0 }), capabilities: capabilities({ groups: true, rejections: true, digest: true, collections: true }),
  })],
  ['HandshakeResponse', 'no history yet', handshakeResponse({ history: '[]', counts: '{}' })],
  ['HandshakeResponse', 'counts of a collection named constructor', handshakeResponse({ counts: map({ constructor: 3 }) })],
  ['HandshakeResponse', 'unknown keys inside', handshakeResponse({ capabilities: capabilities({ teleport: true }), limits: limits({ maxStreams: 3 }), zzz: 'null' }), received],

  ['PullRequest', 'without a limit', pullRequest()],
  ['PullRequest', 'with a limit', pullRequest({ sinceCursor: 268435461, limit: 100 })],
  ['PullRequest', 'largest numbers', pullRequest({ sinceCursor: MAX, limit: MAX })],
  ['PullRequest', 'extension fields', pullRequest({ limit: 5000, deviceId: '"phone-1"', replicaId: REPLICA, epoch: EPOCH, collections: '["notes", "tags"]' })],
  ['PullRequest', 'that reads packed pages', pullRequest({ packed: 1 })],
  ['PullRequest', 'that reads packed pages of a later form', pullRequest({ packed: MAX })],
  ['PullRequest', 'no collections at all', pullRequest({ collections: '[]' })],

  ['PullResponse', 'empty', pullResponse([])],
  ['PullResponse', 'a page with more behind it', pullResponse([pulled(268435457), pulled(268435458, { opType: '"DELETE"', entityCbor: 'null' })], { nextCursor: 268435458, hasMore: true })],
  ['PullResponse', 'operations of the server, of a device and in a group', pullResponse([
    pulled(268435457, { opId: 0, deviceId: '"server"' }), pulled(268435460, { opId: 5, tx: 2 }), pulled(268435461, { opId: 6, tx: 2, schemaVersion: 2 }),
  ], { nextCursor: 268435461 })],
  ['PullResponse', 'hidden operations move nextCursor', pullResponse([pulled(268435457)], { nextCursor: 268435999, head: 268435999, purgedThrough: 268435456 })],

  ...packedPages,

  ['PushRequest', 'empty', pushRequest([])],
  ['PushRequest', 'one put', pushRequest([put()])],
  ['PushRequest', 'a put and a delete in one group', pushRequest([put({ opId: 3, tx: 0 }), del({ opId: 9, tx: 0, entityId: '"n2"', entityVersion: 268435460 })])],
  ['PushRequest', 'extension fields', pushRequest([put({ tx: 1, schemaVersion: 2, timestampMs: 0 })], { epoch: EPOCH, replicaId: REPLICA, sinceCursor: 268435461 })],
  ['PushRequest', 'unknown keys', pushRequest([put({ color: '"red"' })], { trace: '{"id": 1}' }), received],

  ['PushResponse', 'nothing to say', pushResponse()],
  ['PushResponse', 'all committed', pushResponse({
    acknowledgedUpToOpId: 2, committed: list(map({ opId: 1, entityVersion: 268435457 }), map({ opId: 2, entityVersion: 268435458 })),
    rejected: '[]', headBefore: 268435456, head: 268435458, purgedThrough: 0,
  })],
  ['PushResponse', 'no-op delete of what never was', pushResponse({ acknowledgedUpToOpId: 1, committed: list(map({ opId: 1, entityVersion: 0 })) })],
  ['PushResponse', 'conflict without extension fields', pushResponse({ acknowledgedUpToOpId: 1, conflicts: list(conflict()) })],
  ['PushResponse', 'conflict with an absent entity', pushResponse({ acknowledgedUpToOpId: 1, conflicts: list(conflict({ clientOp: put({ entityVersion: 268435457 }), serverState: map({ entityVersion: 0, entityCbor: 'null' }), reason: '"stale"' })) })],
  ['PushResponse', 'conflict with a tombstone', pushResponse({ acknowledgedUpToOpId: 1, conflicts: list(conflict({ serverState: map({ entityVersion: 268435460, entityCbor: 'null' }), reason: '"stale"' })) })],
  ['PushResponse', 'a group in conflict', pushResponse({
    acknowledgedUpToOpId: 2, committed: '[]', rejected: '[]', headBefore: 268435460, head: 268435460,
    conflicts: list(
      conflict({ reason: '"stale"', clientOp: put({ tx: 0 }), serverState: map({ entityVersion: 268435460, entityCbor: ENTITY, schemaVersion: 2 }) }),
      conflict({ reason: '"group"', entityId: '"n2"', clientOp: put({ tx: 0, opId: 2, entityId: '"n2"' }), serverState: map({ entityVersion: 0, entityCbor: 'null' }) }),
    ),
  })],
  ['PushResponse', 'rejected operations', pushResponse({
    acknowledgedUpToOpId: 4, committed: list(map({ opId: 4, entityVersion: 268435461 })),
    rejected: list(map({ opId: 1, code: '"forbidden"', message: '"notes is read-only for you."' }), map({ opId: 2, code: '"group"', message: '"Another op of the group was rejected."' })),
  })],

  ['VerifyRequest', 'plain', verifyRequest()],
  ['VerifyRequest', 'digest of nothing', verifyRequest({ cursor: 0, digest: `h'${'00'.repeat(32)}'` })],
  ['VerifyResponse', 'match', map({ match: true })],
  ['VerifyResponse', 'no match', map({ match: false, collections: map({ notes: DIGEST, tags: `h'${'01'.repeat(32)}'` }) })],
  ['VerifyResponse', 'no match, nothing on the server', map({ match: false, collections: '{}' })],

  ['ErrorResponse', 'plain', errorResponse()],
  ['ErrorResponse', 'with a delay', errorResponse({ code: '"rate_limited"', retryAfterMs: 1500 })],
  ['ErrorResponse', 'a code of a later version', errorResponse({ code: '"something_new"' })],
  ['ErrorResponse', 'epoch_mismatch with the history', errorResponse({ code: '"epoch_mismatch"', details: map({ history: list(historyEntry(EPOCH, 1), historyEntry(EPOCH_2, 268435501)) }) })],
  ['ErrorResponse', 'unsupported_protocol with the versions', errorResponse({ code: '"unsupported_protocol"', details: map({ supported: '[[1, 0]]' }) })],
  ['ErrorResponse', 'op_id_reused with the highest opId', errorResponse({ code: '"op_id_reused"', details: map({ lastOpId: 99 }) })],
  ['ErrorResponse', 'too_large with the bound', errorResponse({ code: '"too_large"', details: map({ limit: 1000 }) })],
  ['ErrorResponse', 'unknown details', errorResponse({ details: map({ hint: '"ask"', nested: '[{}]' }) }), received],
]
