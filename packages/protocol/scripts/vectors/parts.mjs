// The parts that the vectors are put together from, in diagnostic notation.
import { assemble, hex } from '../assemble-diagnostic.mjs'

export const MAX = '9007199254740991'
export const EPOCH = "h'000102030405060708090a0b0c0d0e0f'"
export const EPOCH_2 = "h'101112131415161718191a1b1c1d1e1f'"
export const REPLICA = "h'a0a1a2a3a4a5a6a7a8a9aaabacadaeaf'"
export const DIGEST = `h'${'5a'.repeat(32)}'`
/** {"id": "n1", "text": "milk"} */
export const ENTITY = "h'a2626964626e316474657874646d696c6b'"

/** A map of diagnostic texts with its keys as they are sent; undefined ones are left out. */
export function map(fields) {
  const entries = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => a.length - b.length || (a < b ? -1 : 1))
  return mapInOrder(entries)
}

export function mapInOrder(entries) {
  return `{${entries.map(([key, value]) => `"${key}": ${value}`).join(', ')}}`
}

export function list(...items) {
  return `[${items.join(', ')}]`
}

/** A put of n1 by phone-1 with opId 1 on base 0, with other fields where given. */
export function put(fields = {}) {
  return map({
    opId: 1,
    dbId: '"notes"',
    deviceId: '"phone-1"',
    collection: '"notes"',
    entityId: '"n1"',
    opType: '"PUT"',
    entityVersion: 0,
    entityCbor: ENTITY,
    ...fields,
  })
}

export function del(fields = {}) {
  return put({ opType: '"DELETE"', entityCbor: 'null', ...fields })
}

/** A put as it is pulled. */
export function pulled(revision, fields = {}) {
  return put({ entityVersion: revision, entityId: `"n${revision}"`, ...fields })
}

export function handshakeRequest(fields = {}) {
  return map({ dbId: '"notes"', deviceId: '"phone-1"', ...fields })
}

export function handshakeResponse(fields = {}) {
  return map({ serverCursor: 0, capabilities: capabilities(), ...fields })
}

export function capabilities(fields = {}) {
  return map({ pull: true, push: true, sse: true, ...fields })
}

export function limits(fields = {}) {
  return map({
    maxOpsPerPush: 1000,
    maxPullOps: 5000,
    maxBodyBytes: 8388608,
    maxEntityBytes: 1048576,
    maxDepth: 64,
    ...fields,
  })
}

export function historyEntry(epoch, firstCursor) {
  return map({ epoch, firstCursor })
}

export function pullRequest(fields = {}) {
  return map({ dbId: '"notes"', sinceCursor: 0, ...fields })
}

/** Which page of a snapshot, in requests and answers alike. */
export function snapshot(fields = {}) {
  return map({ through: 268435500, ...fields })
}

export function pullResponse(ops, fields = {}) {
  return map({ ops: list(...ops), nextCursor: 0, hasMore: false, ...fields })
}

/** A CBOR sequence in a byte string. */
export function sequence(...items) {
  return `h'${items.map((item) => hex(assemble(String(item)))).join('')}'`
}

/** Byte strings and texts (without heads) behind each other. */
export function joined(...parts) {
  return `h'${parts.map((part) => (part.startsWith("h'") ? part.slice(2, -1) : hex(Buffer.from(part)))).join('')}'`
}

export function kind(fields = {}) {
  return map({
    dbId: '"notes"',
    deviceId: '"phone-1"',
    collection: '"notes"',
    opType: '"PUT"',
    ...fields,
  })
}

/** Of entities {"id": its id, "text": ...}, here of two with the text "milk". */
export function shape(fields = {}) {
  return map({ keys: list('"id"', '"text"'), idIndex: 0, values: list("h''", sequence('"milk"', '"milk"')), ...fields })
}

/** Two puts by phone-1, of n1 and n2 with the same text. */
export function packed(fields = {}) {
  return map({
    kinds: list(kind()),
    shapes: list(shape()),
    kindIndexes: sequence(0, 0),
    revisions: sequence(268435457, 1),
    opIds: sequence(1, 1),
    entityIdSizes: sequence(2, 2),
    entityIds: joined('n1', 'n2'),
    shapeIndexes: sequence(1, 1),
    ...fields,
  })
}

export function packedPullResponse(operations, fields = {}) {
  return map({ packed: operations, nextCursor: 268435500, hasMore: false, ...fields })
}

export function pushRequest(ops, fields = {}) {
  return map({ dbId: '"notes"', deviceId: '"phone-1"', ops: list(...ops), ...fields })
}

export function pushResponse(fields = {}) {
  return map({ acknowledgedUpToOpId: 0, conflicts: list(), ...fields })
}

export function conflict(fields = {}) {
  return map({
    collection: '"notes"',
    entityId: '"n1"',
    clientOp: put(),
    serverState: map({ entityVersion: 268435457, entityCbor: ENTITY }),
    ...fields,
  })
}

export function verifyRequest(fields = {}) {
  return map({ dbId: '"notes"', cursor: 268435457, digest: DIGEST, ...fields })
}

export function errorResponse(fields = {}) {
  return map({ code: '"internal"', message: '"Something failed."', ...fields })
}
