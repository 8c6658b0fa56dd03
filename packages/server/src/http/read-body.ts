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
import { discardRest } from './discard-rest.ts'

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
  request: Request,
  bytesMax: number,
  timers: Timers,
): Promise<Uint8Array> {
  const encoding = contentEncoding(request)
  const announced = Number(request.headers.get('content-length') ?? 0)
  if (announced > bytesMax) {
    if (request.body !== null) discardRest(request.body.getReader())
    throw bodyTooLarge(bytesMax)
  }
  const bytes = request.body === null ? EMPTY : await collect(request.body, bytesMax, timers)
  return encoding === 'gzip' ? inflateWithin(bytes, bytesMax) : bytes
}

function contentEncoding(request: Request): 'gzip' | 'identity' {
  const encoding = request.headers.get('content-encoding')?.trim().toLowerCase() ?? 'identity'
  if (encoding === 'gzip' || encoding === 'x-gzip') return 'gzip'
  if (encoding === 'identity' || encoding === '') return 'identity'
  if (request.body !== null) discardRest(request.body.getReader())
  throw new EntiDBError('unsupported_media_type', 'Send the body as it is or as gzip')
}

async function collect(
  body: ReadableStream<Uint8Array>,
  bytesMax: number,
  timers: Timers,
): Promise<Uint8Array> {
  const reader = body.getReader()
  let late = false
  const cancelTimer = timers.set(() => {
    late = true
    void reader.cancel()
  }, BODY_MS_MAX)
  try {
    const collected = new ByteCollector(bytesMax)
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      if (collected.length + value.length > bytesMax) {
        // Cancelling would end the connection before the answer is out.
        discardRest(reader)
        throw bodyTooLarge(bytesMax)
      }
      collected.add(value)
    }
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
