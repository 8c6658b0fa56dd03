/** What faults are made of: changes of requests, of answers, of single messages. */
import {
  decodeErrorResponse,
  decodeHandshakeRequest,
  decodeHandshakeResponse,
  decodePullRequest,
  decodePullResponse,
  decodePushRequest,
  decodePushResponse,
  type ErrorResponse,
  encodeErrorResponse,
  encodeHandshakeRequest,
  encodeHandshakeResponse,
  encodePullRequest,
  encodePullResponse,
  encodePushRequest,
  encodePushResponse,
  type HandshakeRequest,
  type HandshakeResponse,
  type PullRequest,
  type PullResponse,
  type PushRequest,
  type PushResponse,
} from '@entidb/protocol'
import { bodyBytesMax, type Fault, type Next } from './faulty-server.test-kit.ts'

/** The same request with other headers; those that are undefined are taken away. */
export function withHeaders(
  request: Request,
  changed: Readonly<Record<string, string | undefined>>,
): Request {
  const headers = new Headers(request.headers)
  for (const [name, value] of Object.entries(changed)) {
    if (value === undefined) headers.delete(name)
    else headers.set(name, value)
  }
  return new Request(request, { headers })
}

export function withBody(request: Request, body: Uint8Array): Request {
  const { url, method, headers } = request
  return new Request(url, { method, headers, body: body as BodyInit })
}

/** The same answer with another body. */
export function answerWith(
  response: Response,
  body: Uint8Array,
  status = response.status,
): Response {
  const headers = new Headers(response.headers)
  headers.delete('content-encoding')
  return new Response(body as BodyInit, { status, headers })
}

const isAt = (request: Request, endpoint: string): boolean =>
  new URL(request.url).pathname === `/v1/${endpoint}`

/** Requests that cannot be read, or are too large, are passed on as they are. */
function changedRequest<T>(
  endpoint: string,
  decode: (bytes: Uint8Array) => T,
  encode: (message: T) => Uint8Array,
  change: (message: T) => T,
): Fault {
  return async (request, next) => {
    if (!isAt(request, endpoint) || request.headers.has('content-encoding')) return next(request)
    const bytes = new Uint8Array(await request.clone().arrayBuffer())
    const message = bytes.length > bodyBytesMax ? undefined : decoded(decode, bytes)
    return next(message === undefined ? request : withBody(request, encode(change(message))))
  }
}

function changedAnswer<T>(
  endpoint: string,
  decode: (bytes: Uint8Array) => T,
  encode: (message: T) => Uint8Array,
  change: (message: T) => T,
): Fault {
  return async (request, next) => {
    const response = await next(withHeaders(request, { 'accept-encoding': undefined }))
    if (!isAt(request, endpoint) || response.status !== 200) return response
    const bytes = new Uint8Array(await response.arrayBuffer())
    return answerWith(response, encode(change(decode(bytes))))
  }
}

export const handshakeRequests = (change: (message: HandshakeRequest) => HandshakeRequest): Fault =>
  changedRequest('handshake', decodeHandshakeRequest, encodeHandshakeRequest, change)

export const pushRequests = (change: (message: PushRequest) => PushRequest): Fault =>
  changedRequest('push', decodePushRequest, encodePushRequest, change)

export const pullRequests = (change: (message: PullRequest) => PullRequest): Fault =>
  changedRequest('pull', decodePullRequest, encodePullRequest, change)

export const handshakes = (change: (message: HandshakeResponse) => HandshakeResponse): Fault =>
  changedAnswer('handshake', decodeHandshakeResponse, encodeHandshakeResponse, change)

export const pages = (change: (message: PullResponse) => PullResponse): Fault =>
  changedAnswer('pull', decodePullResponse, encodePullResponse, change)

export const pushAnswers = (change: (message: PushResponse) => PushResponse): Fault =>
  changedAnswer('push', decodePushResponse, encodePushResponse, change)

/** A push with its answer, where both can be read. */
export function pushes(
  handle: (
    message: PushRequest,
    answer: PushResponse,
    again: (message: PushRequest) => Promise<PushResponse>,
  ) => PushResponse | Promise<PushResponse>,
): Fault {
  return async (request, next) => {
    if (!isAt(request, 'push') || request.headers.has('content-encoding')) return next(request)
    const bytes = new Uint8Array(await request.clone().arrayBuffer())
    const response = await next(request.clone())
    const message = decoded(decodePushRequest, bytes)
    if (message === undefined || response.status !== 200) return response
    const again = async (changed: PushRequest): Promise<PushResponse> =>
      readPush(await next(withBody(request, encodePushRequest(changed))))
    const answer = await handle(message, await readPush(response), again)
    return answerWith(response, encodePushResponse(answer))
  }
}

/** A pull with its answer. */
export function pulls(handle: (message: PullRequest, page: PullResponse) => PullResponse): Fault {
  return async (request, next) => {
    if (!isAt(request, 'pull')) return next(request)
    const bytes = new Uint8Array(await request.clone().arrayBuffer())
    const response = await next(withHeaders(request, { 'accept-encoding': undefined }))
    const message = decoded(decodePullRequest, bytes)
    if (message === undefined || response.status !== 200) return response
    const page = decodePullResponse(new Uint8Array(await response.arrayBuffer()))
    return answerWith(response, encodePullResponse(handle(message, page)))
  }
}

/** Errors with this code, as `change` makes them. */
export function errors(
  code: string,
  change: (error: ErrorResponse, response: Response) => Response,
): Fault {
  return async (request, next) => {
    const response = await next(request)
    if (response.status < 400) return response
    const error = decodeErrorResponse(new Uint8Array(await response.clone().arrayBuffer()))
    return error.code === code ? change(error, response) : response
  }
}

/** A pull that is refused with this in the message is served an empty page instead. */
export const servedPulls = (message: string): Fault =>
  errors('invalid_request', (error, response) => {
    if (!error.message.includes(message)) return response
    const page = { ops: [], nextCursor: 0, hasMore: false }
    return answerWith(response, encodePullResponse(page), 200)
  })

export const errorAnswer = (response: Response, error: ErrorResponse): Response =>
  answerWith(response, encodeErrorResponse(error))

/** The lines of a stream that are kept. */
export function streamLines(keeps: (text: string) => boolean): Fault {
  return async (request, next) => {
    const response = await next(request)
    const type = response.headers.get('content-type') ?? ''
    if (!type.startsWith('text/event-stream') || response.body === null) return response
    const body = response.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform: (part, controller) => {
          if (keeps(Buffer.from(part).toString())) controller.enqueue(part)
        },
      }),
    )
    return new Response(body, { status: response.status, headers: response.headers })
  }
}

/** Each before the next one. */
export const inTurn =
  (...faults: readonly Fault[]): Fault =>
  (request, next) =>
    faults.reduceRight<Next>((inner, fault) => (passed) => fault(passed, inner), next)(request)

export const requests =
  (change: (request: Request) => Request): Fault =>
  (request: Request, next: Next) =>
    next(change(request))

async function readPush(response: Response): Promise<PushResponse> {
  return decodePushResponse(new Uint8Array(await response.arrayBuffer()))
}

function decoded<T>(decode: (bytes: Uint8Array) => T, bytes: Uint8Array): T | undefined {
  try {
    return decode(bytes)
  } catch {
    // A malformed message is what a rule asks about: the server is to see it.
    return undefined
  }
}
