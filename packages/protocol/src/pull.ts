/** `POST /v1/pull`: the operations after a cursor, page by page. */
import { arrayOf } from './array-codecs.ts'
import { type Codec, checked, decodeMessage, encodeMessage } from './codec.ts'
import { epochBytes, replicaIdBytes } from './handshake.ts'
import type { Problem } from './invalid-message.ts'
import { bool, clientDeviceIdText, collectionText, dbIdText, encoded, uint } from './item-codecs.ts'
import type { PullRequest, PullResponse } from './messages.ts'
import { type Fields, optional, record, required } from './record-codec.ts'
import { syncOperation } from './sync-operation.ts'

/** A page whose operations are encoded already, as `encodeSyncOperation` does it. */
export interface PullPage extends Omit<PullResponse, 'ops'> {
  readonly ops: readonly Uint8Array[]
}

const pullRequest = record<PullRequest>({
  dbId: required(dbIdText),
  sinceCursor: required(uint()),
  limit: optional(uint(1)),
  deviceId: optional(clientDeviceIdText),
  replicaId: optional(replicaIdBytes),
  epoch: optional(epochBytes),
  collections: optional(arrayOf(collectionText)),
})

const pageFields = {
  nextCursor: required(uint()),
  hasMore: required(bool),
  head: optional(uint()),
  purgedThrough: optional(uint()),
} satisfies Partial<Fields<PullResponse>>

const pullResponse: Codec<PullResponse> = checked(
  record<PullResponse>({ ...pageFields, ops: required(arrayOf(syncOperation)) }),
  problemOfPage,
)

const pullPage = record<PullPage>({ ...pageFields, ops: required(arrayOf(encoded)) })

/** The body of a pull. */
export function encodePullRequest(message: PullRequest): Uint8Array {
  return encodeMessage(pullRequest, message)
}

/** Malformed: `invalid_request`. */
export function decodePullRequest(bytes: Uint8Array): PullRequest {
  return decodeMessage(pullRequest, bytes, 'invalid_request')
}

/** The body of the answer to a pull. */
export function encodePullResponse(message: PullResponse): Uint8Array {
  return encodeMessage(pullResponse, message)
}

/** The same bytes as `encodePullResponse` gives, from operations that are stored encoded. */
export function encodePullPage(page: PullPage): Uint8Array {
  return encodeMessage(pullPage, page)
}

/**
 * `entityCbor` of every operation is a view of `bytes`. Malformed, not in cursor order or reaching
 * beyond `nextCursor`: `invalid_response`.
 */
export function decodePullResponse(bytes: Uint8Array): PullResponse {
  return decodeMessage(pullResponse, bytes, 'invalid_response')
}

function problemOfPage({ ops, nextCursor }: PullResponse): Problem | undefined {
  let previous = 0
  for (let i = 0; i < ops.length; i++) {
    const revision = ops[i]?.entityVersion ?? 0
    if (revision <= previous) {
      return { path: ['ops', i, 'entityVersion'], reason: 'not_increasing' }
    }
    previous = revision
  }
  return previous > nextCursor ? { path: ['nextCursor'], reason: 'out_of_range' } : undefined
}
