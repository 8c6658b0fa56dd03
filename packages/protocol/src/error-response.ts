/** The body of every answer that is not 200. */
import { arrayOf } from './array-codecs.ts'
import { type Codec, decodeMessage, encodeMessage } from './codec.ts'
import { historyList, versionPair } from './handshake.ts'
import { text, uint } from './item-codecs.ts'
import type { ErrorDetails, ErrorResponse } from './messages.ts'
import { optional, record, required } from './record-codec.ts'

const errorResponse: Codec<ErrorResponse> = record<ErrorResponse>({
  code: required(text),
  message: required(text),
  retryAfterMs: optional(uint()),
  details: optional(
    record<ErrorDetails>({
      history: optional(historyList),
      supported: optional(arrayOf(versionPair)),
      lastOpId: optional(uint()),
      limit: optional(uint()),
    }),
  ),
})

/** The body of an answer that is an error. */
export function encodeErrorResponse(message: ErrorResponse): Uint8Array {
  return encodeMessage(errorResponse, message)
}

/** The code may be one that this version does not know. Malformed: `invalid_response`. */
export function decodeErrorResponse(bytes: Uint8Array): ErrorResponse {
  return decodeMessage(errorResponse, bytes, 'invalid_response')
}
