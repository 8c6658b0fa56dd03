/** Our server as one that knows no extension of the protocol: it neither reads nor sends a key marked ext. */
import { decodeErrorResponse, type SyncOperation } from '@entidb/protocol'
import type { Fault } from './faulty-server.test-kit.ts'
import {
  errorAnswer,
  handshakeRequests,
  handshakes,
  inTurn,
  pages,
  pullRequests,
  pushAnswers,
  pushRequests,
} from './message-faults.test-kit.ts'

export const knowsNoExtensions: Fault = inTurn(
  async (request, next) => {
    const response = await next(request)
    if (response.status < 400) return response
    const error = decodeErrorResponse(new Uint8Array(await response.arrayBuffer()))
    const { code, message } = error
    return errorAnswer(response, { code, message })
  },
  handshakeRequests(({ dbId, deviceId }) => ({ dbId, deviceId })),
  handshakes(({ serverCursor, capabilities: { pull, push, sse } }) => ({
    serverCursor,
    capabilities: { pull, push, sse },
  })),
  pullRequests(({ dbId, sinceCursor, limit }) => ({
    dbId,
    sinceCursor,
    ...(limit === undefined ? {} : { limit }),
  })),
  pages(({ ops, nextCursor, hasMore }) => ({ ops: ops.map(simpleOp), nextCursor, hasMore })),
  pushRequests(({ dbId, deviceId, ops }) => ({ dbId, deviceId, ops: ops.map(simpleOp) })),
  pushAnswers(({ acknowledgedUpToOpId, conflicts }) => ({
    acknowledgedUpToOpId,
    conflicts: conflicts.map(({ reason: _, clientOp, serverState, ...conflict }) => ({
      ...conflict,
      clientOp: simpleOp(clientOp),
      serverState: {
        entityVersion: serverState.entityVersion,
        entityCbor: serverState.entityCbor,
      },
    })),
  })),
)

function simpleOp({ tx: _tx, schemaVersion: _version, ...op }: SyncOperation): SyncOperation {
  return op
}
