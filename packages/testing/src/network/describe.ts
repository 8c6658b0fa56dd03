/** Messages as a person reads them in the event log. */
import {
  decodeErrorResponse,
  decodeHandshakeResponse,
  decodePullRequest,
  decodePullResponse,
  decodePushRequest,
  decodePushResponse,
  HANDSHAKE_PATH,
  PULL_PATH,
  PUSH_PATH,
  type PullRequest,
  type SyncOperation,
} from '@entidb/protocol'
import { describeBytes } from '../application/describe-entity.ts'

/** A request in one line. */
export function describeRequest(url: string, body: Uint8Array | undefined): string {
  const path = pathOf(url)
  const bytes = body ?? new Uint8Array(0)
  if (path === PUSH_PATH) {
    const { ops } = decodePushRequest(bytes)
    return `push ${ops.map((op) => `${op.opId}:${describeOp(op)} on ${op.entityVersion} tx ${op.tx}`).join(', ')}`
  }
  if (path === PULL_PATH) return describePull(decodePullRequest(bytes))
  return path === HANDSHAKE_PATH ? 'handshake' : path
}

/** The deviceId that a push names. */
export function senderOf(url: string, body: Uint8Array | undefined): string | undefined {
  if (body === undefined || pathOf(url) !== PUSH_PATH) return undefined
  return decodePushRequest(body).deviceId
}

/** An answer in one line. */
export function describeResponse(url: string, status: number, body: Uint8Array): string {
  if (status !== 200) return `${status} ${decodeErrorResponse(body).code}`
  const path = pathOf(url)
  if (path === PUSH_PATH) return describePush(body)
  if (path === PULL_PATH) {
    const { ops, nextCursor, hasMore, snapshot } = decodePullResponse(body)
    const list = ops.map((op) => `${op.entityVersion}:${describeOp(op)}`).join(', ')
    const end = snapshot?.after ?? nextCursor
    return `page to ${end}${hasMore ? ' (more)' : ''}: ${list}`
  }
  if (path !== HANDSHAKE_PATH) return 'ok'
  const { serverCursor, lastOpId, history = [] } = decodeHandshakeResponse(body)
  return `hello, head ${serverCursor}, lastOpId ${lastOpId}, ${history.length} epochs`
}

function describePull({ sinceCursor, snapshot }: PullRequest): string {
  if (snapshot === undefined) return `pull since ${sinceCursor}`
  const { through, after } = snapshot
  return after === undefined ? 'pull a snapshot' : `pull a snapshot to ${through} after ${after}`
}

function describePush(body: Uint8Array): string {
  const { committed = [], conflicts, rejected = [], headBefore, head } = decodePushResponse(body)
  const parts = [
    ...committed.map(({ opId, entityVersion }) => `${opId} is ${entityVersion}`),
    ...conflicts.map(
      ({ clientOp, serverState, reason }) =>
        `${clientOp.opId} conflicts (${reason}) with ${serverState.entityVersion}`,
    ),
    ...rejected.map(({ opId, code }) => `${opId} rejected (${code})`),
  ]
  return `${parts.join(', ')}; head ${headBefore} to ${head}`
}

function describeOp({ collection, entityId, entityCbor }: SyncOperation): string {
  return `${collection}/${entityId}=${describeBytes(entityCbor)}`
}

function pathOf(url: string): string {
  return new URL(url).pathname
}
