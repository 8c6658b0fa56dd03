/**
 * The HTTP side as one function from Request to Response. Checks run in the protocol's order: route,
 * authentication, method and media types, size, decoding, then what the database checks.
 */
import { EntiDBError } from '@entidb/core'
import { isValidDbId, STREAM_PATH } from '@entidb/protocol'
import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import { parseBearerToken } from '../auth/bearer-token.ts'
import type { Authenticator, Identity } from '../auth/identity.ts'
import type { SyncDatabase } from '../database/sync-database.ts'
import type { Databases } from '../databases.ts'
import type { ServerLimits } from '../limits.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import type { Timers } from '../timers.ts'
import { invalidRequest, rateLimited, unauthenticated, unavailable } from '../wire-error.ts'
import { cborResponse } from './cbor-response.ts'
import { createEndpoints, type Endpoint } from './endpoints.ts'
import { errorResponse } from './error-response.ts'
import { EVENT_STREAM_TYPE, EventStream } from './event-stream.ts'
import { assertAccepts, assertSendsCbor } from './media-types.ts'
import { readBody } from './read-body.ts'
import { type RequestBody, WebBody } from './request-body.ts'
import type { StreamSlots } from './stream-slots.ts'
import { SubjectSlots } from './subject-slots.ts'

export interface SyncAppOptions {
  readonly databases: Databases
  readonly auth: Authenticator
  readonly limits: ServerLimits
  readonly logger: Logger
  readonly metrics: Metrics
  readonly streams: StreamSlots
  readonly timers: Timers
  /** Web pages of these origins may use the server. */
  readonly corsOrigins: readonly string[] | '*'
  readonly clock: () => number
  /** True once the server has begun to close. */
  readonly isClosing: () => boolean
}

/** What the HTTP server knows of a request. */
export interface Exchange {
  /** Resolves when the answer has been taken, or its connection has ended. Missing: when the answer is made. */
  readonly ended?: Promise<void>
  /** The body. Missing: that of the Request. */
  readonly body?: RequestBody
}

interface SyncEnv {
  readonly Bindings: Exchange
}
type SyncContext = Context<SyncEnv>

export function createSyncApp(options: SyncAppOptions): Hono<SyncEnv> {
  const app = new Hono<SyncEnv>()
  const { metrics, corsOrigins, limits } = options
  const requests = new SubjectSlots(limits.maxRequestsPerSubject)
  if (corsOrigins.length > 0) app.use('/v1/*', allowOrigins(corsOrigins))
  const route = (
    path: string,
    answer: (context: SyncContext) => Response | Promise<Response>,
  ): void => {
    app.use(path, async (context, next) => {
      const start = performance.now()
      await next()
      metrics.countRequest(path, context.res.status, (performance.now() - start) / 1000)
    })
    app.all(path, answer)
  }
  for (const [path, endpoint] of createEndpoints(options.databases, metrics)) {
    route(path, (context) => answerMessage(context, endpoint, requests, options))
  }
  route(STREAM_PATH, (context) => answerStream(context, options))
  route('/healthz', (context) => answerText(context, 200, 'ok\n'))
  route('/readyz', (context) =>
    options.isClosing() ? answerText(context, 503, 'closing\n') : answerText(context, 200, 'ok\n'),
  )
  route('/metrics', (context) => answerText(context, 200, metrics.text()))
  app.notFound((context) => {
    const error = new EntiDBError('not_found', 'There is no such path')
    return errorResponse(error, options.logger, fieldsOf(context))
  })
  app.onError((error, context) => errorResponse(error, options.logger, fieldsOf(context)))
  return app
}

/** The token travels in a header that scripts set, never in a cookie: no credentials mode is needed. */
function allowOrigins(origins: readonly string[] | '*'): MiddlewareHandler {
  return cors({
    origin: origins === '*' ? '*' : [...origins],
    allowMethods: ['GET', 'POST'],
    allowHeaders: ['Authorization', 'Content-Type', 'Content-Encoding'],
    exposeHeaders: ['Retry-After', 'WWW-Authenticate'],
    maxAge: 86_400,
  })
}

async function answerMessage(
  context: SyncContext,
  endpoint: Endpoint,
  requests: SubjectSlots,
  options: SyncAppOptions,
): Promise<Response> {
  const request = context.req.raw
  const identity = await authenticate(request, options)
  const giveBack = requests.take(identity.subject)
  if (giveBack === undefined) throw rateLimited('Too many requests at a time')
  try {
    assertMethod(request, 'POST')
    assertSendsCbor(request.headers)
    assertAccepts(request.headers, 'application/cbor')
    const { limits, timers } = options
    const bounds = { bytesMax: limits.maxBodyBytes, timers }
    const body = await readBody(request.headers, context.env.body ?? bodyOf(request), bounds)
    return await cborResponse(await endpoint(body, identity), request.headers)
  } finally {
    // Not before: a request goes on when its connection is cut, and an answer takes memory until it is taken.
    const { ended = Promise.resolve() } = context.env
    void ended.then(giveBack)
  }
}

function bodyOf({ body }: Request): RequestBody | undefined {
  return body === null ? undefined : new WebBody(body)
}

async function answerStream(context: SyncContext, options: SyncAppOptions): Promise<Response> {
  const request = context.req.raw
  const identity = await authenticate(request, options)
  assertMethod(request, 'GET')
  assertAccepts(request.headers, EVENT_STREAM_TYPE)
  const dbIds = context.req.queries('dbId') ?? []
  const [dbId] = dbIds
  if (dbIds.length !== 1 || !isValidDbId(dbId)) throw invalidRequest('Name one dbId in the query')
  const giveBack = options.streams.take(identity.subject)
  try {
    const stream = await options.databases.useFor(dbId, identity, (database) =>
      openStream(database, identity, giveBack, options),
    )
    return new Response(stream.body, {
      headers: {
        'content-type': EVENT_STREAM_TYPE,
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      },
    })
  } catch (error) {
    giveBack()
    throw error
  }
}

async function openStream(
  database: SyncDatabase,
  identity: Identity,
  giveBack: () => void,
  options: SyncAppOptions,
): Promise<EventStream> {
  const { streams, timers, clock, isClosing } = options
  const { expiresAtMs } = identity
  const head = await database.head()
  const stream: EventStream = new EventStream({
    head,
    subscribe: (listener) => database.subscribe(listener),
    lifetimeMs: expiresAtMs === undefined ? undefined : expiresAtMs - clock(),
    timers,
    onEnd: () => {
      giveBack()
      streams.remove(stream)
    },
  })
  streams.add(stream)
  if (isClosing()) stream.end()
  return stream
}

async function authenticate(request: Request, options: SyncAppOptions): Promise<Identity> {
  if (options.isClosing()) throw unavailable('The server is closing')
  const token = parseBearerToken(request.headers.get('authorization'))
  const identity = token === undefined ? undefined : await options.auth.authenticate(token)
  if (identity === undefined) throw unauthenticated()
  return identity
}

function assertMethod(request: Request, method: string): void {
  if (request.method === method) return
  throw new EntiDBError('method_not_allowed', `Use ${method}`, { details: { allow: method } })
}

function answerText(context: SyncContext, status: number, text: string): Response {
  if (context.req.raw.method !== 'HEAD') assertMethod(context.req.raw, 'GET')
  return new Response(text, {
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' },
  })
}

function fieldsOf(context: SyncContext): { method: string; path: string } {
  return { method: context.req.method, path: context.req.path }
}
