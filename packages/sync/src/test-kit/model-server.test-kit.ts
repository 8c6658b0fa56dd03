/**
 * The model as a `fetch`: decodes and encodes with the real codecs, asks for a token, streams heads, and
 * fails on demand before or after a request was processed.
 */
import { EntiDBError, type ErrorCode, isEntiDBError } from '@entidb/core'
import {
  assertPushRequest,
  decodeHandshakeRequest,
  decodePullRequest,
  decodePushRequest,
  decodeVerifyRequest,
  encodeErrorResponse,
  encodeHandshakeResponse,
  encodePullResponse,
  encodePushResponse,
  encodeVerifyResponse,
  HANDSHAKE_PATH,
  httpStatusOf,
  MEDIA_TYPE,
  PULL_PATH,
  PUSH_PATH,
  STREAM_PATH,
  VERIFY_PATH,
} from '@entidb/protocol'
import type { FetchInit, FetchResponse } from '../environment.ts'
import { ModelDatabase, type ModelOptions } from './model-database.test-kit.ts'

export interface ModelRequest {
  /** Counts all requests but streams, from 0. */
  readonly index: number
  readonly path: string
  readonly body: Uint8Array
}

/**
 * What happens to a request: `refuse` loses it before, `lose` loses the answer after it was processed,
 * `twice` processes it twice and answers the second time. A response replaces the answer unprocessed.
 */
export type Fault = 'pass' | 'refuse' | 'lose' | 'twice' | Response

/** More than any test needs: without a network to wait for, an endless cycle would stop the world. */
const REQUESTS_MAX = 20_000

export class ModelServer {
  readonly database: ModelDatabase
  /** Decides about each request. */
  fault: (request: ModelRequest) => Fault | Promise<Fault> = () => 'pass'
  token = 'secret'
  readonly requests: { readonly path: string; readonly body: Uint8Array }[] = []
  readonly #streams = new Set<ReadableStreamDefaultController<Uint8Array>>()

  constructor(options: ModelOptions = {}) {
    this.database = new ModelDatabase(options)
  }

  readonly fetch = async (url: string, init: FetchInit): Promise<FetchResponse> => {
    if (init.signal.aborted) throw init.signal.reason
    const path = new URL(url).pathname
    if (init.headers.Authorization !== `Bearer ${this.token}`) {
      return answer(new EntiDBError('unauthenticated', 'no'))
    }
    if (path === STREAM_PATH) return this.#stream(init.signal)
    const body = new Uint8Array(init.body ?? [])
    const request = { index: this.requests.length, path, body }
    this.requests.push(request)
    if (this.requests.length > REQUESTS_MAX) throw new RangeError('The client never comes to rest')
    const fault = await this.fault(request)
    if (fault instanceof Response) return fault
    if (fault === 'refuse') throw new TypeError('fetch failed')
    const first = this.#process(path, body)
    const response = fault === 'twice' ? this.#process(path, body) : first
    if (fault === 'lose') throw new TypeError('fetch failed')
    if (init.signal.aborted) throw init.signal.reason
    return response
  }

  /** Ends every open stream. */
  endStreams(): void {
    for (const stream of this.#streams) stream.close()
    this.#streams.clear()
  }

  #process(path: string, body: Uint8Array): Response {
    const before = this.database.head
    try {
      const bytes = this.#answerOf(path, body)
      if (this.database.head !== before) this.announce()
      return cborAnswer(bytes)
    } catch (error) {
      return answer(error)
    }
  }

  #answerOf(path: string, body: Uint8Array): Uint8Array {
    const { database } = this
    if (body.length > database.limits.maxBodyBytes) throw new EntiDBError('too_large', 'body')
    switch (path) {
      case HANDSHAKE_PATH:
        return encodeHandshakeResponse(database.handshake(decodeHandshakeRequest(body)))
      case PULL_PATH:
        return encodePullResponse(database.pull(decodePullRequest(body)))
      case PUSH_PATH: {
        const request = decodePushRequest(body)
        assertPushRequest(request)
        return encodePushResponse(database.push(request))
      }
      case VERIFY_PATH:
        return encodeVerifyResponse(database.verify(decodeVerifyRequest(body)))
      default:
        throw new EntiDBError('not_found', path)
    }
  }

  #stream(signal: AbortSignal): Response {
    let own: ReadableStreamDefaultController<Uint8Array> | undefined
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        own = controller
        this.#streams.add(controller)
        controller.enqueue(cursorEvent(this.database.head))
      },
      cancel: () => {
        if (own !== undefined) this.#streams.delete(own)
      },
    })
    signal.addEventListener('abort', () => {
      if (own !== undefined && this.#streams.delete(own)) own.error(signal.reason)
    })
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
  }

  /** Names a head to every open stream. */
  announce(head: number = this.database.head): void {
    for (const stream of this.#streams) stream.enqueue(cursorEvent(head))
  }
}

function cursorEvent(head: number): Uint8Array {
  return new TextEncoder().encode(`event: cursor\nid: ${head}\ndata: ${head}\n\n`)
}

/** An answer of the protocol with these bytes. */
export function cborAnswer(body: Uint8Array, status = 200): Response {
  const headers = { 'content-type': MEDIA_TYPE }
  return new Response(body as Uint8Array<ArrayBuffer>, { status, headers })
}

/** The protocol's answer to a request that is refused with `code`. */
export function refusal(code: ErrorCode): Response {
  return answer(new EntiDBError(code, 'no'))
}

function answer(error: unknown): Response {
  if (!isEntiDBError(error)) throw error
  const code = error.code as Parameters<typeof httpStatusOf>[0] // the model throws wire codes only
  const { code: _, ...details } = error.details
  const body = encodeErrorResponse({ code, message: error.message, details })
  return cborAnswer(body, httpStatusOf(code) ?? 400)
}
