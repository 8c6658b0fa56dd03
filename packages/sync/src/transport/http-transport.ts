/**
 * Requests over an injected fetch: headers, token, time limit, strict decoding. Every failure is an
 * `EntiDBError`: `server_unreachable` without an answer, `invalid_response` for one that is not the
 * protocol's, `unauthorized` after two refused tokens, else the server's code.
 */
import { EntiDBError, isEntiDBError } from '@entidb/core'
import {
  decodeHandshakeResponse,
  decodePullResponse,
  decodePushResponse,
  decodeVerifyResponse,
  encodeHandshakeRequest,
  encodePullRequest,
  encodeVerifyRequest,
  HANDSHAKE_PATH,
  type HandshakeRequest,
  type HandshakeResponse,
  MEDIA_TYPE,
  PACKED_FORM,
  PULL_PATH,
  PUSH_PATH,
  type PullRequest,
  type PullResponse,
  type PushResponse,
  STREAM_PATH,
  VERIFY_PATH,
  type VerifyRequest,
  type VerifyResponse,
} from '@entidb/protocol'
import type { ByteStream, FetchInit, FetchLike, FetchResponse, Timers } from '../environment.ts'
import { mediaTypeOf, messageHeaders, streamHeaders } from './headers.ts'
import { discardBody, readBody } from './response-body.ts'
import { responseError } from './response-error.ts'
import { isLoopback } from './server-url.ts'
import { TimeLimit } from './time-limit.ts'
import type { TokenSource } from './token-source.ts'

export interface TransportOptions {
  /** Without a trailing slash. */
  readonly serverUrl: string
  readonly fetch: FetchLike
  readonly tokens: TokenSource
  readonly timers: Timers
  readonly requestTimeoutMs: number
  /** Longest answer that is read. */
  readonly responseBytesMax: number
  /** Told after each request whether the server answered. */
  readonly onContact: (reached: boolean) => void
  /** Told of each message and its answer. */
  readonly onExchange: (exchange: Exchange) => void
}

export interface Exchange {
  readonly path: string
  /** `ok`, or the code of what went wrong. */
  readonly outcome: string
  readonly sentBytes: number
  /** Of an answer that is not an error. */
  readonly receivedBytes: number
}

/** A message under way. */
interface Message {
  readonly path: string
  readonly body: Uint8Array
  readonly signal: AbortSignal
  readonly time: TimeLimit
}

const PROTOCOL_TYPES: ReadonlySet<string> = new Set([MEDIA_TYPE, 'text/event-stream'])

const TIMED_OUT = { timedOut: true } as const

/** The error of a request that was given up because it took too long. */
export function isTimedOut({ code, details }: EntiDBError): boolean {
  return code === 'server_unreachable' && details.timedOut === true
}

export class HttpTransport {
  readonly #options: TransportOptions
  /** Never Brotli: its decoder is not worth trusting with a stranger's bytes. */
  readonly #encoding: 'gzip' | 'identity'

  constructor(options: TransportOptions) {
    this.#options = options
    // Within one machine compression costs more time than it saves.
    this.#encoding = isLoopback(options.serverUrl) ? 'identity' : 'gzip'
  }

  /** The token that the server refused may be sent once more. */
  forgiveToken(): void {
    this.#options.tokens.forgive()
  }

