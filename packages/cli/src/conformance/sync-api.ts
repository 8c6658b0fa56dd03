/** The server as a client meets it: messages out, messages in, every answer held to what the protocol says of it. */
import { isEntiDBError, type WireErrorCode } from '@entidb/core'
import {
  decodeErrorResponse,
  decodeHandshakeResponse,
  decodePullResponse,
  decodePushResponse,
  decodeVerifyResponse,
  type ErrorResponse,
  HANDSHAKE_PATH,
  type HandshakeResponse,
  httpStatusOf,
  MEDIA_TYPE,
  PULL_PATH,
  PUSH_PATH,
  type PullResponse,
  type PushResponse,
  VERIFY_PATH,
  type VerifyResponse,
} from '@entidb/protocol'
import { encodeItem, type ItemMap } from './cbor-item.ts'
import { diagnosticOf, shortened } from './diagnostic.ts'
import { NoAnswer, RuleFailure } from './expectations.ts'
import type { Header, Wire, WireAnswer, WireRequest, WireStream } from './wire.ts'

export interface Answers {
  readonly handshake: HandshakeResponse
  readonly pull: PullResponse
  readonly push: PushResponse
  readonly verify: VerifyResponse
}

export type Endpoint = keyof Answers

const decoders: { readonly [E in Endpoint]: (bytes: Uint8Array) => Answers[E] } = {
  handshake: decodeHandshakeResponse,
  pull: decodePullResponse,
  push: decodePushResponse,
  verify: decodeVerifyResponse,
}

export const pathOf: Readonly<Record<Endpoint, string>> = {
  handshake: HANDSHAKE_PATH,
  pull: PULL_PATH,
  push: PUSH_PATH,
  verify: VERIFY_PATH,
}

export const endpoints: readonly Endpoint[] = ['handshake', 'pull', 'push', 'verify']

/** A map, or the bytes of a body that need not be one. */
export type Message = ItemMap | Uint8Array

const SHOWN_CHARS_MAX = 1_000
/** A server that asks for patience is asked again so often. */
const PATIENCE = 5

/** The last request as text, for reports; made when it is asked for. It never shows the token. */
export interface SentLog {
  last: () => string
  /** Was there an answer to it, whatever it says? */
  isAnswered: boolean
}

export interface SyncApiOptions {
  readonly wire: Wire
  readonly token: string
  readonly sleep: (ms: number) => Promise<void>
  readonly log: SentLog
}

export class SyncApi {
  readonly #wire: Wire
  readonly #token: string
  readonly #sleep: (ms: number) => Promise<void>
  readonly #log: SentLog

  constructor({ wire, token, sleep, log }: SyncApiOptions) {
    this.#wire = wire
    this.#token = token
    this.#sleep = sleep
    this.#log = log
  }

  get token(): string {
    return this.#token
  }

  get authorization(): Header {
    return ['Authorization', `Bearer ${this.#token}`]
  }

  /** A request as it is given, without a token or media type of its own. */
  async exchange(request: WireRequest): Promise<WireAnswer> {
    this.#log.last = () => this.#describe(request)
    for (let asked = 1; ; asked++) {
      const answer = await this.#answered(this.#wire.exchange(request))
      if (answer.status !== 429 || asked === PATIENCE) return answer
      await this.#sleep(retryAfterMs(answer))
    }
  }

  /** POSTs a message with what belongs to it; `headers` are sent besides, or instead of those of their names. */
  async post(
    endpoint: Endpoint,
    message: Message,
    ...headers: readonly Header[]
  ): Promise<WireAnswer> {
    const given = new Set(headers.map(([name]) => name.toLowerCase()))
    const usual = [this.authorization, ['Content-Type', MEDIA_TYPE] as const]
    return this.exchange({
      method: 'POST',
      path: pathOf[endpoint],
      headers: [...usual.filter(([name]) => !given.has(name.toLowerCase())), ...headers],
      body: message instanceof Uint8Array ? message : encodeItem(message),
    })
  }

  /** The message that is the answer; a failure unless the status is 200. */
  async call<E extends Endpoint>(
    endpoint: E,
    message: Message,
    ...headers: readonly Header[]
  ): Promise<Answers[E]> {
    return this.read(endpoint, await this.post(endpoint, message, ...headers))
  }

  /** A failure unless it is 200 and a message that the protocol allows. */
  read<E extends Endpoint>(endpoint: E, answer: WireAnswer): Answers[E] {
    if (answer.status !== 200) throw new RuleFailure('status 200', describeAnswer(answer))
    return decoded(
      decoders[endpoint],
      answer,
      `an answer to ${endpoint} as its section describes it`,
    )
  }

  /** The error that is the answer; a failure unless it has this code and the status of it. */
  async refused(
    endpoint: Endpoint,
    message: Message,
    code: WireErrorCode,
    ...headers: readonly Header[]
  ): Promise<ErrorResponse> {
    return expectError(await this.post(endpoint, message, ...headers), code)
  }

  /** `GET /v1/stream` with the token and these headers besides. */
  async openStream(query: string, ...headers: readonly Header[]): Promise<WireStream> {
    const request = {
      method: 'GET',
      path: `/v1/stream${query}`,
      headers: [this.authorization, ...headers],
    }
    this.#log.last = () => this.#describe(request)
    return this.#answered(this.#wire.openStream(request))
  }

  async #answered<T>(asked: Promise<T>): Promise<T> {
    try {
      const answer = await asked
      this.#log.isAnswered = true
      return answer
    } catch (error) {
      this.#log.isAnswered = false
      // A refused connection or a broken one: the rule did not get what it wants.
      throw new NoAnswer('a whole answer', error instanceof Error ? error.message : String(error))
    }
  }

  #describe({ method, path, headers, body }: WireRequest): string {
    const shownHeaders = headers
      .filter(([name]) => name !== 'Authorization')
      .map(([name, value]) => `${name}: ${value}`)
    const shownBody =
      body === undefined
        ? ''
        : body instanceof Uint8Array
          ? ` ${shortened(diagnosticOf(body), SHOWN_CHARS_MAX)}`
          : ' a body in pieces'
    const shown = `${method} ${path} [${shownHeaders.join('; ')}]${shownBody}`
    return shown.replaceAll(this.#token, '<token>')
  }
}

export function expectError(answer: WireAnswer, code: WireErrorCode): ErrorResponse {
  const status = httpStatusOf(code)
  if (answer.status !== status) {
    throw new RuleFailure(`${status} ${code}`, describeAnswer(answer))
  }
  const error = decoded(decodeErrorResponse, answer, `${status} ${code} as CBOR`)
  if (error.code === code) return error
  throw new RuleFailure(`${status} ${code}`, describeAnswer(answer))
}

export function describeAnswer({ status, body }: WireAnswer): string {
  return `${status} ${shortened(diagnosticOf(body), SHOWN_CHARS_MAX)}`
}

function decoded<T>(decode: (bytes: Uint8Array) => T, answer: WireAnswer, expected: string): T {
  try {
    return decode(answer.body)
  } catch (error) {
    if (!isEntiDBError(error)) throw error
    throw new RuleFailure(expected, `${describeAnswer(answer)}: ${error.message}`)
  }
}

function retryAfterMs(answer: WireAnswer): number {
  const seconds = Number(answer.headers.get('retry-after') ?? '1')
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), 60) * 1_000 : 1_000
}
