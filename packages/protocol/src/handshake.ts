/** `POST /v1/handshake`: who the client is, what the server can do and how its history went. */
import { arrayOf, byCollection, pairOf } from './array-codecs.ts'
import { type Codec, checked, decodeMessage, encodeMessage } from './codec.ts'
import type { Problem } from './invalid-message.ts'
import { bool, bytesOf, clientDeviceIdText, dbIdText, text, uint } from './item-codecs.ts'
import type {
  Capabilities,
  HandshakeRequest,
  HandshakeResponse,
  HistoryEntry,
  Limits,
} from './messages.ts'
import { optional, record, required } from './record-codec.ts'

/** Bytes of an epoch and of a replicaId. */
export const EPOCH_BYTES = 16
/** Length of a replicaId. */
export const REPLICA_ID_BYTES = 16

export const epochBytes: Codec<Uint8Array> = bytesOf(EPOCH_BYTES)
export const replicaIdBytes: Codec<Uint8Array> = bytesOf(REPLICA_ID_BYTES)
export const versionPair: Codec<readonly [number, number]> = pairOf(uint())

/** Oldest first: `firstCursor` strictly increases. */
export const historyList: Codec<readonly HistoryEntry[]> = checked(
  arrayOf(record<HistoryEntry>({ epoch: required(epochBytes), firstCursor: required(uint()) })),
  problemOfHistory,
)

const handshakeRequest = record<HandshakeRequest>({
  dbId: required(dbIdText),
  deviceId: required(clientDeviceIdText),
  clientInfo: optional(
    record<NonNullable<HandshakeRequest['clientInfo']>>({
      platform: optional(text),
      appVersion: optional(text),
    }),
  ),
  protocol: optional(versionPair),
  replicaId: optional(replicaIdBytes),
  lastOpId: optional(uint()),
  epoch: optional(epochBytes),
})

const handshakeResponse = record<HandshakeResponse>({
  serverCursor: required(uint()),
  capabilities: required(
    record<Capabilities>({
      pull: required(bool),
      push: required(bool),
      sse: required(bool),
      groups: optional(bool),
      rejections: optional(bool),
      digest: optional(bool),
      collections: optional(bool),
      packed: optional(bool),
    }),
  ),
  protocol: optional(versionPair),
  epoch: optional(epochBytes),
  history: optional(historyList),
  lastOpId: optional(uint()),
  limits: optional(
    record<Limits>({
      maxOpsPerPush: required(uint(1)),
      maxPullOps: required(uint(1)),
      maxBodyBytes: required(uint(1)),
      maxEntityBytes: required(uint(1)),
      maxDepth: required(uint(1)),
    }),
  ),
  counts: optional(byCollection(uint())),
  scope: optional(text),
  purgedThrough: optional(uint()),
})

/** The body of a handshake. */
export function encodeHandshakeRequest(message: HandshakeRequest): Uint8Array {
  return encodeMessage(handshakeRequest, message)
}

/** Malformed: `invalid_request`. */
export function decodeHandshakeRequest(bytes: Uint8Array): HandshakeRequest {
  return decodeMessage(handshakeRequest, bytes, 'invalid_request')
}

/** The body of the answer to a handshake. */
export function encodeHandshakeResponse(message: HandshakeResponse): Uint8Array {
  return encodeMessage(handshakeResponse, message)
}

/** Malformed: `invalid_response`. */
export function decodeHandshakeResponse(bytes: Uint8Array): HandshakeResponse {
  return decodeMessage(handshakeResponse, bytes, 'invalid_response')
}

function problemOfHistory(history: readonly HistoryEntry[]): Problem | undefined {
  let previous = -1
  for (const [index, { firstCursor }] of history.entries()) {
    if (firstCursor <= previous) {
      return { path: [index, 'firstCursor'], reason: 'not_increasing' }
    }
    previous = firstCursor
  }
  return undefined
}
