/** Every message with its encoder and decoder, so that one test can run over all of them. */
import { decodeErrorResponse, encodeErrorResponse } from './error-response.ts'
import {
  decodeHandshakeRequest,
  decodeHandshakeResponse,
  encodeHandshakeRequest,
  encodeHandshakeResponse,
} from './handshake.ts'
import type { MessageErrorCode } from './invalid-message.ts'
import type {
  ErrorResponse,
  HandshakeRequest,
  HandshakeResponse,
  PullRequest,
  PullResponse,
  PushRequest,
  PushResponse,
  SyncOperation,
  VerifyRequest,
  VerifyResponse,
} from './messages.ts'
import {
  decodePullRequest,
  decodePullResponse,
  encodePackedPullPage,
  encodePullRequest,
  encodePullResponse,
} from './pull.ts'
import { assertPushRequest, decodePushRequest, encodePushRequest } from './push-request.ts'
import { decodePushResponse, encodePushResponse } from './push-response.ts'
import { decodeSyncOperation, encodeSyncOperation } from './sync-operation.ts'
import {
  decodeVerifyRequest,
  decodeVerifyResponse,
  encodeVerifyRequest,
  encodeVerifyResponse,
} from './verify.ts'

export interface Messages {
  ErrorResponse: ErrorResponse
  HandshakeRequest: HandshakeRequest
  HandshakeResponse: HandshakeResponse
  PackedPullResponse: PullResponse
  PullRequest: PullRequest
  PullResponse: PullResponse
  PushRequest: PushRequest
  PushResponse: PushResponse
  SyncOperation: SyncOperation
  VerifyRequest: VerifyRequest
  VerifyResponse: VerifyResponse
}

export type MessageName = keyof Messages

export interface MessageCodec<T> {
  encode(message: T): Uint8Array
  decode(bytes: Uint8Array): T
  readonly error: MessageErrorCode
}

export const codecs: { readonly [N in MessageName]: MessageCodec<Messages[N]> } = {
  ErrorResponse: response(encodeErrorResponse, decodeErrorResponse),
  HandshakeRequest: request(encodeHandshakeRequest, decodeHandshakeRequest),
  HandshakeResponse: response(encodeHandshakeResponse, decodeHandshakeResponse),
  PackedPullResponse: response(encodePackedPullResponse, decodePullResponse),
  PullRequest: request(encodePullRequest, decodePullRequest),
  PullResponse: response(encodePullResponse, decodePullResponse),
  PushRequest: request(encodePushRequest, decodeWholePushRequest),
  PushResponse: response(encodePushResponse, decodePushResponse),
  SyncOperation: request(encodeSyncOperation, (bytes) => decodeSyncOperation(bytes)),
  VerifyRequest: request(encodeVerifyRequest, decodeVerifyRequest),
  VerifyResponse: response(encodeVerifyResponse, decodeVerifyResponse),
}

/** For tests that run over all messages. */
export function codecOf(name: MessageName): MessageCodec<unknown> {
  return codecs[name]
}

/** `Object.keys` does not know that these are all. */
export const messageNames: readonly MessageName[] = Object.keys(codecs) as MessageName[]

/** As a server does that has its operations encoded. */
export function encodePackedPullResponse(message: PullResponse): Uint8Array {
  return encodePackedPullPage({ ...message, ops: message.ops.map(encodeSyncOperation) })
}

/** A push as a server takes it: its fields, then the rules across its operations. */
function decodeWholePushRequest(bytes: Uint8Array): PushRequest {
  const message = decodePushRequest(bytes)
  assertPushRequest(message)
  return message
}

function request<T>(
  encode: (message: T) => Uint8Array,
  decode: (bytes: Uint8Array) => T,
): MessageCodec<T> {
  return { encode, decode, error: 'invalid_request' }
}

function response<T>(
  encode: (message: T) => Uint8Array,
  decode: (bytes: Uint8Array) => T,
): MessageCodec<T> {
  return { encode, decode, error: 'invalid_response' }
}
