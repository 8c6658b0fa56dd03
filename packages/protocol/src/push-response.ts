/** `POST /v1/push`, the response: each operation in exactly one of three lists. */
import { arrayOf } from './array-codecs.ts'
import { type Codec, checked, decodeMessage, encodeMessage } from './codec.ts'
import type { Problem } from './invalid-message.ts'
import { bytesOrNull, collectionText, entityIdText, oneOf, text, uint } from './item-codecs.ts'
import type { CommittedOp, Conflict, PushResponse, RejectedOp, ServerState } from './messages.ts'
import { optional, record, required } from './record-codec.ts'
import { syncOperation } from './sync-operation.ts'

const serverState = checked(
  record<ServerState>({
    entityVersion: required(uint()),
    entityCbor: required(bytesOrNull),
    schemaVersion: optional(uint()),
  }),
  problemOfState,
)

const conflict: Codec<Conflict> = checked(
  record<Conflict>({
    collection: required(collectionText),
    entityId: required(entityIdText),
    clientOp: required(syncOperation),
    serverState: required(serverState),
    reason: optional(oneOf(['stale', 'group'])),
  }),
  problemOfConflict,
)

const pushResponse: Codec<PushResponse> = checked(
  record<PushResponse>({
    acknowledgedUpToOpId: required(uint()),
    conflicts: required(arrayOf(conflict)),
    committed: optional(
      arrayOf(record<CommittedOp>({ opId: required(uint(1)), entityVersion: required(uint()) })),
    ),
    rejected: optional(
      arrayOf(
        record<RejectedOp>({
          opId: required(uint(1)),
          code: required(text),
          message: required(text),
        }),
      ),
    ),
    headBefore: optional(uint()),
    head: optional(uint()),
    purgedThrough: optional(uint()),
  }),
  problemOfResponse,
)

/** The body of the answer to a push. */
export function encodePushResponse(message: PushResponse): Uint8Array {
  return encodeMessage(pushResponse, message)
}

/**
 * Malformed, a list not in opId order, or an operation in two lists: `invalid_response`. Whether the lists
 * answer the operations that were sent is for the caller to check.
 */
export function decodePushResponse(bytes: Uint8Array): PushResponse {
  return decodeMessage(pushResponse, bytes, 'invalid_response')
}

function problemOfState(state: ServerState): Problem | undefined {
  return state.entityVersion === 0 && state.entityCbor !== null
    ? { path: ['entityCbor'], reason: 'absent_with_entity' }
    : undefined
}

function problemOfConflict({ clientOp, collection, entityId }: Conflict): Problem | undefined {
  if (collection !== clientOp.collection) {
    return { path: ['collection'], reason: 'differs_from_client_op' }
  }
  return entityId === clientOp.entityId
    ? undefined
    : { path: ['entityId'], reason: 'differs_from_client_op' }
}

function problemOfResponse(response: PushResponse): Problem | undefined {
  const seen = new Set<number>()
  return (
    problemOfList('conflicts', response.conflicts.map(opIdOfConflict), seen, [
      'clientOp',
      'opId',
    ]) ??
    problemOfList('committed', (response.committed ?? []).map(opIdOf), seen, ['opId']) ??
    problemOfList('rejected', (response.rejected ?? []).map(opIdOf), seen, ['opId'])
  )
}

function problemOfList(
  list: string,
  opIds: readonly number[],
  seen: Set<number>,
  place: readonly string[],
): Problem | undefined {
  let previous = 0
  for (const [index, opId] of opIds.entries()) {
    if (opId <= previous || seen.has(opId)) {
      const reason = opId <= previous ? 'not_increasing' : 'op_repeated'
      return { path: [list, index, ...place], reason }
    }
    seen.add(opId)
    previous = opId
  }
  return undefined
}

function opIdOfConflict({ clientOp }: Conflict): number {
  return clientOp.opId
}

function opIdOf({ opId }: CommittedOp | RejectedOp): number {
  return opId
}
