/**
 * Reads a request's body into memory, never more than the limit: neither of what arrives nor of what
 * it inflates to. Brotli is never decoded.
 */
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { EntiDBError, isEntiDBError } from '@entidb/core'
import type { Timers } from '../timers.ts'
import { invalidRequest, tooLarge, unavailable } from '../wire-error.ts'
import { ByteCollector } from './byte-collector.ts'
import type { RequestBody } from './request-body.ts'

const inflate = promisify(gunzip)

const EMPTY = new Uint8Array(0)

/** A body that is not there by then is not waited for. Slow uplinks of large bodies need minutes. */
const BODY_MS_MAX = 120_000

/**
 * Errors: `too_large`, `unsupported_media_type` for an encoding other than gzip, `invalid_request` for
 * what is not gzip, `unavailable` for a body that breaks off or takes too long: nothing is wrong with it.
 * After an error the rest of the body is discarded, so that the client gets to read the answer.
 */
export async function readBody(
  headers: Headers,
  body: RequestBody | undefined,
  { bytesMax, timers }: { readonly bytesMax: number; readonly timers: Timers },
): Promise<Uint8Array> {
  try {
    const isGzip = sendsGzip(headers)
    if (Number(headers.get('content-length') ?? 0) > bytesMax) throw bodyTooLarge(bytesMax)
    const bytes = body === undefined ? EMPTY : await collect(body, bytesMax, timers)
    return isGzip ? await inflateWithin(bytes, bytesMax) : bytes
  } catch (error) {
    body?.discard()
    throw error
  }
}

function sendsGzip(headers: Headers): boolean {
  const encoding = headers.get('content-encoding')?.trim().toLowerCase() ?? 'identity'
  if (encoding === 'gzip' || encoding === 'x-gzip') return true
  if (encoding === 'identity' || encoding === '') return false
  throw new EntiDBError('unsupported_media_type', 'Send the body as it is or as gzip')
}

async function collect(body: RequestBody, bytesMax: number, timers: Timers): Promise<Uint8Array> {
  const collected = new ByteCollector(bytesMax)
  let late = false
  const cancelTimer = timers.set(() => {
    late = true
    body.cancel()
  }, BODY_MS_MAX)
  try {
    await body.read((chunk) => {
      if (collected.length + chunk.length > bytesMax) throw bodyTooLarge(bytesMax)
      collected.add(chunk)
    })
    if (late) throw unavailable('The body did not arrive in time')
    return collected.bytes
  } catch (cause) {
    if (isEntiDBError(cause)) throw cause
    throw new EntiDBError('unavailable', 'The body broke off', { cause, retry: 'later' })
  } finally {
    cancelTimer()
  }
}

async function inflateWithin(bytes: Uint8Array, bytesMax: number): Promise<Uint8Array> {
  try {
    return await inflate(bytes, { maxOutputLength: bytesMax })
  } catch (error) {
    const isTooLarge =
      error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
    throw isTooLarge ? bodyTooLarge(bytesMax) : invalidRequest('The body is not gzip')
  }
}

function bodyTooLarge(bytesMax: number): EntiDBError {
  return tooLarge('The body in bytes', bytesMax)
}
