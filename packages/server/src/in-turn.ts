/**
 * Requests of one HTTP/1.1 connection, one after the other. A client may send many before it reads an answer; their
 * answers go out in order, so that all but the first would only be held in memory, megabytes each. Those that are
 * still to come when the connection is cut are never begun.
 */
import { type IncomingMessage, ServerResponse } from 'node:http'
import { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { Socket } from 'node:net'
import type { NodeListener } from './listener.ts'

/** HTTP/2 has a limit of its own, on streams. */
export function inTurn(listener: NodeListener): NodeListener {
  const lastBySocket = new WeakMap<Socket, ServerResponse>()

  function listenInTurn(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request
    const before = lastBySocket.get(socket)
    lastBySocket.set(socket, response)
    response.once('close', () => {
      if (lastBySocket.get(socket) === response) lastBySocket.delete(socket)
    })
    const listen = (): void => void listener(request, response)
    if (before === undefined) listen()
    else before.once('close', () => !socket.destroyed && listen())
  }

  return (
    request: IncomingMessage | Http2ServerRequest,
    response: ServerResponse | Http2ServerResponse,
  ): void => {
    if (request instanceof Http2ServerRequest) {
      if (response instanceof Http2ServerResponse) listener(request, response)
    } else if (response instanceof ServerResponse) listenInTurn(request, response)
  }
}
