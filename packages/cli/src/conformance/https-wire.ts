/** HTTP/1.1 over TLS by Node's own client, which adds no header but Host, Connection and the length. */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { Agent, type RequestOptions, request as startRequest } from 'node:https'
import {
  type Header,
  isEventStream,
  type Wire,
  type WireAnswer,
  type WireRequest,
  type WireStream,
} from './wire.ts'

/** A server that is silent for so long does not answer. */
const SILENCE_MS_MAX = 30_000

/** What an answer may take, so that a run has an end and memory a bound, whatever the server does. */
export interface AnswerLimits {
  readonly bytesMax: number
  /** From its head to its end. */
  readonly msMax: number
}

/** A page may hold a transaction as large as a body. */
const ANSWER_LIMITS: AnswerLimits = { bytesMax: 128 * 1024 * 1024, msMax: 120_000 }
/** Of a stream; events are short. */
const LINE_CHARS_MAX = 1024 * 1024

/** `authority`: the certificate to trust instead of the system's, in PEM. `base`: an `https:` address. */
export function createHttpsWire(
  base: URL,
  authority: string | undefined,
  limits: AnswerLimits = ANSWER_LIMITS,
): Wire {
  const trust = authority === undefined ? {} : { ca: authority }
  const agent = new Agent({ ...trust, keepAlive: true })
  const alone = new Agent({ ...trust, keepAlive: false })
  const prefix = base.pathname.replace(/\/+$/, '')
  const optionsOf = ({ method, path, headers, body }: WireRequest): RequestOptions => ({
    agent,
    host: base.hostname.replace(/^\[|\]$/g, ''),
    port: base.port === '' ? 443 : Number(base.port),
    method,
    path: `${prefix}${path}`,
    headers: grouped(body instanceof Uint8Array ? [...headers, lengthOf(body)] : headers),
    timeout: SILENCE_MS_MAX,
  })
  return {
    exchange: async (request) => {
      const { body } = request
      if (body === undefined || body instanceof Uint8Array) {
        return readWhole(await send(optionsOf(request), body), limits)
      }
      // Answered in the middle of a body, a connection is good for nothing else.
      const response = await send({ ...optionsOf(request), agent: alone }, body)
      try {
        return await readWhole(response, limits)
      } finally {
        response.destroy()
      }
    },
    openStream: async (request) => new LineStream(await send(optionsOf(request), undefined)),
    close: () => {
      agent.destroy()
      alone.destroy()
    },
  }
}

/** Node leaves it out where a body is not usual. */
const lengthOf = (body: Uint8Array): Header => ['Content-Length', String(body.length)]

async function readWhole(
  response: IncomingMessage,
  { bytesMax, msMax }: AnswerLimits,
): Promise<WireAnswer> {
  const head = headOf(response)
  if (isEventStream(head.headers)) {
    response.destroy()
    return { ...head, body: new Uint8Array(0) }
  }
  const pieces: Buffer[] = []
  let bytes = 0
  const timer = setTimeout(
    () => response.destroy(new Error(`no whole answer within ${msMax / 1000} s`)),
    msMax,
  )
  try {
    for await (const piece of response) {
      bytes += piece.length
      if (bytes > bytesMax) throw new Error(`an answer of more than ${bytesMax} bytes`)
      pieces.push(piece)
    }
  } finally {
    clearTimeout(timer)
  }
  return { ...head, body: new Uint8Array(Buffer.concat(pieces)) }
}

/** Node sends a header once for each value of its list. */
function grouped(headers: readonly Header[]): Record<string, string[]> {
  const valuesByName: Record<string, string[]> = {}
  for (const [name, value] of headers) {
    const values = valuesByName[name] ?? []
    values.push(value)
    valuesByName[name] = values
  }
  return valuesByName
}

async function send(options: RequestOptions, body: WireRequest['body']): Promise<IncomingMessage> {
  const request = startRequest(options)
  let answered = false
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', (message) => {
      answered = true
      resolve(message)
    })
    request.on('timeout', () =>
      request.destroy(new Error(`no answer within ${SILENCE_MS_MAX / 1000} s`)),
    )
    // After an answer, that the rest of the body cannot be sent is nobody's concern.
    request.on('error', (error) => {
      if (answered) return
      const isIdleConnectionGone = request.reusedSocket && body instanceof Uint8Array
      if (isIdleConnectionGone && 'code' in error && error.code === 'ECONNRESET') {
        send(options, body).then(resolve, reject)
      } else reject(error)
    })
  })
  if (body === undefined || body instanceof Uint8Array) request.end(body)
  else await sendPieces(request, body, () => answered)
  return response
}

type Sending = ReturnType<typeof startRequest>

async function sendPieces(
  request: Sending,
  pieces: Iterable<Uint8Array>,
  isAnswered: () => boolean,
): Promise<void> {
  request.flushHeaders()
  for (const piece of pieces) {
    // An answer may be waiting to be read.
    await new Promise((resolve) => setImmediate(resolve))
    if (isAnswered() || request.destroyed) break
    if (!request.write(piece)) await drained(request)
  }
  if (!isAnswered()) request.end()
}

async function drained(request: Sending): Promise<void> {
  await Promise.race([
    once(request, 'drain'),
    once(request, 'close'),
    once(request, 'response'),
  ]).catch(() => {})
}

function headOf(response: IncomingMessage): Pick<WireAnswer, 'status' | 'headers'> {
  const headers = Object.entries(response.headersDistinct).map(
    ([name, values]) => [name, (values ?? []).join(', ')] as const,
  )
  return { status: response.statusCode ?? 0, headers: new Map(headers) }
}

class LineStream implements WireStream {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly #response: IncomingMessage
  #text = ''
  #ended = false
  #wake: () => void = () => {}

  constructor(response: IncomingMessage) {
    const { status, headers } = headOf(response)
    this.status = status
    this.headers = headers
    this.#response = response
    response.setEncoding('utf8')
    response.on('data', (text: string) => {
      this.#text += text
      if (this.#text.length > LINE_CHARS_MAX) response.destroy()
      this.#wake()
    })
    const end = (): void => {
      this.#ended = true
      this.#wake()
    }
    response.on('end', end)
    response.on('close', end)
    response.on('error', end)
  }

  async nextLine(waitMs: number): Promise<string | undefined> {
    let late = false
    const timer = setTimeout(() => {
      late = true
      this.#wake()
    }, waitMs)
    try {
      for (;;) {
        const line = this.#takeLine()
        if (line !== undefined || this.#ended || late) return line
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    } finally {
      clearTimeout(timer)
    }
  }

  close(): void {
    this.#response.destroy()
  }

  #takeLine(): string | undefined {
    const end = this.#text.indexOf('\n')
    if (end < 0) return undefined
    const line = this.#text.slice(0, end).replace(/\r$/, '')
    this.#text = this.#text.slice(end + 1)
    return line
  }
}
