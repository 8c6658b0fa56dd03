/** `POST /v1/verify`: do both sides hold the same entities? */
import { byCollection } from './array-codecs.ts'
import { type Codec, checked, decodeMessage, encodeMessage } from './codec.ts'
import { DIGEST_BYTES } from './digest.ts'
import type { Problem } from './invalid-message.ts'
import { bool, bytesOf, dbIdText, uint } from './item-codecs.ts'
import type { VerifyRequest, VerifyResponse } from './messages.ts'
import { optional, record, required } from './record-codec.ts'

const verifyRequest = record<VerifyRequest>({
  dbId: required(dbIdText),
  cursor: required(uint()),
  digest: required(bytesOf(DIGEST_BYTES)),
})

const verifyResponse: Codec<VerifyResponse> = checked(
  record<VerifyResponse>({
    match: required(bool),
    collections: optional(byCollection(bytesOf(DIGEST_BYTES))),
  }),
  problemOf,
)

/** The body of a verify. */
export function encodeVerifyRequest(message: VerifyRequest): Uint8Array {
  return encodeMessage(verifyRequest, message)
}

/** Malformed: `invalid_request`. */
export function decodeVerifyRequest(bytes: Uint8Array): VerifyRequest {
  return decodeMessage(verifyRequest, bytes, 'invalid_request')
}

/** The body of the answer to a verify. */
export function encodeVerifyResponse(message: VerifyResponse): Uint8Array {
  return encodeMessage(verifyResponse, message)
}

/** Malformed, or `collections` there when it matches or missing when it does not: `invalid_response`. */
export function decodeVerifyResponse(bytes: Uint8Array): VerifyResponse {
  return decodeMessage(verifyResponse, bytes, 'invalid_response')
}

function problemOf({ match, collections }: VerifyResponse): Problem | undefined {
  if (match === (collections === undefined)) return undefined
  return { path: ['collections'], reason: match ? 'unexpected_field' : 'missing_field' }
}
