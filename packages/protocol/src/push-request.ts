/** `POST /v1/push`, the request: local operations, at most one per entity. */
import { arrayOf } from './array-codecs.ts'
import { decodeMessage, encodeMessage } from './codec.ts'
import { epochBytes, replicaIdBytes } from './handshake.ts'
import { invalidMessage, type Problem } from './invalid-message.ts'
import { clientDeviceIdText, dbIdText, encoded, uint } from './item-codecs.ts'
import type { PushRequest, SyncOperation } from './messages.ts'
import { type Fields, optional, record, required } from './record-codec.ts'
import { syncOperation } from './sync-operation.ts'

/** A push whose operations are encoded already, as `encodeSyncOperation` does it. */
export interface EncodedPushRequest extends Omit<PushRequest, 'ops'> {
  readonly ops: readonly Uint8Array[]
}

const envelopeFields = {
  dbId: required(dbIdText),
  deviceId: required(clientDeviceIdText),
  epoch: optional(epochBytes),
  replicaId: optional(replicaIdBytes),
  sinceCursor: optional(uint()),
} satisfies Partial<Fields<PushRequest>>

const pushRequest = record<PushRequest>({
  ...envelopeFields,
  ops: required(arrayOf(syncOperation)),
})

const encodedPushRequest = record<EncodedPushRequest>({
  ...envelopeFields,
  ops: required(arrayOf(encoded)),
})

/** The body of a push. */
export function encodePushRequest(message: PushRequest): Uint8Array {
  return encodeMessage(pushRequest, message)
}

/** The same bytes as `encodePushRequest` gives, from operations that are stored encoded. */
export function encodePushRequestFromOps(request: EncodedPushRequest): Uint8Array {
  return encodeMessage(encodedPushRequest, request)
}

/**
 * Every field of its type and range, or `invalid_request`; `entityCbor` of every operation is a view of
 * `bytes`. The rules across operations are `assertPushRequest`'s: they are checked later, after access.
 */
export function decodePushRequest(bytes: Uint8Array): PushRequest {
  return decodeMessage(pushRequest, bytes, 'invalid_request')
}

/**
 * opIds at least 1 and strictly increasing, one operation per entity, dbId and deviceId of every
 * operation those of the request; otherwise `invalid_request` with the path.
 */
export function assertPushRequest(request: PushRequest): void {
  const problem = problemAcrossOps(request)
  if (problem !== undefined) throw invalidMessage('invalid_request', problem.reason, problem)
}

function problemAcrossOps(request: PushRequest): Problem | undefined {
  const entities = new Set<string>()
  let previousOpId = 0
  for (const [index, op] of request.ops.entries()) {
    const problem = problemOfOp(request, op, previousOpId)
    if (problem !== undefined) return { ...problem, path: ['ops', index, ...problem.path] }
    previousOpId = op.opId
    // A collection name holds no slash, so no two entities share a key.
    const key = `${op.collection}/${op.entityId}`
    if (entities.has(key)) return { path: ['ops', index, 'entityId'], reason: 'entity_repeated' }
    entities.add(key)
  }
  return undefined
}

function problemOfOp(
  request: PushRequest,
  op: SyncOperation,
  previousOpId: number,
): Problem | undefined {
  if (op.dbId !== request.dbId) return { path: ['dbId'], reason: 'differs_from_request' }
  if (op.deviceId !== request.deviceId) {
    return { path: ['deviceId'], reason: 'differs_from_request' }
  }
  return op.opId > previousOpId ? undefined : { path: ['opId'], reason: 'not_increasing' }
}
