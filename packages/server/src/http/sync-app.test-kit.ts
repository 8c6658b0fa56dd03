/** A sync handler in memory, and requests to it. */
import { memoryStorage } from '@entidb/core'
import { encodeEntity } from '@entidb/core/cbor'
import {
  decodeErrorResponse,
  type ErrorResponse,
  encodeHandshakeRequest,
  encodePushRequest,
  HANDSHAKE_PATH,
  type SyncOperation,
} from '@entidb/protocol'
import { staticTokens } from '../auth/static-tokens.ts'
import {
  createSyncHandler,
  type SyncHandler,
  type SyncHandlerOptions,
} from '../create-sync-handler.ts'
import { silentLogger } from '../logger.ts'

export const handshakeBody: Uint8Array = encodeHandshakeRequest({
  dbId: 'shop',
  deviceId: 'device-a',
})

export function createTestHandler(options: Partial<SyncHandlerOptions> = {}): SyncHandler {
  return createSyncHandler({
    storage: () => memoryStorage(),
    auth: staticTokens({
      write: { subject: 'ada', databases: '*', access: 'write' },
      read: { subject: 'bob', databases: '*', access: 'read' },
      shop: { subject: 'cy', databases: ['shop'], access: 'write' },
      bound: { subject: 'di', databases: '*', access: 'write', deviceId: 'till' },
    }),
    createDatabases: true,
    logger: silentLogger,
    ...options,
  })
}

export interface RequestParts {
  readonly path?: string
  readonly method?: string
  readonly token?: string | null
  /** A null value removes a header. */
  readonly headers?: Readonly<Record<string, string | null>>
  readonly body?: Uint8Array | ReadableStream<Uint8Array> | null
}

/** A good handshake, but for what `parts` say. */
export function makeRequest(parts: RequestParts = {}): Request {
  const { path = HANDSHAKE_PATH, method = 'POST', token = 'write' } = parts
  const headers = new Headers({ 'content-type': 'application/cbor' })
  if (token !== null) headers.set('authorization', `Bearer ${token}`)
  for (const [name, value] of Object.entries(parts.headers ?? {})) {
    if (value === null) headers.delete(name)
    else headers.set(name, value)
  }
  const body = parts.body === undefined ? handshakeBody : parts.body
  const hasBody = method !== 'GET' && method !== 'HEAD' && body !== null
  const init = { method, headers, ...(hasBody ? { body, duplex: 'half' } : {}) }
  // `duplex` is missing in the DOM's RequestInit, and the body is never shared memory.
  return new Request(`https://sync.example.org${path}`, init as RequestInit)
}

export async function bytesOf(response: Response): Promise<Uint8Array> {
  return new Uint8Array(await response.arrayBuffer())
}

/** Status and decoded error. */
export async function errorOf(response: Response): Promise<ErrorResponse & { status: number }> {
  return { status: response.status, ...decodeErrorResponse(await bytesOf(response)) }
}

export function putOp(opId: number, text = 'a', deviceId = 'device-a'): SyncOperation {
  const entityId = `e${opId}`
  return {
    opId,
    dbId: 'shop',
    deviceId,
    collection: 'items',
    entityId,
    opType: 'PUT',
    entityVersion: 0,
    entityCbor: encodeEntity({ id: entityId, text }),
  }
}

export const pushBody = (count: number, text?: string): Uint8Array =>
  encodePushRequest({
    dbId: 'shop',
    deviceId: 'device-a',
    ops: Array.from({ length: count }, (_, i) => putOp(i + 1, text)),
  })
