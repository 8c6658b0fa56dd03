/**
 * Sockets and requests of a listener, so that closing is prompt: idle connections end at once, busy ones with their
 * last request. Node's secure HTTP/2 server does not do it by itself. And so that answers end with their connection,
 * those that wait behind another one too: Node tells only the one that is being sent.
 */
import { type IncomingMessage, Server, ServerResponse } from 'node:http'
import { Http2ServerRequest, type Http2ServerResponse, type ServerHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { NetServer } from './listener.ts'

export class Connections {
  readonly #server: NetServer
  /** Sockets as accepted, below TLS. */
  readonly #sockets = new Set<Socket>()
  /** HTTP/1.1 connections, decrypted, with the answers to their requests in progress. */
  readonly #answersBySocket = new Map<Socket, Set<ServerResponse>>()
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
        if (request instanceof Http2ServerRequest || !(response instanceof ServerResponse)) return
        this.#addAnswer(request.socket, response)
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
    for (const [socket, answers] of [...this.#answersBySocket]) {
      if (answers.size === 0) socket.destroySoon()
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
    const answers = new Set<ServerResponse>()
    this.#answersBySocket.set(socket, answers)
    socket.on('close', () => {
      this.#answersBySocket.delete(socket)
      for (const answer of [...answers]) if (answer.socket === null) abandon(answer)
    })
  }

  #addAnswer(socket: Socket, answer: ServerResponse): void {
    const answers = this.#answersBySocket.get(socket)
    answers?.add(answer)
    answer.on('close', () => {
      answers?.delete(answer)
      if (this.#closing && answers?.size === 0) socket.destroySoon()
    })
  }
}

/** It waited for its turn on a connection that is gone: whoever writes it learns it as of any other. */
function abandon(answer: ServerResponse): void {
  answer.destroy()
  answer.emit('close')
}
