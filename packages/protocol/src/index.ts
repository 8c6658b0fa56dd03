/**
 * SyncProtocol v1: its messages, encoders, strict decoders and rules. Pure: no I/O. `docs/protocol.md`
 * says what the messages mean, `cddl/protocol.cddl` what they look like, `vectors/` how they are spelt.
 */
export {
  encodeContentForHash,
  encodeDigestInput,
  type HashedContent,
} from './content-hash.ts'
export { addDigests, DIGEST_BYTES, emptyDigest, subtractDigests } from './digest.ts'
export { entityDigest } from './entity-digest.ts'
export { decodeErrorResponse, encodeErrorResponse } from './error-response.ts'
export {
  decodeHandshakeRequest,
  decodeHandshakeResponse,
  EPOCH_BYTES,
  encodeHandshakeRequest,
  encodeHandshakeResponse,
  REPLICA_ID_BYTES,
} from './handshake.ts'
export {
  DEFAULT_LIMITS,
  EPOCH_STRIDE,
  HANDSHAKE_PATH,
  httpStatusOf,
  isWireErrorCode,
  MEDIA_TYPE,
  PROTOCOL_VERSION,
  PULL_PATH,
  PUSH_PATH,
  STREAM_EVENT,
  STREAM_PATH,
  VERIFY_PATH,
} from './http.ts'
export {
  ENTITY_ID_BYTES_MAX,
  isValidClientDeviceId,
  isValidCollectionName,
  isValidDbId,
  isValidDeviceId,
  isValidEntityId,
  parseCollectionName,
  parseDbId,
  parseDeviceId,
  parseEntityId,
  SERVER_DEVICE_ID,
} from './identifiers.ts'
export type { InvalidMessageReason, MessageErrorCode } from './invalid-message.ts'
export type {
  Capabilities,
  CommittedOp,
  Conflict,
  ErrorDetails,
  ErrorResponse,
  HandshakeRequest,
  HandshakeResponse,
  HistoryEntry,
  Limits,
  OpType,
  PullRequest,
  PullResponse,
  PushRequest,
  PushResponse,
  RejectedOp,
  ServerState,
  SnapshotPlace,
  SnapshotRequest,
  SyncOperation,
  VerifyRequest,
  VerifyResponse,
} from './messages.ts'
export type { EntityState, StateKind } from './packed/pack-states.ts'
export { PACKED_FORM, PACKED_OPS_MAX } from './packed/packed-operations.ts'
export {
  decodePullRequest,
  decodePullResponse,
  encodePackedPullPage,
  encodePullPage,
  encodePullRequest,
  encodePullResponse,
  encodeSnapshotPage,
  type PullPage,
  readsPacked,
  type SnapshotPage,
} from './pull.ts'
export {
  assertPushRequest,
  decodePushRequest,
  type EncodedPushRequest,
  encodePushRequest,
  encodePushRequestFromOps,
} from './push-request.ts'
export { decodePushResponse, encodePushResponse } from './push-response.ts'
export { UNKNOWN_DEPTH_MAX } from './record-codec.ts'
export { SHA256_BYTES, sha256 } from './sha256.ts'
export { decodeSyncOperation, encodeSyncOperation, TX_MAX } from './sync-operation.ts'
export {
  decodeVerifyRequest,
  decodeVerifyResponse,
  encodeVerifyRequest,
  encodeVerifyResponse,
} from './verify.ts'