  async handshake(request: HandshakeRequest, signal: AbortSignal): Promise<HandshakeResponse> {
    const body = encodeHandshakeRequest(request)
    return decoded(decodeHandshakeResponse, await this.#post(HANDSHAKE_PATH, body, signal))
  }

  async pull(request: PullRequest, signal: AbortSignal): Promise<PullResponse> {
    // A server that does not know packed pages answers as if it had not been asked for one.
    const body = encodePullRequest({ ...request, packed: PACKED_FORM })
    return decoded(decodePullResponse, await this.#post(PULL_PATH, body, signal))
  }

  /** `body` is an encoded push request. */
  async push(body: Uint8Array, signal: AbortSignal): Promise<PushResponse> {
    return decoded(decodePushResponse, await this.#post(PUSH_PATH, body, signal))
  }

  async verify(request: VerifyRequest, signal: AbortSignal): Promise<VerifyResponse> {
    const body = encodeVerifyRequest(request)
    return decoded(decodeVerifyResponse, await this.#post(VERIFY_PATH, body, signal))
  }

  /** The open stream of wake-ups. The caller reads and ends it by the signal. */
  stream(dbId: string, signal: AbortSignal): Promise<ByteStream> {
    const opening = this.#openStream(dbId, signal)
    opening.then((late) => (signal.aborted ? late.cancel() : undefined)).catch(() => {})
    return orAborted(opening, signal)
  }

  async #openStream(dbId: string, signal: AbortSignal): Promise<ByteStream> {
    const path = `${STREAM_PATH}?dbId=${encodeURIComponent(dbId)}`
    const send = (token: string): Promise<FetchResponse> =>
      this.#fetch(path, { method: 'GET', headers: streamHeaders(token), signal })
    // Of a token that is no good cycles are told as well; what does not let streams through must not stop them.
    const response = await this.#authorized(send, (refused) => this.#errorOf(refused))
    if (response.status !== 200) throw await this.#errorOf(response)
    const isStream = mediaTypeOf(response) === 'text/event-stream'
    if (response.body !== null && isStream) return response.body
    discardBody(response)
    throw notTheProtocol('the stream is not an event stream')
  }

  async #post(path: string, body: Uint8Array, outer: AbortSignal): Promise<Uint8Array> {
    const limit = new AbortController()
    const abort = (): void => limit.abort(outer.reason)
    if (outer.aborted) abort()
    outer.addEventListener('abort', abort)
    const { timers, requestTimeoutMs } = this.#options
    const time = new TimeLimit(timers, requestTimeoutMs, () =>
      limit.abort(new Error('The request took too long')),
    )
    const { signal } = limit
    try {
      return await orAborted(this.#exchangeTwice({ path, body, signal, time }), signal)
    } catch (error) {
      if (outer.aborted) throw stopped()
      if (!signal.aborted) throw error
      throw this.#options.tokens.isAsking
        ? tokenNeverCame(error)
        : this.#unreachable(error, TIMED_OUT)
    } finally {
      time.cancel()
      outer.removeEventListener('abort', abort)
    }
  }

  /**
   * Every request is safe to repeat. One lost answer (a connection that died idle, a server that just
   * restarted) is repeated at once, so that losses in step with the cycle cannot keep it from ending.
   */
  async #exchangeTwice(message: Message): Promise<Uint8Array> {
    try {
      return await this.#exchange(message)
    } catch (error) {
      if (message.signal.aborted || !isEntiDBError(error, 'server_unreachable')) throw error
      return this.#exchange(message)
    }
  }

  async #exchange(message: Message): Promise<Uint8Array> {
    const { path, body } = message
    const told = { path, sentBytes: body.length, receivedBytes: 0 }
    try {
      const answer = await this.#exchangeUntold(message)
      this.#options.onExchange({ ...told, outcome: 'ok', receivedBytes: answer.length })
      return answer
    } catch (error) {
      this.#options.onExchange({ ...told, outcome: isEntiDBError(error) ? error.code : 'aborted' })
      throw error
    }
  }

  async #exchangeUntold({ path, body, signal, time }: Message): Promise<Uint8Array> {
    const send = (token: string): Promise<FetchResponse> =>
      this.#fetch(path, {
        method: 'POST',
        headers: messageHeaders(token, this.#encoding),
        // Encoders return bytes of their own, never on shared memory.
        body: body as Uint8Array<ArrayBuffer>,
        signal,
      })
    const response = await this.#authorized(send, async (refused, token) => {
      const { code } = await this.#errorOf(refused)
      const { tokens } = this.#options
      return code === 'unauthenticated' ? tokens.reject(token) : tokens.doubt()
    })
    if (response.status !== 200) throw await this.#errorOf(response)
    if (mediaTypeOf(response) !== MEDIA_TYPE) {
      discardBody(response)
      throw notTheProtocol('the answer is not CBOR')
    }
    return this.#read(response, time.arrived)
  }

  /** Sends with the token; once more with a renewed one when the first is refused. `errorOf` is of the second refusal. */
  async #authorized(
    send: (token: string) => Promise<FetchResponse>,
    errorOf: (refused: FetchResponse, token: string) => Promise<EntiDBError>,
  ): Promise<FetchResponse> {
    const { tokens } = this.#options
    const token = await tokens.get()
    const first = await send(token)
    if (first.status !== 401) return this.#accepted(first)
    discardBody(first)
    const renewed = await tokens.renew(token)
    const second = await send(renewed)
    if (second.status !== 401) return this.#accepted(second)
    throw await errorOf(second, renewed)
  }

  #accepted(response: FetchResponse): FetchResponse {
    this.#options.tokens.accept()
    return response
  }

  async #fetch(
    path: string,
    init: Pick<FetchInit, 'method' | 'headers' | 'body' | 'signal'>,
  ): Promise<FetchResponse> {
    try {
      const response = await this.#options.fetch(`${this.#options.serverUrl}${path}`, {
        ...init,
        redirect: 'error',
        cache: 'no-store',
        credentials: 'omit',
      })
      // The page of a proxy, or of a captive portal, is no contact. One that lets no stream through says nothing of the rest.
      const isProtocol = PROTOCOL_TYPES.has(mediaTypeOf(response))
      if (isProtocol || init.method === 'POST') this.#options.onContact(isProtocol)
      return response
    } catch (error) {
      throw this.#unreachable(error)
    }
  }

  async #read(
    response: FetchResponse,
    onBytes: (bytes: number) => void = () => {},
  ): Promise<Uint8Array> {
    try {
      return await readBody(response, this.#options.responseBytesMax, onBytes)
    } catch (error) {
      throw isEntiDBError(error) ? error : this.#unreachable(error)
    }
  }

  async #errorOf(response: FetchResponse): Promise<EntiDBError> {
    const { status, headers } = response
    const isCbor = mediaTypeOf(response) === MEDIA_TYPE
    if (!isCbor) discardBody(response)
    const body = isCbor ? await this.#read(response) : undefined
    return responseError(status, body, headers.get('retry-after'))
  }

  #unreachable(cause: unknown, details: { readonly timedOut?: true } = {}): EntiDBError {
    this.#options.onContact(false)
    return new EntiDBError(
      'server_unreachable',
      'The server did not answer. Sync tries again by itself',
      { cause, details, retry: 'later' },
    )
  }
}

/** The same, also for a fetch that does not listen to its signal, and a token that never comes. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort)
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/** What is cut or garbled on the way is worth another try. */
function decoded<T>(decode: (bytes: Uint8Array) => T, bytes: Uint8Array): T {
  try {
    return decode(bytes)
  } catch (cause) {
    if (!isEntiDBError(cause)) throw cause
    const { details, message } = cause
    throw new EntiDBError('invalid_response', message, { cause, details, retry: 'later' })
  }
}

function notTheProtocol(what: string): EntiDBError {
  return new EntiDBError('invalid_response', `This is not a sync server: ${what}`, {
    retry: 'later',
  })
}

function tokenNeverCame(cause: unknown): EntiDBError {
  return new EntiDBError('server_unreachable', 'authTokenProvider did not answer in time', {
    cause,
    retry: 'later',
  })
}

function stopped(): EntiDBError {
  return new EntiDBError('sync_stopped', 'Sync was stopped')
}
