/** The sync server on a port of its own. */
import type { EventEmitter } from 'node:events'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { Connections } from './connections.ts'
import { createSyncHandler, type SyncHandlerOptions } from './create-sync-handler.ts'
import type { DatabaseStats } from './database/stats.ts'
import { IncomingBody } from './http/request-body.ts'
import { sendBytes } from './http/send-bytes.ts'
import { inTurn } from './in-turn.ts'
import { createNetServer, type TlsOptions } from './listener.ts'
import { jsonLogger } from './logger.ts'
import { nodeLineWarning } from './node-lines.ts'

/** Exactly one of `tls`, `behindProxy` and `insecureLoopback` says how traffic is protected. */
export interface SyncServerOptions extends SyncHandlerOptions {
  /** The server terminates TLS: HTTP/1.1 and HTTP/2. */
  readonly tls?: TlsOptions
  /** A proxy in front terminates TLS; this port speaks plain HTTP/1.1 and must not be reachable otherwise. */
  readonly behindProxy?: boolean
  /** Plain HTTP/1.1 on a loopback address only: for development. */
  readonly insecureLoopback?: boolean
  /** How long `close` waits for requests in progress, in milliseconds; default 5,000. */
  readonly drainMs?: number
}

/** Where a server listens. */
export interface ListenOptions {
  /** Default: 127.0.0.1. */
  readonly host?: string
  /** Default 0: any free port, `url` tells. */
  readonly port?: number
}

/** A sync server on a port of its own. */
export interface SyncServer {
  /** Such as `https://127.0.0.1:8443`. Error: `TypeError` before `listen`. */
  readonly url: string
  /** Resolves when connections are accepted; rejects with Node's error when the port is taken. */
  listen(options?: ListenOptions): Promise<void>
  /** Errors: `unknown_database`. */
  stats(dbId: string): Promise<DatabaseStats>
  /**
   * Drains: accepts nothing more, ends streams and idle connections at once, lets requests finish, then
   * closes the databases. Calling it again waits for the same end.
   */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

const LOOPBACK_HOSTS: readonly string[] = ['127.0.0.1', '::1', 'localhost']

/**
 * @example
 * const server = await createSyncServer({
 *   dataDir: './data',
 *   tls: { cert, key },
 *   auth: staticTokens({ [token]: { subject: 'me', databases: ['notes'], access: 'write' } }),
 *   createDatabases: true,
 * })
 * await server.listen({ host: '0.0.0.0', port: 8443 })
 */
export async function createSyncServer(options: SyncServerOptions): Promise<SyncServer> {
  assertProtection(options)
  const { tls, behindProxy: _, insecureLoopback, drainMs = 5_000, ...served } = options
  if (!(drainMs >= 0)) throw new TypeError('drainMs is a number from 0')
  const clock = options.clock ?? Date.now
  const logger = options.logger ?? jsonLogger({ clock })
  const handler = createSyncHandler({ ...served, logger })
  const warning = nodeLineWarning(process.versions.node, clock())
  if (warning !== undefined) logger.warn({ node: process.versions.node }, warning)

  const listener = getRequestListener(
    async (request, { incoming, outgoing }) => {
      const exchange = { ended: closeOf(outgoing), body: new IncomingBody(incoming) }
      return sendBytes(await handler.fetch(request, exchange), outgoing)
    },
    { overrideGlobalObjects: false, hostname: 'localhost' },
  )
  const server = createNetServer(tls, inTurn(listener), handler.limits)
  const connections = new Connections(server)
  let url: string | undefined
  let closed: Promise<void> | undefined

  const close = async (): Promise<void> => {
    handler.beginClosing()
    await connections.close(drainMs)
    await handler.close()
    logger.info({}, 'closed')
  }
  const syncServer: SyncServer = {
    get url() {
      if (url === undefined) throw new TypeError('The server has no URL before listen')
      return url
    },
    async listen({ host = '127.0.0.1', port = 0 } = {}) {
      if (insecureLoopback === true && !LOOPBACK_HOSTS.includes(host)) {
        throw new TypeError(`insecureLoopback listens on loopback addresses only, not ${host}`)
      }
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(port, host, () => {
          server.off('error', reject)
          server.on('error', (error) => logger.error({ error }, 'listener failed'))
          resolve()
        })
      })
      url = urlOf(tls === undefined ? 'http' : 'https', host, server.address())
      logger.info({ url }, 'listening')
    },
    stats: (dbId) => handler.stats(dbId),
    close() {
      closed ??= close()
      return closed
    },
    [Symbol.asyncDispose]: () => syncServer.close(),
  }
  return syncServer
}

/** Of both protocols: the answer is sent, or its connection or stream is gone. */
function closeOf(response: EventEmitter): Promise<void> {
  return new Promise((resolve) => response.once('close', resolve))
}

function assertProtection({ tls, behindProxy, insecureLoopback }: SyncServerOptions): void {
  const chosen = [tls !== undefined, behindProxy === true, insecureLoopback === true]
  if (chosen.filter(Boolean).length !== 1) {
    throw new TypeError('Give exactly one of tls, behindProxy: true and insecureLoopback: true')
  }
  if (tls !== undefined && !(tls.cert && tls.key)) throw new TypeError('tls needs cert and key')
}

function urlOf(scheme: string, host: string, address: AddressInfo | string | null): string {
  if (address === null || typeof address === 'string')
    throw new TypeError('Not listening on a port')
  const isAnyAddress = host === '0.0.0.0' || host === '::'
  const name = isAnyAddress ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return `${scheme}://${name}:${address.port}`
}
