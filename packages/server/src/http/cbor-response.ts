/** Answers: CBOR, never cached, gzip for those who ask and where it pays. */
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { MEDIA_TYPE } from '@entidb/protocol'
import { acceptsGzip } from './media-types.ts'

const deflate = promisify(gzip)

/** Smaller bodies fit a packet or two anyway. */
const GZIP_BYTES_MIN = 1024

/**
 * Of the bytes of a packed page the fastest level leaves three hundredths more, and takes a tenth less time; the next one leaves
 * three hundredths less, for three tenths more.
 */
const GZIP_LEVEL = 2

const HEADERS = {
  'content-type': MEDIA_TYPE,
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
}

/** An answer to a request that was understood. */
export async function cborResponse(body: Uint8Array, request: Request): Promise<Response> {
  const headers = { ...HEADERS, vary: 'Accept-Encoding' }
  if (body.length < GZIP_BYTES_MIN || !acceptsGzip(request.headers)) {
    return new Response(bodyOf(body), { headers })
  }
  const compressed = await deflate(body, { level: GZIP_LEVEL })
  return new Response(bodyOf(compressed), { headers: { ...headers, 'content-encoding': 'gzip' } })
}

/** An error: small, and never compressed. */
export function plainCborResponse(
  status: number,
  body: Uint8Array,
  extraHeaders: Readonly<Record<string, string>>,
): Response {
  return new Response(bodyOf(body), { status, headers: { ...HEADERS, ...extraHeaders } })
}

function bodyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  // Encoders and zlib never write into shared memory, which is all that the wider type allows for.
  return bytes as Uint8Array<ArrayBuffer>
}
