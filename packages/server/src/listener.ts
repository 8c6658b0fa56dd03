/**
 * Sockets: TLS with HTTP/1.1 and HTTP/2 on one port, or plain HTTP/1.1 behind a proxy. The limits are
 * tighter than Node's own: whoever is slow, silent or greedy loses the connection.
 */
import { createServer, type RequestListener, type Server } from 'node:http'
import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2'
import type { Socket } from 'node:net'
import type { ServerLimits } from './limits.ts'

/** Certificate chain and key, PEM. */
export interface TlsOptions {
  /** PEM, the chain included. */
  readonly cert: string | Buffer
  /** PEM. */
  readonly key: string | Buffer
}

export type NetServer = Server | Http2SecureServer

/** Takes requests of both protocols. */
export type NodeListener = RequestListener &
  ((request: Http2ServerRequest, response: Http2ServerResponse) => void)

const HEADER_BYTES_MAX = 8 * 1024

const HTTP1_TIMES = {
  headersTimeout: 10_000,
  requestTimeout: 120_000,
  keepAliveTimeout: 5_000,
}
/** Node's secure HTTP/2 server takes no options for HTTP/1.1 and reads them from the server object. */
const HTTP1_SERVER_FIELDS = {
  ...HTTP1_TIMES,
  maxHeaderSize: HEADER_BYTES_MAX,
  maxHeadersCount: 64,
  maxRequestsPerSocket: 1_000,
}
const CONNECTIONS_CHECKING_INTERVAL_MS = 5_000
/** A silent peer is probed, so that a dead event stream does not hold a socket for ever. */
const KEEP_ALIVE_PROBE_MS = 60_000
/** Of a TLS handshake, and of a connection that speaks neither protocol. */
const HANDSHAKE_MS = 10_000
const UNKNOWN_PROTOCOL_MS = 5_000

const HTTP2_OPTIONS = {
  settings: { maxConcurrentStreams: 100, maxHeaderListSize: HEADER_BYTES_MAX },
  /** MB. */
  maxSessionMemory: 10,
  maxHeaderListPairs: 64,
  maxOutstandingPings: 5,
  maxSettings: 16,
  maxSessionInvalidFrames: 50,
  maxSessionRejectedStreams: 20,
  unknownProtocolTimeout: UNKNOWN_PROTOCOL_MS,
}

/** Of `ServerLimits`. */
export type ConnectionLimits = Pick<ServerLimits, 'maxConnections' | 'idleConnectionMs'>

/** Not listening yet. `tls` undefined: plain HTTP/1.1. */
export function createNetServer(
  tls: TlsOptions | undefined,
  listener: NodeListener,
  { maxConnections, idleConnectionMs }: ConnectionLimits,
): NetServer {
  const server = tls === undefined ? createPlainServer(listener) : createTlsServer(tls, listener)
  server.maxConnections = maxConnections
  // Node's types lack it for HTTP/2.
  Object.assign(server, { timeout: 2 * idleConnectionMs })
  server.on('session', (session: ServerHttp2Session) => endWhenIdle(session, idleConnectionMs))
  server.on('connection', (socket: Socket) => socket.setKeepAlive(true, KEEP_ALIVE_PROBE_MS))
  return server
}

/** HTTP/2 can ask its peer to end. Streams that the peer leaves standing would keep it open for ever. */
function endWhenIdle(session: ServerHttp2Session, idleMs: number): void {
  // The server's own timeout, which is that of HTTP/1.1, would cut it at once.
  session.removeAllListeners('timeout')
  session.setTimeout(idleMs, () => {
    session.close()
    session.setTimeout(idleMs, () => session.destroy())
  })
}

function createPlainServer(listener: NodeListener): Server {
  const server = createServer(
    {
      ...HTTP1_TIMES,
      connectionsCheckingInterval: CONNECTIONS_CHECKING_INTERVAL_MS,
      maxHeaderSize: HEADER_BYTES_MAX,
    },
    listener,
  )
  return Object.assign(server, HTTP1_SERVER_FIELDS)
}

function createTlsServer(tls: TlsOptions, listener: NodeListener): Http2SecureServer {
  const server = createSecureServer(
    {
      ...HTTP2_OPTIONS,
      cert: tls.cert,
      key: tls.key,
      allowHTTP1: true,
      minVersion: 'TLSv1.2',
      honorCipherOrder: true,
      handshakeTimeout: HANDSHAKE_MS,
    },
    listener,
  )
  // Without listeners a hostile peer's errors would end the process.
  server.on('tlsClientError', (_error, socket) => void socket.destroy())
  server.on('sessionError', (_error: Error, session: ServerHttp2Session) => session.destroy())
  server.on('secureConnection', (socket) => void socket.on('error', () => socket.destroy()))
  return Object.assign(server, HTTP1_SERVER_FIELDS)
}
