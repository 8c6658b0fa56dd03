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

/** How one kind of message is read and written, and at which endpoint it is met. */
interface Form<T> {
  readonly endpoint: string
  readonly decode: (bytes: Uint8Array) => T
  readonly encode: (message: T) => Uint8Array
}

const formAt = <T>(
  endpoint: string,
  decode: Form<T>['decode'],
  encode: Form<T>['encode'],
): Form<T> => ({ endpoint, decode, encode })

const handshakeRequest = formAt('handshake', decodeHandshakeRequest, encodeHandshakeRequest)
const handshakeAnswer = formAt('handshake', decodeHandshakeResponse, encodeHandshakeResponse)
const pullRequest = formAt('pull', decodePullRequest, encodePullRequest)
const pullAnswer = formAt('pull', decodePullResponse, encodePullResponse)
const pushRequest = formAt('push', decodePushRequest, encodePushRequest)
const pushAnswer = formAt('push', decodePushResponse, encodePushResponse)

/** A fault that changes every message of one kind. */
type FaultIn<T> = (change: (message: T) => T) => Fault

/** Requests that cannot be read, or are too large, are passed on as they are. */
const inRequests =
  <T>(form: Form<T>): FaultIn<T> =>
  (change) =>
  async (request, next) => {
    const message = await readRequest(form, request)
    return next(message === undefined ? request : withBody(request, form.encode(change(message))))
  }

const inAnswers =
  <T>(form: Form<T>): FaultIn<T> =>
  (change) =>
  async (request, next) => {
    if (!isAt(request, form.endpoint)) return next(request)
    const response = await next(withHeaders(request, { 'accept-encoding': undefined }))
    if (response.status !== 200) return response
    return answerWith(response, form.encode(change(await readAnswer(form, response))))
  }

export const handshakeRequests: FaultIn<HandshakeRequest> = inRequests(handshakeRequest)
export const pullRequests: FaultIn<PullRequest> = inRequests(pullRequest)
export const pushRequests: FaultIn<PushRequest> = inRequests(pushRequest)
export const handshakes: FaultIn<HandshakeResponse> = inAnswers(handshakeAnswer)
export const pages: FaultIn<PullResponse> = inAnswers(pullAnswer)
export const pushAnswers: FaultIn<PushResponse> = inAnswers(pushAnswer)

/** `again` asks the server once more, with another request. */
type Handle<Q, A> = (message: Q, answer: A, again: (message: Q) => Promise<A>) => A | Promise<A>

/** A request with its answer, where both can be read. */
const inExchanges =
  <Q, A>(asked: Form<Q>, answered: Form<A>) =>
  (handle: Handle<Q, A>): Fault =>
  async (given, next) => {
    const message = await readRequest(asked, given)
    if (message === undefined) return next(given)
    const request = withHeaders(given, { 'accept-encoding': undefined })
    const response = await next(request.clone())
    if (response.status !== 200) return response
    const again = async (changed: Q): Promise<A> =>
      readAnswer(answered, await next(withBody(request, asked.encode(changed))))
    const answer = await handle(message, await readAnswer(answered, response), again)
    return answerWith(response, answered.encode(answer))
  }

export const pulls: (handle: Handle<PullRequest, PullResponse>) => Fault = inExchanges(
  pullRequest,
  pullAnswer,
)
export const pushes: (handle: Handle<PushRequest, PushResponse>) => Fault = inExchanges(
  pushRequest,
  pushAnswer,
)

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

/** Undefined when it is no message of this form that can be read: the server is to see it. */
async function readRequest<T>(form: Form<T>, request: Request): Promise<T | undefined> {
  if (!isAt(request, form.endpoint) || request.headers.has('content-encoding')) return undefined
  const bytes = new Uint8Array(await request.clone().arrayBuffer())
  if (bytes.length > bodyBytesMax) return undefined
  try {
    return form.decode(bytes)
  } catch {
    // A malformed message is what a rule asks about.
    return undefined
  }
}

async function readAnswer<T>(form: Form<T>, response: Response): Promise<T> {
  return form.decode(new Uint8Array(await response.arrayBuffer()))
}
