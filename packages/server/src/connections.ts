/**
 * Sockets and requests of a listener, so that closing is prompt: idle connections end at once, busy ones with their
 * last request. Node's secure HTTP/2 server does not do it by itself.
 */
import { type IncomingMessage, Server, type ServerResponse } from 'node:http'
import { Http2ServerRequest, type Http2ServerResponse, type ServerHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { NetServer } from './listener.ts'

export class Connections {
  readonly #server: NetServer
  /** Sockets as accepted, below TLS. */
  readonly #sockets = new Set<Socket>()
  /** HTTP/1.1 connections, decrypted, with their requests in progress. */
  readonly #requestsBySocket = new Map<Socket, number>()
  readonly #sessions = new Set<ServerHttp2Session>()
  #closing = false

  constructor(server: NetServer) {
    this.#server = server
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
    server.on('session', (session: ServerHttp2Session) => {
      this.#sessions.add(session)
      session.on('close', () => this.#sessions.delete(session))
    })
    server.on(
      'request',
      (
        request: IncomingMessage | Http2ServerRequest,
        response: ServerResponse | Http2ServerResponse,
      ) => {
        if (!(request instanceof Http2ServerRequest)) this.#countRequest(request.socket, response)
      },
    )
    // With TLS a connection has two sockets; requests come on the decrypted one.
    server.on('secureConnection', (socket: TLSSocket) => {
      if (socket.alpnProtocol !== 'h2') this.#addHttp1(socket)
    })
    if (server instanceof Server) server.on('connection', (socket) => this.#addHttp1(socket))
  }

  get openCount(): number {
    return this.#sockets.size
  }

  /** Resolves when nothing is open any more: at the latest `drainMs` from now, when the rest is cut. */
  async close(drainMs: number): Promise<void> {
    this.#closing = true
    const closed = new Promise<void>((resolve) => void this.#server.close(() => resolve()))
    for (const session of [...this.#sessions]) session.close()
    for (const [socket, requests] of [...this.#requestsBySocket]) {
      if (requests === 0) socket.destroySoon()
    }
    const timer = setTimeout(() => {
      for (const session of [...this.#sessions]) session.destroy()
      for (const socket of [...this.#sockets]) socket.destroy()
    }, drainMs)
    await closed
    clearTimeout(timer)
  }

  #addHttp1(socket: Socket): void {
    if (this.#closing) {
      socket.destroySoon()
      return
    }
    this.#requestsBySocket.set(socket, 0)
    socket.on('close', () => this.#requestsBySocket.delete(socket))
  }

  #countRequest(socket: Socket, response: ServerResponse | Http2ServerResponse): void {
    this.#addRequests(socket, 1)
    response.on('close', () => {
      this.#addRequests(socket, -1)
      if (this.#closing && this.#requestsBySocket.get(socket) === 0) socket.destroySoon()
    })
  }

  #addRequests(socket: Socket, change: 1 | -1): void {
    const requests = this.#requestsBySocket.get(socket)
    if (requests !== undefined) this.#requestsBySocket.set(socket, requests + change)
  }
}
