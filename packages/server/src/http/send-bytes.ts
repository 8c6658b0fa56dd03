import type { ServerResponse } from 'node:http'
import type { Http2ServerResponse } from 'node:http2'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { bytesOf } from './cbor-response.ts'

/**
 * Sends a response of which the whole body is known: a web stream made of it and read again would take longer than to
 * answer a small request. Answers what is left to send.
 */
export function sendBytes(
  response: Response,
  outgoing: ServerResponse | Http2ServerResponse,
): Response {
  const bytes = bytesOf(response)
  if (bytes === undefined) return response
  const headers = { ...Object.fromEntries(response.headers), 'content-length': bytes.length }
  outgoing.writeHead(response.status, headers)
  outgoing.end(bytes)
  return RESPONSE_ALREADY_SENT
}
