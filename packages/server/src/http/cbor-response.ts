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

const bytesByResponse = new WeakMap<Response, Uint8Array>()

/** The whole body of a response that was made here: for who can send it as it is. */
export function bytesOf(response: Response): Uint8Array | undefined {
  return bytesByResponse.get(response)
}

/** An answer to a request that was understood. `asked`: the headers of the request. */
export async function cborResponse(body: Uint8Array, asked: Headers): Promise<Response> {
  const headers = { ...HEADERS, vary: 'Accept-Encoding' }
  if (body.length < GZIP_BYTES_MIN || !acceptsGzip(asked)) return responseOf(body, { headers })
  const compressed = await deflate(body, { level: GZIP_LEVEL })
  return responseOf(compressed, { headers: { ...headers, 'content-encoding': 'gzip' } })
}

/** An error: small, and never compressed. */
export function plainCborResponse(
  status: number,
  body: Uint8Array,
  extraHeaders: Readonly<Record<string, string>>,
): Response {
  return responseOf(body, { status, headers: { ...HEADERS, ...extraHeaders } })
}

function responseOf(bytes: Uint8Array, init: ResponseInit): Response {
  // Encoders and zlib never write into shared memory, which is all that the wider type allows for.
  const response = new Response(bytes as Uint8Array<ArrayBuffer>, init)
  bytesByResponse.set(response, bytes)
  return response
}
